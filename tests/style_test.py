import numpy as np
from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings, Style
from nst_tf.style import check, report_poor, squares, visible_region

CONTENT = np.full((96, 128, 3), 0.5, np.float32)
STYLE = Style(np.full((90, 70, 3), 0.5, np.float32))
MASK = np.eye(96, 128, dtype=np.float32)


class StyleTest(parameterized.TestCase):
    def check(self, content=CONTENT, styles=(STYLE,), start=None, keep_mask=None, alpha=None):
        check(content, styles, start, keep_mask, alpha, Settings())

    def test_fitting_images_and_masks(self):
        styles = [Style(CONTENT, 0.0, mask=MASK), Style(CONTENT, region=np.float64(MASK))]
        styles.append(Style(CONTENT[:30], layers=["block1_conv1"]))
        # Less than a hundredth off.
        wide = np.eye(960, 1291, dtype=np.float32)
        self.check(styles=styles, start=CONTENT[:9], keep_mask=wide)

    @parameterized.parameters(
        (np.zeros((64, 64, 3), np.uint8), "uint8; divide by 255"),
        (np.zeros((64, 64), np.float32), r"the shape \(64, 64\)"),
        (np.zeros((0, 64, 3), np.float32), r"the shape \(0, 64, 3\)"),
        (np.full((64, 64, 3), 2.0), "values from 2.0 to 2.0"),
        (np.full((64, 64, 3), np.nan), "nan"),
        ([[0.5]], "a list; of a Picture give its rgb"),
    )
    def test_other_arrays_are_no_images(self, image, message):
        for name, arguments in (
            ("content", {"content": image}),
            ("start", {"start": image}),
            ("style", {"styles": [Style(image)]}),
        ):
            with self.assertRaisesRegex(InputError, f"{name}: expected a float array .*{message}"):
                self.check(**arguments)

    @parameterized.parameters(
        (np.ones([960, 1294], np.float32), "a mask of 1294 x 960 px for a picture of 128 x 96 px"),
        (np.zeros([96, 128], np.float32), "is all black"),
        (np.full([96, 128], 2 / 255, np.float32), "is all black"),
        (np.ones([96, 128], np.uint8), r"expected .* got uint8 \(96, 128\)"),
        (np.ones([96, 128, 3]), r"expected .* got float64 \(96, 128, 3\)"),
        (np.full([96, 128], 2.0), "expected a float array .* from 2.0 to 2.0"),
        ("mask.png", "expected .* got str"),
    )
    def test_other_arrays_are_no_masks(self, mask, message):
        for name, arguments in (
            ("keep_mask", {"keep_mask": mask}),
            ("alpha", {"alpha": mask}),
            ("mask", {"styles": [Style(STYLE.rgb, mask=mask)]}),
            ("region", {"styles": [Style(CONTENT, region=mask)]}),
        ):
            with self.assertRaisesRegex(InputError, f"^{name}: {message}"):
                self.check(**arguments)

    @parameterized.parameters(([],), ([CONTENT],), (STYLE,))
    def test_styles_are_a_list_of_one_at_least(self, styles):
        with self.assertRaisesRegex(InputError, "styles: expected a list of at least one Style"):
            self.check(styles=styles)

    @parameterized.parameters([[0.0, 0.0]], [[1.0, -1.0]], [[np.nan, 1.0]], [[1.0, np.inf]])
    def test_weights_are_numbers_from_0(self, weights):
        with self.assertRaisesRegex(InputError, "weight=.*: expected a number from 0 for each "):
            self.check(styles=[Style(CONTENT, weight) for weight in weights])

    @parameterized.parameters([["block5_conv1"]], [[]])
    def test_layers_are_of_the_settings(self, layers):
        with self.assertRaisesRegex(InputError, f"layers={','.join(layers)}: expected some of"):
            self.check(styles=[Style(CONTENT, layers=layers)])

    def test_tiny_style_images_are_refused(self):
        with self.assertRaisesRegex(InputError, "a painting of 400 x 2 px; expected sides of 8 px"):
            self.check(styles=[Style(np.zeros((2, 400, 3), np.float32))])


