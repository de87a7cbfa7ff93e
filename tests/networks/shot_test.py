from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf.networks import stylization, stylization_strips
from nst_tf.networks.shot import Shot


class ShotTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = stylization.StylizationNetwork(stylization.read_weights())
        cls.bottleneck = cls.network.bottleneck(cut(PAINTING, 256, 300)[np.newaxis])
        cls.first = cut(PHOTOGRAPH, 40, 200)[np.newaxis]
        # Something brighter enters at the right.
        cls.second = cls.first.copy()
        cls.second[:, :, 180:] **= 0.7

    def frames(self, shot, method="transform"):
        run = getattr(shot, method)
        return [run(self.network, each, self.bottleneck) for each in (self.first, self.second)]

    def test_frames_with_their_own_moments_are_painted_alone(self):
        for content, frame in zip((self.first, self.second), self.frames(Shot(1.0)), strict=True):
            self.assertAllClose(frame, self.network.transform(content, self.bottleneck), atol=1e-5)

    def test_the_first_frame_takes_its_own_moments(self):
        alone = self.network.transform(self.first, self.bottleneck)
        self.assertAllClose(self.frames(Shot(0.0))[0], alone, atol=1e-5)

    def test_what_enters_changes_the_rest_less(self):
        changes = []
        for rate in (1.0, 0.0):
            first, second = self.frames(Shot(rate))
            # Where the network does not see the change but through the moments.
            changes.append(np.abs(second - first)[:, :, :110].mean())
        self.assertGreater(changes[0], 1e-3)
        self.assertLess(changes[1], changes[0] / 5)

    def test_moments_move_by_the_rate(self):
        moments = {}
        for rate in (0.0, 0.25, 1.0):
            shot = Shot(rate)
            self.frames(shot)
            moments[rate] = shot.moments
        # Of the first normalization: later ones take what those before them make of the moments.
        for kept, moved, own in zip(*(each[0] for each in moments.values()), strict=True):
            self.assertAllClose(moved, 0.75 * kept + 0.25 * own, atol=1e-5)
        self.assertLen(moments[0.25], 13)

    def test_after_black_the_moments_are_near_those_of_the_frame(self):
        shot, alone = Shot(0.0), Shot(1.0)
        shot.transform(self.network, tf.zeros_like(self.first), self.bottleneck)
        for each in (shot, alone):
            each.transform(self.network, self.first, self.bottleneck)
        mean, variance = (each.numpy() for each in shot.moments[0])
        own_mean, own_variance = (each.numpy() for each in alone.moments[0])
        deviation = np.sqrt(own_variance)
        self.assertLessEqual(np.max(np.abs(mean - own_mean) / deviation), 0.5 + 1e-4)
        self.assertAllInRange(variance / own_variance, 0.5 - 1e-4, 2 + 1e-4)

    @parameterized.parameters(0.0, 0.3)
    def test_strips_equal_the_whole_frame(self, rate):
        with mock.patch.multiple(stylization_strips, _STRIP_PIXELS=2**11, _MIN_ROWS=1):
            found = self.frames(Shot(rate), "transform_strips")
        self.assertAllClose(found, self.frames(Shot(rate)), atol=1e-4)

    def test_the_own_style_is_that_of_the_first_frame(self):
        shot = Shot(0.3)
        own = [shot.embed_once(self.network.bottleneck, each) for each in (self.first, self.second)]
        self.assertAllEqual(own[1], self.network.bottleneck(self.first))
        self.assertAllEqual(*own)


if __name__ == "__main__":
    tf.test.main()
