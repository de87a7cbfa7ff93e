from dataclasses import replace

import numpy as np
from absl.testing import absltest, parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut
from testing.scripts import SMALL

from nst_tf import Style, stylize
from nst_tf.run.session import Session
from nst_tf.video.history import Carried
from nst_tf.video.optimization import OptimizationPainter


class OptimizationTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.session = Session()
        cls.content, cls.styles = cut(PHOTOGRAPH, 50, 70), [Style(cut(PAINTING, 60, 80))]

    def painter(self, settings=SMALL, **options):
        return OptimizationPainter(self.styles, settings, session=self.session, **options)

    def carried(self, trust):
        rgb = cut(PHOTOGRAPH, 50, 70)[::-1].copy()
        return Carried(rgb, np.full(rgb.shape[:2], trust, np.float32))

    def test_the_first_frame_is_a_photograph_of_the_films_size(self):
        painted = self.painter().first(self.content)
        expected = stylize(self.content, self.styles, replace(SMALL, size=70))
        np.testing.assert_array_equal(painted, expected)

    def test_more_weight_holds_a_frame_nearer_to_those_before(self):
        carried, distances = self.carried(1.0), []
        for weight in (0.0, 10.0, 1000.0):
            painter = self.painter(temporal_weight=weight, steps=8)
            painter.skip(self.content, first=True)
            painted = painter.next(self.content, carried)
            distances.append(np.square(painted - carried.rgb).mean())
        self.assertLess(distances[1], 0.9 * distances[0])
        self.assertLess(distances[2], 0.9 * distances[1])

    @parameterized.parameters((50, 70), (36, 90), (33, 32))
    def test_what_is_new_is_painted_and_not_what_was_carried(self, height, width):
        content = cut(PHOTOGRAPH, height, width)
        trust = np.ones((height, width), np.float32)
        trust[:, : width // 3] = 0
        level = np.where(trust > 0, 0.3, 0.9).astype(np.float32)
        carried = Carried(np.repeat(level[..., np.newaxis], 3, axis=-1), trust)
        painter = self.painter(keyframes=2)
        painter.skip(content, first=True)
        painted = painter.next(content, carried)
        self.assertEqual(painted.shape, content.shape)
        # Between key frames, what was carried stays; nothing of what it means nothing is left.
        np.testing.assert_allclose(painted[trust > 0], 0.3, atol=1e-6)
        self.assertGreater(np.abs(painted[trust == 0] - 0.9).mean(), 0.2)
        keyframe = painter.next(content, carried)
        self.assertGreater(np.abs(keyframe[trust > 0] - 0.3).max(), 1e-3)

    @parameterized.parameters("style", "luminance", "match")
    def test_colors(self, color):
        painter = self.painter(replace(SMALL, color=color))
        first = painter.first(self.content)
        painted = painter.next(self.content, Carried(first, self.carried(0.5).trust))
        self.assertEqual(painted.shape, self.content.shape)
        self.assertBetween(painted.min(), 0, 1)

    def test_an_earlier_pass_is_blended_with_its_neighbor(self):
        painter = self.painter(keyframes=2)
        painter.skip(self.content, first=True)
        carried, earlier = self.carried(0.0), np.full_like(self.content, 0.5)
        carried.trust[:, 35:] = 1
        half = Carried(np.full_like(self.content, 0.7), carried.trust)
        painted = painter.next(self.content, half, earlier)
        # Half of each where both are known, also between key frames.
        np.testing.assert_allclose(painted[:, 35:], 0.6, atol=1e-6)


if __name__ == "__main__":
    absltest.main()
