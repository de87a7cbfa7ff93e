import cv2
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import feed_forward
from nst_tf.video.feed_forward import FastPainter, blend
from nst_tf.video.history import Carried


class ColorOfStyle(tf.Module):
    """A model without bottleneck."""

    def __call__(self, content, style):
        return [0.5 * (content + tf.reduce_mean(style, [1, 2], keepdims=True))]


def noise(seed, size=(64, 72)):
    return np.random.default_rng(seed).uniform(0.2, 0.8, (*size, 3)).astype(np.float32)


def detail(rgb):
    return (rgb - cv2.blur(rgb, (3, 3))).std()


class BlendTest(tf.test.TestCase):
    def test_what_is_not_trusted_is_painted_alone(self):
        painted, trust = noise(0), np.ones([64, 72], np.float32)
        trust[:, 36:] = 0
        for rgb in (np.full_like(painted, 1e6), np.zeros_like(painted)):
            rgb[:, :36] = noise(1)[:, :36]
            blended = blend(painted, Carried(rgb, trust))
            self.assertAllEqual(blended[:, 36:], painted[:, 36:])
            self.assertGreater(np.abs(blended - painted)[:, :30].mean(), 0.05)

    def test_what_is_trusted_is_held_to_the_carried(self):
        painted = np.full([64, 72, 3], 0.5, np.float32)
        blended = blend(painted, Carried(painted + 0.2, np.ones([64, 72], np.float32)))
        self.assertEqual(blended.dtype, np.float32)
        self.assertAllInRange(blended, 0.6, 0.68)

    def test_fine_strokes_keep_their_contrast(self):
        trust, frame = np.ones([64, 72], np.float32), noise(0)
        for seed in range(1, 12):
            frame = blend(noise(seed), Carried(frame, trust))
            self.assertBetween(detail(frame) / detail(noise(seed)), 0.7, 1.1)
            # No brighter and no darker than what was painted.
            self.assertAllInRange(frame, 0.2 - 1e-6, 0.8 + 1e-6)
        mean = np.mean([noise(seed) for seed in range(12)], axis=0)
        self.assertLess(detail(mean), 0.4 * detail(frame))

    def test_nothing_is_added_to_what_is_flat(self):
        flat = np.full([64, 72, 3], 0.3, np.float32)
        blended = blend(flat, Carried(flat, np.ones([64, 72], np.float32)))
        self.assertAllClose(blended, flat, atol=1e-5)


class FastPainterTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bundled = feed_forward.load("bundled")
        cls.other = feed_forward.FastStylizer(ColorOfStyle(), "other")
        cls.style = cut(PAINTING, 256, 300)[np.newaxis]
        cls.content = cut(PHOTOGRAPH, 40, 202)

    def carried(self, rgb, trust=1.0):
        return Carried(rgb, np.full(rgb.shape[:2], trust, np.float32))

    @parameterized.product(model=["bundled", "other"], strength=[1.0, 0.4])
    def test_the_first_frame_is_a_photograph(self, model, strength):
        model = getattr(self, model)
        painter = FastPainter(model, [self.style], [2.0], strength)
        alone = model.blend([self.style], [1.0])(self.content[np.newaxis], strength)[0]
        first = painter.first(self.content)
        self.assertEqual((first.shape, first.dtype), (self.content.shape, np.float32))
        self.assertAllClose(first, alone, atol=1e-5)
        # Also after another shot.
        painter.next(self.content[::-1] ** 2, self.carried(first))
        self.assertAllClose(painter.first(self.content), alone, atol=1e-5)

    @parameterized.parameters("bundled", "other")
    def test_noise_flickers_less(self, model):
        painter = FastPainter(getattr(self, model), [self.style], [1.0])
        generator = np.random.default_rng(0)
        contents = [
            np.float32(self.content + generator.normal(0, 2 / 255, self.content.shape)).clip(0, 1)
            for _ in range(6)
        ]
        alone = [painter.first(content) for content in contents]
        frames = [painter.first(contents[0])]
        for content in contents[1:]:
            frames.append(painter.next(content, self.carried(frames[-1])))
        flicker, before = (np.square(np.diff(each, axis=0)).mean() for each in (frames, alone))
        self.assertLess(flicker, before / 4)
        self.assertAllClose(frames[-1].mean(), alone[-1].mean(), rtol=0.02)

    def test_without_trust_the_moments_alone_are_kept(self):
        painter = FastPainter(self.bundled, [self.style], [1.0])
        other = self.content.copy()
        other[:, 180:] **= 0.7
        alone = painter.first(other)
        first = painter.first(self.content)
        kept = painter.next(other, self.carried(first, 0.0))
        # Where the network does not see the change but through the moments.
        changes = [np.abs(each - first)[:, :110].mean() for each in (alone, kept)]
        self.assertLess(changes[1], 0.7 * changes[0])

    def test_a_gray_film_in_a_gray_style_stays_gray(self):
        content, style = (
            np.repeat(each.mean(-1, keepdims=True), 3, -1) for each in (self.content, self.style)
        )
        painter = FastPainter(self.bundled, [style], [1.0])
        first = painter.first(content)
        second = painter.next(content[:, ::-1], self.carried(first, 0.7))
        self.assertLess(np.ptp(second, axis=-1).max(), 1e-5)
        self.assertGreater(second.std(), 0.01)

    def test_a_run_goes_on_after_frames_that_it_skips(self):
        painters = [FastPainter(self.bundled, [self.style], [1.0], 0.6) for _ in range(3)]
        contents = [self.content, self.content[:, ::-1], self.content[::-1] ** 2]
        first = painters[0].first(contents[0])
        painters[0].next(contents[1], self.carried(first, 0.5))
        for painter in painters[1:]:
            # Of another shot.
            painter.skip(contents[2], first=True)
        painters[1].skip(contents[0], first=True)
        painters[1].skip(contents[1], first=False)
        frames = [painter.next(contents[2], self.carried(first, 0.5)) for painter in painters]
        self.assertAllEqual(*frames[:2])
        self.assertGreater(np.abs(frames[2] - frames[0]).max(), 1e-3)

    def test_a_further_pass_blends_what_the_first_has_painted(self):
        painter = FastPainter(self.bundled, [self.style], [1.0])
        earlier, carried = noise(0), self.carried(noise(1), 0.5)
        frame = painter.next(noise(2), carried, earlier)
        self.assertAllEqual(frame, blend(earlier, carried))

    def test_a_wrong_strength_is_refused(self):
        painter = FastPainter(self.bundled, [self.style], [1.0], 1.5)
        with self.assertRaisesRegex(feed_forward.InputError, "strength=1.5"):
            painter.first(self.content)


if __name__ == "__main__":
    tf.test.main()
