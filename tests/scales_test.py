from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings
from nst_tf.scales import painting_size, scale_sizes, scale_steps


class ScaleSizesTest(parameterized.TestCase):
    @parameterized.parameters(
        # height, width, size, scales -> sizes
        (384, 512, 512, 1, [(384, 512)]),
        (768, 1024, 512, 0, [(192, 256), (384, 512)]),
        (1024, 768, 512, 0, [(256, 192), (512, 384)]),
        (100, 150, 1024, 0, [(171, 256), (341, 512), (683, 1024)]),
        (333, 500, 0, 1, [(333, 500)]),
        (333, 500, 64, 0, [(43, 64)]),
        (7, 10, 101, 2, [(36, 51), (71, 101)]),
        # The short side would fall below 32 px at 256.
        (60, 512, 512, 0, [(60, 512)]),
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
        with self.assertRaisesRegex(InputError, "a photograph of 9 x 150 px is too narrow; crop"):
            scale_sizes(150, 9, Settings())

    @parameterized.parameters({"size": 2**20}, {"scales": 20}, {"steps": 2**31})
    def test_more_than_can_be_counted_is_refused(self, **knobs):
        with self.assertRaisesRegex(InputError, "expected a whole number of at least"):
            Settings(**knobs)

    def test_too_many_scales(self):
        with self.assertRaisesRegex(InputError, "scales=4: the coarsest would be 16 px"):
            scale_sizes(100, 100, Settings(size=128, scales=4))


class ScaleStepsTest(parameterized.TestCase):
    @parameterized.parameters(
        # long sides, steps -> steps at each scale
        ([512], 100, [100]),
        ([64], 100, [100]),
        ([4096], 100, [100]),
        ([256, 512], 100, [50, 100]),
        ([256, 512, 1024, 2048, 4096], 100, [50, 100, 50, 25, 12]),
        ([300, 600], 100, [50, 100]),
        ([400, 800], 100, [100, 50]),
        ([1024, 2048], 100, [100, 50]),
        ([64, 128, 256, 512], 3, [1, 1, 1, 3]),
    )
    def test_most_steps_near_512_px(self, longs, steps, expected):
        sizes = [(3 * long // 4, long) for long in longs]
        self.assertEqual(scale_steps(sizes, Settings(steps=steps)), expected)


class PaintingSizeTest(parameterized.TestCase):
    @parameterized.parameters(
        # height, width, long side -> size
        (100, 200, 512, (256, 512)),
        (200, 100, 512, (512, 256)),
        (301, 500, 64, (39, 64)),
        # The short side stays at 32 px or more.
        (30, 450, 128, (32, 480)),
    )
    def test_sizes(self, height, width, long_side, expected):
        self.assertEqual(painting_size(height, width, long_side), expected)

    def test_too_narrow(self):
        with self.assertRaisesRegex(
            InputError, "painting of 400 x 24 px is too narrow; crop it .* 1 to 16"
        ):
            painting_size(24, 400, 512)


if __name__ == "__main__":
    absltest.main()
