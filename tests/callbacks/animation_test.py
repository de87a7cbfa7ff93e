import math
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.runs import fake_run

from nst_tf import InputError
from nst_tf.callbacks import animation
from nst_tf.callbacks.animation import Animation, Frame
from nst_tf.callbacks.base import notify


def chosen(totals, count):
    """The numbers of the frames that are chosen of a run with these losses."""
    frames = [
        Frame(math.log(totals[0] / total), np.full((2, 2, 3), number, np.uint8))
        for number, total in enumerate(totals)
    ]
    return [picture[0, 0, 0] for picture in animation.choose(frames, count)]


class ChooseTest(tf.test.TestCase):
    def test_frames_are_even_in_the_fall_of_the_loss(self):
        taken = chosen([1.0, 0.5, 0.25, 0.125, *np.linspace(0.124, 0.0625, 60)], 9)
        self.assertEqual((taken[0], taken[-1]), (0, 63))
        # The first three steps take three quarters of the fall.
        self.assertEqual(taken[1:4], [1, 2, 3])
        self.assertEqual(taken, sorted({*taken}))

    def test_no_frame_twice_even_where_the_loss_does_not_fall(self):
        taken = chosen([1.0] * 20 + [0.5], 10)
        self.assertLen({*taken}, 10)
        self.assertEqual((taken[0], taken[-1]), (0, 20))
        self.assertEqual(chosen([1.0, 0.5], 10), [0, 1])


class AnimationTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def record(self, run, frames, ending=".gif"):
        path = self.folder / f"run{ending}"
        list(notify(run, [Animation(path, frames)]))
        return path

    def test_few_frames_are_held_with_the_first_and_the_last(self):
        totals = np.geomspace(1, 1e-3, 60).tolist()
        with mock.patch.object(animation, "choose", wraps=animation.choose) as choose:
            # A rise at the next scale or of a rejected trial is no fall.
            self.record(fake_run(totals, [9.0, 30.0, 3.0], rejected=(61,)), frames=4)
        frames, _ = choose.call_args.args
        self.assertLen(frames, 12)
        falls = [frames[0].log_fall, frames[-1].log_fall]
        self.assertAllClose(falls, [0, math.log(1000) + math.log(3)])

    @parameterized.parameters(".gif", ".webp")
    def test_has_the_frames_asked_for_and_loops(self, ending):
        run = fake_run(np.geomspace(8, 1, 20).tolist(), size=(32, 48))
        with Image.open(self.record(run, 7, ending)) as opened:
            self.assertEqual((opened.n_frames, opened.size, opened.info["loop"]), (7, (48, 32), 0))
            opened.seek(6)
            last = np.asarray(opened.convert("RGB")) / 255
            self.assertAllClose(last, np.full((32, 48, 3), 19 / 64), atol=0.03)
            self.assertGreater(opened.info["duration"], 1000)

    def test_mp4(self):
        import av

        path = self.record(fake_run(np.geomspace(8, 1, 20).tolist(), size=(32, 48)), 7, ".mp4")
        with av.open(str(path)) as opened:
            decoded = [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]
        self.assertLen(decoded, 7 + 24)
        self.assertAllClose(decoded[-1] / 255, np.full((32, 48, 3), 19 / 64), atol=0.03)

    def test_of_a_run_that_is_left_without_rejected_trials(self):
        path = self.folder / "run.gif"
        run = notify(fake_run([5.0, 4.0, 6.0, 3.0, 2.0], rejected=(2,)), [Animation(path, 60)])
        for _ in range(4):
            next(run)
        run.close()
        with Image.open(path) as opened:
            self.assertEqual(opened.n_frames, 3)

    @parameterized.parameters(*animation.FORMATS)
    def test_a_run_whose_picture_never_changes_is_one_frame(self, ending):
        path = self.record(fake_run([1.0, 1.0, 1.0], rejected=(1, 2)), 60, ending)
        if ending == ".mp4":
            self.assertTrue(path.is_file())
            return
        with Image.open(path) as opened:
            self.assertEqual((opened.n_frames, opened.size), (1, (8, 8)))

    @parameterized.parameters(1, 5, 12, 20)
    def test_of_a_run_that_is_resumed_is_that_of_the_whole_run(self, steps):
        totals = np.geomspace(8, 1, 12).tolist(), [9.0, 5.0, 6.0, 3.0, 2.5, 2.0, 1.5, 1.0]
        whole = self.record(fake_run(*totals), 5).read_bytes()
        run = list(fake_run(*totals))
        first = Animation(self.folder / "first.gif", 5)
        list(notify(run[:steps], [first]))
        # At its end a run shows once more how it ended.
        second = Animation(self.folder / "second.gif", 5, arrays=first.arrays())
        list(notify(run[steps:] or run[-1:], [second]))
        self.assertEqual((self.folder / "second.gif").read_bytes(), whole)

    def test_what_is_hidden_is_white(self):
        path = Path(self.create_tempdir().full_path, "film.gif")
        alpha = np.zeros((16, 16), np.float32)
        alpha[:8] = 1
        list(notify(fake_run([2.0, 1.0], size=(16, 16)), [Animation(path, 9, alpha=alpha)]))
        with Image.open(path) as film:
            first = np.asarray(film.convert("RGB"))
        self.assertAllEqual(first[10:], np.full((6, 16, 3), 255))
        self.assertLess(first[:6].max(), 255)

    def test_large_pictures_are_shrunk_to_even_sides(self):
        with Image.open(self.record(fake_run([2.0, 1.0], size=(301, 1000)), 60)) as opened:
            self.assertEqual(opened.size, (512, 154))

    def test_refusals(self):
        with self.assertRaisesRegex(InputError, "unknown ending '.avi'; expected one of .gif, "):
            animation.check("run.avi")
        with (
            mock.patch.dict("sys.modules", av=None),
            self.assertRaisesRegex(InputError, ".mp4 needs the package av"),
        ):
            animation.check("run.mp4")


if __name__ == "__main__":
    tf.test.main()
