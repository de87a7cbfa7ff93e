import numpy as np
from absl.testing import absltest, parameterized

from nst_tf.video import hdr

# Signals of reference white, 203 cd/m2: ITU-R BT.2408, table 1.
WHITE = {hdr.PQ: 0.58, hdr.HLG: 0.75}


def samples(*signals):
    return np.round(np.array(signals) * 65535).astype(np.uint16).reshape(1, -1, 3)


def pq(nits):
    """The inverse EOTF of SMPTE ST 2084."""
    y = (np.asarray(nits) / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


class HdrTest(parameterized.TestCase):
    @parameterized.parameters(hdr.PQ, hdr.HLG)
    def test_reference_white_is_nearly_white(self, transfer):
        found = hdr.to_srgb(samples([WHITE[transfer]] * 3), transfer)
        self.assertEqual(found.dtype, np.float32)
        self.assertLess(float(np.ptp(found)), 0.001)
        self.assertBetween(float(found[0, 0, 0]), 0.93, 0.98)

    def test_what_is_darker_than_the_knee_keeps_its_light(self):
        nits = np.array([1.0, 20, 100, 150])
        found = hdr.to_srgb(samples(pq(nits).repeat(3)), hdr.PQ)[0, :, 0].astype(float)
        light = np.where(found <= 0.04045, found / 12.92, ((found + 0.055) / 1.055) ** 2.4)
        np.testing.assert_allclose(light, nits / 203, rtol=0.01)

    @parameterized.parameters(hdr.PQ, hdr.HLG)
    def test_brighter_is_never_darker_and_never_clipped_early(self, transfer):
        ramp = np.linspace(0, 1, 256)
        found = hdr.to_srgb(samples(ramp.repeat(3)), transfer)[0, :, 0]
        self.assertEqual((found[0], found[-1] > 0.99), (0, True))
        self.assertGreaterEqual(np.diff(found).min(), 0)
        # The last steps before 1000 cd/m2 can still be told apart.
        self.assertGreater(*hdr.to_srgb(samples(pq([800, 500]).repeat(3)), hdr.PQ)[0, :, 0])

    def test_primaries(self):
        """Red of BT.709 in BT.2020's primaries comes back as that red."""
        linear = np.array([0.6274, 0.0691, 0.0164]) * 100
        found = hdr.to_srgb(samples(pq(linear)), hdr.PQ)[0, 0]
        self.assertLess(found[1:].max(), 0.03)
        self.assertAlmostEqual(
            float(found[0]), 1.055 * (100 / 203) ** (1 / 2.4) - 0.055, delta=0.01
        )
        kept = hdr.to_srgb(samples(pq(linear)), hdr.PQ, is_bt2020=False)[0, 0]
        self.assertGreater(kept[1], 0.15)

    def test_a_bright_color_keeps_its_hue(self):
        found = hdr.to_srgb(samples(pq([2000, 1000, 500])), hdr.PQ, is_bt2020=False)[0, 0]
        light = ((found.astype(float) + 0.055) / 1.055) ** 2.4
        np.testing.assert_allclose(light / light[0], [1, 0.5, 0.25], rtol=0.01)


if __name__ == "__main__":
    absltest.main()