class VisibleRegionTest(absltest.TestCase):
    def test_of_a_region_what_can_be_seen_counts(self):
        alpha = np.zeros((8, 4), np.float32)
        alpha[:4] = 1
        region = np.zeros((4, 2), np.float32)
        region[:, 0] = 1
        found = visible_region(alpha, region)
        self.assertEqual(found.shape, alpha.shape)
        self.assertGreater(found[:4, 0].min(), 0.9)
        self.assertEqual(found[4:].max(), 0)
        self.assertLess(found[:, 3].max(), 0.1)
        np.testing.assert_array_equal(visible_region(alpha, None), alpha)

    def test_all_of_an_opaque_image_counts(self):
        region = np.eye(4, dtype=np.float32)
        for alpha in (None, np.ones((4, 4), np.float32)):
            self.assertIsNone(visible_region(alpha, None))
            self.assertIs(visible_region(alpha, region), region)


class SquaresTest(parameterized.TestCase):
    def test_a_scroll_is_cut_into_squares_that_cover_it(self):
        rgb = np.zeros((1600, 200, 3), np.float32) + np.arange(1600)[:, np.newaxis, np.newaxis]
        parts = squares(Style(rgb, 2.0, layers=["block1_conv1"]))
        self.assertEqual([part.rgb.shape for part in parts], [(200, 200, 3)] * 8)
        self.assertEqual([int(part.rgb[0, 0, 0]) for part in parts], list(range(0, 1600, 200)))
        self.assertEqual({part.weight for part in parts}, {0.25})
        self.assertEqual({tuple(part.layers) for part in parts}, {("block1_conv1",)})
        turned = squares(Style(rgb.swapaxes(0, 1)[:, :1500]))
        self.assertEqual([int(part.rgb[0, 0, 0]) for part in turned][-1], 1300)
        self.assertEqual(len(turned), 8)

    def test_squares_outside_the_region_do_not_count(self):
        region = np.zeros((800, 100), np.float32)
        region[:300] = 1
        parts = squares(Style(np.zeros((1600, 200, 3), np.float32), region=region))
        self.assertEqual([part.region.shape for part in parts], [(100, 100)] * 3)
        self.assertAlmostEqual(sum(part.weight for part in parts), 1)

    def test_of_a_long_scroll_some_squares_are_taken(self):
        style = Style(np.zeros((8, 8 * 400, 3), np.float32))
        check(CONTENT, [style], None, None, None, Settings())
        self.assertEqual([part.rgb.shape for part in squares(style)], [(8, 8, 3)] * 16)

    def test_a_region_of_few_pixels_is_covered(self):
        rgb = np.zeros((640, 80, 3), np.float32)
        for row in range(10):
            region = np.zeros((10, 1), np.float32)
            region[row] = 1
            self.assertNotEmpty(squares(Style(rgb, region=region)))

    @parameterized.parameters((300, 100), (100, 300), (128, 128))
    def test_other_paintings_are_one_part(self, height, width):
        style = Style(np.zeros((height, width, 3), np.float32))
        self.assertIs(squares(style)[0], style)


def noise(height, width):
    return Style(np.random.default_rng(0).random((height, width, 3), np.float32))


class ReportPoorTest(absltest.TestCase):
    def report(self, styles, long_side):
        with self.assertLogs("nst_tf.style", "INFO") as logs:
            report_poor(styles, long_side)
        (line,) = logs.output
        return line

    def test_paintings_of_one_color_are_named(self):
        line = self.report([noise(64, 64), Style(np.full((64, 64, 3), 0.5, np.float32))], 64.0)
        self.assertIn("painting 2 has one color", line)

    def test_paintings_that_are_too_small_are_named(self):
        line = self.report([noise(90, 70), noise(40, 20)], 128.0)
        self.assertIn("painting 2, 20 x 40 px, is enlarged 3.2 times", line)

    def test_a_scroll_is_as_large_as_its_squares(self):
        scroll = noise(400, 50)
        with self.assertNoLogs("nst_tf.style", "INFO"):
            report_poor([scroll], 100.0)
        self.assertIn("is enlarged 2.2 times", self.report([scroll], 110.0))


if __name__ == "__main__":
    absltest.main()
