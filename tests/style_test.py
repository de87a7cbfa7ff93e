import numpy as np
from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings, Style
from nst_tf.style import check

CONTENT = np.full((96, 128, 3), 0.5, np.float32)
STYLE = Style(np.full((90, 70, 3), 0.5, np.float32))
MASK = np.eye(96, 128, dtype=np.float32)


class StyleTest(parameterized.TestCase):
    def check(self, content=CONTENT, styles=(STYLE,), start=None, keep_mask=None):
        check(content, styles, start, keep_mask, Settings())

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

    def test_narrow_style_images_are_refused(self):
        with self.assertRaisesRegex(InputError, "of 400 x 2 px is too narrow"):
            self.check(styles=[Style(np.zeros((2, 400, 3), np.float32))])


if __name__ == "__main__":
    absltest.main()
