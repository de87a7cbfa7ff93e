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
        calls = []
        with mock.patch.object(stylization_strips, "_STRIP_PIXELS", pixels):
            striped = stylization_strips.StripedTransformer(
                self.network.transformer, content, self.bottleneck
            )
            contract = striped._contract
            striped._contract = lambda rows: calls.append(rows.shape[1]) or contract(rows)
            found = striped.stylize()
        self.assertAllClose(found, expected, atol=1e-4)
        self.assertGreater(np.abs(expected - content).mean(), 0.05)
        self.assertGreater(len(calls), 2)
        self.assertLess(max(calls), size[0] + 2 * stylization.MARGIN)


if __name__ == "__main__":
    tf.test.main()
