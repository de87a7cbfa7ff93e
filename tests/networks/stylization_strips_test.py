from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf.networks import stylization, stylization_strips


class StripsTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = stylization.StylizationNetwork(stylization.read_weights())
        cls.bottleneck = cls.network.bottleneck(cut(PAINTING, 256, 300)[np.newaxis])

    @parameterized.parameters(((97, 131), 2**13), ((130, 33), 2**11), ((33, 70), 2**11))
    def test_equals_the_whole_image(self, size, pixels):
        content = cut(PHOTOGRAPH, *size)[np.newaxis]
        expected = self.network.transform(content, self.bottleneck)
        heights, conv = [], self.network.transformer.contract[0]
        recorded = mock.Mock(side_effect=lambda x: heights.append(x.shape[1]) or conv(x))
        with (
            mock.patch.multiple(stylization_strips, _STRIP_PIXELS=pixels, _MIN_ROWS=1),
            mock.patch.object(
                self.network.transformer,
                "contract",
                [recorded, *self.network.transformer.contract[1:]],
            ),
        ):
            found = stylization_strips.transform(self.network, content, self.bottleneck)
        self.assertAllClose(found, expected, atol=1e-4)
        self.assertGreater(np.abs(expected - content).mean(), 0.05)
        self.assertGreater(len(heights), 2)
        self.assertLess(max(heights), size[0] + 2 * stylization.MARGIN)

    def test_moments_of_strips_are_those_of_the_layer(self):
        layer = np.random.default_rng(0).normal(3, 2, (1, 50, 20, 4))
        layer[:, 30:] += 5
        parts = np.split(layer, [20, 25], axis=1)
        moments = [tf.nn.moments(part, [1, 2], keepdims=True) for part in parts]
        mean, variance = stylization_strips._total([20, 5, 25], moments)
        self.assertAllClose(mean[0, 0, 0], layer.mean((0, 1, 2)), rtol=1e-6)
        self.assertAllClose(variance[0, 0, 0], layer.var((0, 1, 2)), rtol=1e-6)


if __name__ == "__main__":
    tf.test.main()
