import math
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, Settings, Style, optimize
from nst_tf.networks import vgg


class GuardTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 64, 64)
        self.styles = [Style(cut(PAINTING, 64, 64))]

    def paint(self, **knobs):
        return optimize(self.content, self.styles, Settings(size=64, scales=1, **knobs))

    def test_an_infinite_loss_from_the_first_step(self):
        with self.assertRaisesRegex(
            InputError,
            r"^the loss is inf at scale 1 of 1 \(64 x 64 px\), step 1 of 3; try other --vgg_",
        ):
            next(self.paint(steps=3, recipe="tutorial", style_weight=1e38))

    @parameterized.parameters("adam", "lbfgs")
    def test_weights_that_break_on_the_way(self, optimizer):
        """The last Progress holds the picture as it was."""
        given = []
        real = vgg.of

        def of(*arguments):
            given.append(real(*arguments))
            return given[-1]

        with mock.patch.object(vgg, "of", of):
            run = self.paint(steps=5, optimizer=optimizer, precision="float32")
        before = [next(run), next(run)]
        kernel = given[0].get_layer("block2_conv1").weights[0]
        kernel.assign(tf.fill(kernel.shape, math.nan))
        # Some processors make 0 of NaN in a ReLU, others pass it on to the loss.
        with self.assertRaisesRegex(
            InputError,
            r"(a gradient or a pixel is no number|the loss is nan) at .* step \d of 5; try",
        ):
            next(run)
        self.assertTrue(np.isfinite(before[-1].image()).all())

    @parameterized.parameters(1e18, 1e24)
    def test_a_gradient_that_overflows(self, weight):
        run = self.paint(steps=6, optimizer="adam", recipe="tutorial", style_weight=weight)
        pictures = []
        with self.assertRaisesRegex(InputError, "is no number at|the loss is inf"):
            for progress in run:
                pictures.append(progress.image())
        self.assertTrue(all(np.isfinite(picture).all() for picture in pictures))

    def test_float16_goes_on_in_float32_once(self):
        given = []
        real = vgg.of

        def of(settings, precision):
            given.append(precision)
            network = real(settings, precision)
            if precision == "float16":
                # As large as overflows once the picture has moved on; the photograph still fits.
                kernel = network.get_layer("block3_conv1").weights[0]
                kernel.assign(kernel * 3e4)
            return network

        with (
            mock.patch.object(vgg, "of", of),
            self.assertLogs("nst_tf", "WARNING") as logs,
        ):
            run = list(self.paint(steps=3, precision="float16", optimizer="adam"))
        self.assertEqual(given, ["float16", "float32"])
        self.assertRegex(
            logs.output[0], r"the loss is \S+ at scale 1 of 1 .*; going on in float32$"
        )
        self.assertEqual([p.step for p in run], [0, 1, 2])
        self.assertEqual(run[-1].state().decided.precision, "float32")
        self.assertTrue(np.isfinite(run[-1].image()).all())


if __name__ == "__main__":
    tf.test.main()
