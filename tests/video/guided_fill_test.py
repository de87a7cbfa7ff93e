import numpy as np
from absl.testing import absltest
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.video.guided_fill import guided_fill


class GuidedFillTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 64, 96)
        self.known = np.ones((64, 96), np.float32)
        self.known[20:40, 30:60] = 0

    def test_what_is_known_stays_and_what_is_unknown_does_not_count(self):
        painted = np.random.default_rng(0).random(self.content.shape, np.float32)
        filled = guided_fill(painted, self.known, self.content)
        np.testing.assert_array_equal(filled[self.known > 0], painted[self.known > 0])
        other = np.where(self.known[..., np.newaxis] > 0, painted, 0.7).astype(np.float32)
        np.testing.assert_allclose(guided_fill(other, self.known, self.content), filled, atol=1e-5)

    def test_a_linear_map_of_the_content_goes_on_into_a_hole(self):
        gray = self.content @ np.array([0.299, 0.587, 0.114], np.float32)
        painted = np.stack([0.9 - 0.6 * gray, 0.2 + 0.5 * gray, 0.4 + 0 * gray], -1)
        for hole in (np.s_[20:40, 30:60], np.s_[:, 40:]):
            known = np.ones_like(gray)
            known[hole] = 0
            filled = guided_fill(painted * known[..., np.newaxis], known, self.content)
            self.assertLess(np.abs(filled - painted).mean(), 0.02)

    def test_without_anything_known_it_is_the_content(self):
        filled = guided_fill(
            np.zeros_like(self.content), np.zeros((64, 96), np.float32), self.content
        )
        np.testing.assert_array_equal(filled, self.content)


if __name__ == "__main__":
    absltest.main()
