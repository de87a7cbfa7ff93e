import numpy as np
from absl.testing import absltest
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf.images.pixels import to_float, to_uint
from nst_tf.video.frame_by_frame import paint
from nst_tf.video.history import Carried


class Negative:
    """Paints a frame's negative, and notes what it was given."""

    distances = (1, 2, 4)

    def __init__(self):
        self.calls = []
        self.carried: list[Carried] = []

    def first(self, content):
        self.calls.append("first")
        return 1 - content

    def next(self, content, carried, earlier=None):
        self.calls.append("next")
        self.carried.append(carried)
        return 1 - content

    def skip(self, content, *, first):
        self.calls.append("skip first" if first else "skip next")


class Keeping(Negative):
    """Keeps what is carried to a frame, as far as it is trusted."""

    def next(self, content, carried, earlier=None):
        trust = carried.trust[..., np.newaxis]
        return trust * carried.rgb + (1 - trust) * super().next(content, carried)


def pan(path, count, step=3):
    whole = cut(path, 80, 112 + step * count)
    return [whole[:, step * index : step * index + 112] for index in range(count)]


class FrameByFrameTest(absltest.TestCase):
    def test_frames_are_carried_along_the_motion(self):
        painter, contents = Negative(), pan(PHOTOGRAPH, 4)
        frames = list(paint(contents, painter))
        self.assertEqual(painter.calls, ["first", "next", "next", "next"])
        for content, carried in zip(contents[1:], painter.carried, strict=True):
            self.assertGreater(carried.trust[:, :-12].mean(), 0.7)
            trusted = carried.trust > 0
            error = (carried.rgb - (1 - content))[trusted]
            self.assertLess(np.sqrt(np.mean(error**2)), 0.03)
        for content, frame in zip(contents, frames, strict=True):
            np.testing.assert_array_equal(frame, to_float(to_uint(1 - content, np.uint8)))

    def test_a_cut_begins_another_shot(self):
        contents = [*pan(PHOTOGRAPH, 3), *pan(PAINTING, 2), *pan(PHOTOGRAPH, 1)]
        painter = Negative()
        list(paint(contents, painter))
        self.assertEqual(painter.calls, ["first", "next", "next", "first", "next", "first"])

    def test_a_fade_does_not_keep_what_was_painted_on_black(self):
        scene = cut(PHOTOGRAPH, 80, 112)
        for before in (np.zeros_like(scene), cut(PAINTING, 80, 112)):
            levels = [*np.linspace(0, 1, 13), *[1.0] * 6]
            contents = [
                (level * scene + (1 - level) * before).astype(np.float32) for level in levels
            ]
            painter = Keeping()
            *_, last = paint(contents, painter)
            self.assertGreater(np.corrcoef(last.ravel(), 1 - scene.ravel())[0, 1], 0.9)

    def test_what_was_hidden_comes_from_frames_further_back(self):
        """An object covers the middle for three frames; then it is as it was before."""
        still = cut(PHOTOGRAPH, 80, 112)
        covered = still.copy()
        covered[20:60, 40:72] = cut(PAINTING, 40, 32)
        painter = Negative()
        list(paint([still, still, covered, covered, covered, still], painter))
        last, middle = painter.carried[-1], np.s_[26:54, 46:66]
        self.assertGreater(last.trust[middle].mean(), 0.9)
        trusted = last.trust[middle] > 0
        error = (last.rgb - (1 - still))[middle][trusted]
        self.assertLess(np.abs(error).max(), 0.03)

    def test_a_run_that_goes_on_is_given_what_the_whole_run_is(self):
        contents, whole, rest = pan(PHOTOGRAPH, 5), Negative(), Negative()
        frames = list(paint(contents, whole))
        again = list(paint(contents, rest, painted=lambda i: frames[i] if i < 3 else None))
        self.assertEqual(rest.calls, ["skip first", "skip next", "skip next", "next", "next"])
        for one, other in zip(whole.carried[2:], rest.carried, strict=True):
            np.testing.assert_array_equal(one.rgb, other.rgb)
            np.testing.assert_array_equal(one.trust, other.trust)
        np.testing.assert_array_equal(frames, again)


if __name__ == "__main__":
    absltest.main()
