import dataclasses
import math
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.networks import LAYERS
from testing.pictures import PAINTING, PHOTOGRAPH, cut
from testing.runs import fake_run

from nst_tf import InputError, Settings, Style, optimize
from nst_tf.networks import vgg
from nst_tf.run.nan_check import stop_if_not_finite
from nst_tf.settings import RECIPES

SMALL = Settings(**LAYERS, size=64, scales=1, steps=3, optimizer="adam", precision="float32")


class StopTest(parameterized.TestCase):
    @parameterized.parameters(
        (math.inf, "bfloat16", "the loss is inf at .*; try --precision=float32, other --vgg_"),
        (math.nan, "float32", "the loss is nan at .*; try other --vgg_"),
        (1.0, "float32", "a gradient or a pixel is NaN at .*; try other --vgg_"),
    )
    def test_says_what_and_where(self, total, precision, message):
        *_, progress = fake_run([1.0, 1.0], [1.0, total], size=(48, 64))
        with self.assertRaisesRegex(InputError, message) as caught:
            stop_if_not_finite(progress, precision)
        self.assertIn("at scale 2 of 2 (64 x 48 px), step 2 of 2;", str(caught.exception))


class RunTest(parameterized.TestCase, tf.test.TestCase):
    def optimize(self, settings, *, change=None):
        """A run; `change` is called with the precision and each network that it loads."""
        extractor = vgg.extractor_from_settings

        def changed(settings, precision):
            network = extractor(settings, precision)
            if change:
                change(precision, network)
            return network

        with mock.patch.object(vgg, "extractor_from_settings", changed):
            styles = [Style(cut(PAINTING, 64, 64))]
            for progress in optimize(cut(PHOTOGRAPH, 64, 64), styles, settings):
                yield progress, progress.image()

    def test_infinite_loss_of_the_first_step(self):
        settings = dataclasses.replace(RECIPES["tutorial"], size=64, steps=3, style_weight=1e38)
        with self.assertRaisesRegex(InputError, r"^the loss is inf at .* step 1 of 3; "):
            next(self.optimize(settings))

    @parameterized.parameters("adam", "lbfgs")
    def test_weights_that_become_nan_between_steps(self, optimizer):
        networks = []
        settings = dataclasses.replace(SMALL, optimizer=optimizer, steps=5)
        run = self.optimize(settings, change=lambda _, network: networks.append(network))
        pictures = [next(run)[1], next(run)[1]]
        kernel = networks[0].get_layer("block2_conv1").weights[0]
        kernel.assign(tf.fill(kernel.shape, math.nan))
        # Some processors make 0 of NaN in a ReLU, others pass it on to the loss.
        with self.assertRaisesRegex(InputError, r"(a gradient or a pixel|the loss) is (NaN|nan) "):
            pictures += [picture for _, picture in run]
        self.assertLess(len(pictures), 5)
        self.assertTrue(np.isfinite(pictures).all())

    def test_float16_continues_in_float32_once(self):
        precisions = []

        def change(precision, network):
            precisions.append(precision)
            if precision == "float16":
                # It overflows once the image differs from the content image.
                kernel = network.get_layer("block2_conv1").weights[0]
                kernel.assign(kernel * 3e3)

        settings = dataclasses.replace(SMALL, precision="float16")
        with self.assertLogs("nst_tf", "WARNING") as logs:
            run = list(self.optimize(settings, change=change))
        self.assertEqual(precisions, ["float16", "float32"])
        (line,) = logs.output
        self.assertRegex(line, r"the loss is \S+ at scale 1 of 1 .*; continuing in float32$")
        self.assertEqual([progress.step for progress, _ in run], [0, 1, 2])
        state = run[-1][0].state()
        self.assertEqual(
            (state.plan.precision, state.initial_plan.precision), ("float32", "float16")
        )
        self.assertTrue(np.isfinite(run[-1][1]).all())


if __name__ == "__main__":
    tf.test.main()
