import numpy as np
from absl.testing import absltest
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.video import optical_flow


def constant(x, y, height=8, width=10):
    return np.full((height, width, 2), (x, y), np.float32)


class OpticalFlowTest(absltest.TestCase):
    def test_warp_takes_each_pixel_from_where_the_flow_leads(self):
        image = np.random.default_rng(0).random((8, 10, 3), np.float32)
        warped = optical_flow.warp(image, constant(2, -1))
        np.testing.assert_allclose(warped[1:, :-2], image[:-1, 2:], atol=1e-6)
        # Outside is the edge.
        np.testing.assert_allclose(warped[1:, -1], image[:-1, -1], atol=1e-6)

    def test_a_shift_is_found_and_trusted(self):
        whole = cut(PHOTOGRAPH, 100, 130)
        before, after = whole[:96, :120], whole[2:98, 5:125]
        flow, trust = optical_flow.motion(optical_flow.gray(after), optical_flow.gray(before))
        inner = np.s_[10:-10, 10:-10]
        off = np.abs(flow - (5, 2)).max(axis=-1)[inner]
        self.assertLess(np.median(off), 0.2)
        self.assertGreater(trust[inner].mean(), 0.8)
        # What is trusted is right.
        self.assertLess(off[trust[inner] > 0].max(), 1.0)

    def test_what_leads_outside_is_not_trusted(self):
        trust = optical_flow.trust(constant(3, -2), constant(-3, 2))
        expected = np.ones((8, 10))
        expected[:2], expected[:, -3:] = 0, 0
        np.testing.assert_array_equal(trust, expected)

    def test_flows_that_disagree_are_not_trusted(self):
        # The flow and the flow back may differ by |w + ŵ|² = 0.01 (|w|² + |ŵ|²) + 0.5.
        still = constant(0, 0)
        for off, expected in ((0.70, 1), (0.72, 0)):
            trust = optical_flow.trust(still, constant(off, 0))
            self.assertEqual(set(trust.ravel()), {expected}, off)
        for off, expected in ((1.0, 1), (1.7, 0)):
            trust = optical_flow.trust(constant(-6, 0, width=40), constant(6 + off, 0, width=40))
            self.assertEqual(trust[4, 20], expected, off)

    def test_a_motion_boundary_is_not_trusted(self):
        # From |∇w|² = 0.01 |w|² + 0.002 on.
        for slope, expected in ((0.04, 1), (0.05, 0)):
            flow = np.zeros((30, 60, 2), np.float32)
            flow[..., 0] = slope * (np.arange(60) - 30)
            trust = optical_flow.trust(flow, -flow)
            self.assertEqual(trust[15, 30], expected, slope)


if __name__ == "__main__":
    absltest.main()
