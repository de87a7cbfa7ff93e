import tensorflow as tf
from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings
from nst_tf.run.pyramid import scale_sizes, scale_steps, schedule, style_image_size, style_long_side


class ScaleSizesTest(parameterized.TestCase):
    @parameterized.parameters(
        # height, width, size, scales -> sizes
        (384, 512, 512, 1, [(384, 512)]),
        (768, 1024, 512, 0, [(96, 128), (192, 256), (384, 512)]),
        (1024, 768, 512, 0, [(128, 96), (256, 192), (512, 384)]),
        (100, 100, 400, 0, [(100, 100), (200, 200), (400, 400)]),
        (100, 150, 1024, 0, [(85, 128), (171, 256), (341, 512), (683, 1024)]),
        (333, 500, 0, 1, [(333, 500)]),
        (333, 500, 0, 0, [(83, 125), (167, 250), (333, 500)]),
        (333, 500, 64, 0, [(43, 64)]),
        (7, 10, 101, 2, [(36, 51), (71, 101)]),
        # The coarsest is nearest to 128 by ratio: 181.02 would be as near as 90.51.
        (100, 100, 181, 0, [(181, 181)]),
        (100, 100, 182, 0, [(91, 91), (182, 182)]),
        (100, 100, 362, 0, [(181, 181), (362, 362)]),
        (100, 100, 363, 0, [(91, 91), (182, 182), (363, 363)]),
        # The short side would fall below 32 px at 256.
        (60, 512, 512, 0, [(60, 512)]),
        # At 128 it would be 31 px.
        (124, 512, 512, 0, [(62, 256), (124, 512)]),
        (126, 512, 512, 0, [(32, 128), (63, 256), (126, 512)]),
    )
    def test_sizes(self, height, width, size, scales, expected):
        found = scale_sizes(height, width, Settings(size=size, scales=scales))
        self.assertEqual(found, expected)

    def test_too_small_names_the_smallest_size_that_works(self):
        with self.assertRaisesRegex(InputError, "size=40: the short side .* --size=63 or more"):
            scale_sizes(100, 200, Settings(size=40))
        self.assertEqual(scale_sizes(100, 200, Settings(size=63)), [(32, 63)])
        with self.assertRaisesRegex(InputError, "size=62"):
            scale_sizes(100, 200, Settings(size=62))

    def test_too_narrow(self):
        with self.assertRaisesRegex(InputError, "of 9 x 150 px is too narrow; crop it"):
            scale_sizes(150, 9, Settings())

    def test_too_many_scales(self):
        with self.assertRaisesRegex(InputError, "scales=4: the coarsest would be 16 px"):
            scale_sizes(100, 100, Settings(size=128, scales=4))

    def test_the_coarsest_is_nearest_to_128_px(self):
        for size in range(91, 1200, 31):
            sizes = scale_sizes(100, 100, Settings(size=size))
            self.assertBetween(sizes[0][0], 128 / 2**0.5, 128 * 2**0.5 + 1)
            self.assertLess(abs(sizes[-1][0] / 2 ** (len(sizes) - 1) - sizes[0][0]), 1)


class ScaleStepsTest(parameterized.TestCase):
    @parameterized.parameters(
        # number of scales, steps -> steps at each scale
        (1, 100, [100]),
        (2, 100, [100, 60]),
        (3, 50, [50, 30, 18]),
        (6, 100, [100, 60, 36, 21, 12, 7]),
        (5, 3, [3, 1, 1, 1, 1]),
        (19, 2**31 - 1, [(2**31 - 1) * 3**n // 5**n for n in range(19)]),
    )
    def test_three_fifths_with_each_finer_scale(self, count, steps, expected):
        sizes = [(96 * 2**scale, 128 * 2**scale) for scale in range(count)]
        self.assertEqual(scale_steps(sizes, Settings(steps=steps)), expected)

    def test_a_graph_counts_the_same(self):
        scalar = tf.TensorSpec([], tf.int32)
        graph = tf.function(schedule, input_signature=[scalar, scalar])
        for count, steps in ((1, 7), (3, 50), (5, 3), (4, 2**31 - 1)):
            sizes = [(100, 100)] * count
            expected = scale_steps(sizes, Settings(steps=steps))
            self.assertEqual(graph(count, steps).numpy().tolist(), expected)


class StyleImageSizeTest(parameterized.TestCase):
    @parameterized.parameters(
        # height, width, long side -> size
        (100, 200, 512, (256, 512)),
        (200, 100, 512, (512, 256)),
        (301, 500, 64, (39, 64)),
        # The short side stays at 32 px or more.
        (30, 450, 128, (32, 480)),
    )
    def test_sizes(self, height, width, long_side, expected):
        self.assertEqual(style_image_size(height, width, long_side), expected)

    @parameterized.parameters((0, 1.0, 0), (2000, 1.0, 2000), (2000, 0.5, 1000), (300, 1.0, 512))
    def test_long_side_that_a_run_needs(self, size, style_scale, expected):
        settings = Settings(size=size, style_scale=style_scale)
        self.assertEqual(style_long_side(settings), expected)
        self.assertEqual(style_long_side(settings, 2000), expected or 2000)

    def test_too_narrow(self):
        with self.assertRaisesRegex(InputError, "of 400 x 24 px is too narrow; crop it .* 1 to 16"):
            style_image_size(24, 400, 512)


if __name__ == "__main__":
    absltest.main()
