"""video.py: films painted, stopped, killed and resumed."""

import contextlib
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest, parameterized
from PIL import Image
from testing import films
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, cut
from testing.scripts import DEFAULTS, SMALL, ScriptTest, file_size_limit, options

from nst_tf import InputError
from nst_tf.cli import app, video
from nst_tf.video import optimization
from nst_tf.video.frame_store import FrameStore
from nst_tf.video.optimization import OptimizationPainter

COUNT = 12
SETTINGS = replace(SMALL, size=64)


def pan(count=COUNT):
    """A film whose picture moves by 2 pixels a frame, uint8."""
    whole = (cut(PHOTOGRAPH, 48, 64 + 2 * count) * 255).round().astype(np.uint8)
    return [np.ascontiguousarray(whole[:, 2 * i : 2 * i + 64]) for i in range(count)]


class VideoTest(ScriptTest):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "painted.mp4"
        self.film = films.write(self.folder / "film.mp4", pan(), sound=["aac"])

    def paint(self, settings=SETTINGS, **changes):
        given = {"content": self.film, "style": [str(PAINTING)], "output": self.output}
        given |= {"method": "fast", "frames_dir": self.folder / "frames"} | changes
        return self.call(video.paint, options(video, **given), settings)

    def frames(self, folder="frames"):
        """The bytes of the painted frames."""
        return [path.read_bytes() for path in sorted(Path(self.folder, folder).glob("*.png"))]

    def failing(self, after, error):
        """Fails after so many frames."""
        write, count = FrameStore.write, iter(range(after))

        def failing(*arguments):
            if next(count, None) is None:
                raise error
            write(*arguments)

        return mock.patch.object(FrameStore, "write", failing)

    @contextlib.contextmanager
    def interrupted(self, after):
        with self.failing(after, KeyboardInterrupt), mock.patch.object(app, "_signals", [2]):
            with mock.patch.object(app, "interruptible", iter):
                yield


class PaintTest(VideoTest):
    def test_a_film_with_its_sound(self):
        out, errors = self.paint(frames_dir=None)
        self.assertEqual(errors, "")
        self.assertRegex(
            out, r"frame 12 of 12; 0:00:00 left\npainted .*painted.mp4: 12 frames in 0:"
        )
        self.assertEqual(films.hashes(self.output), films.hashes(self.film))
        self.assertEqual(films.stamps(self.output), films.stamps(self.film))
        self.assertEqual(films.duration(self.output), films.duration(self.film))
        # The frames went when the film was there.
        self.assertCountEqual(self.folder.iterdir(), [self.output, Path(self.film)])

    def test_frames_that_are_kept_are_the_films(self):
        self.paint()
        self.assertLen(self.frames(), COUNT)
        for index, level in enumerate(films.levels(self.output), 1):
            with Image.open(self.folder / "frames" / f"{index:05d}.png") as frame:
                self.assertEqual(frame.size, (64, 48))
                self.assertAlmostEqual(np.asarray(frame).mean(), level, delta=3)

    def test_an_animated_picture_comes_out_as_one(self):
        for ending in ("gif", "webp", "png"):
            first, *rest = map(Image.fromarray, pan(3))
            content = self.folder / f"in.{ending}"
            first.save(content, save_all=True, append_images=rest, duration=[80, 120, 200], loop=0)
            output = self.folder / f"out.{ending}"
            self.paint(content=content, output=output, frames_dir=None)
            with Image.open(output) as painted:
                self.assertEqual(painted.n_frames, 3, ending)
                durations = []
                for index in range(3):
                    painted.seek(index)
                    painted.load()
                    durations.append(painted.info["duration"])
            self.assertEqual(durations, [80, 120, 200], ending)

    @parameterized.parameters({}, {"keyframes": 3}, {"passes": 2}, {"temporal_weight": 0.0})
    def test_by_optimization(self, **changes):
        self.paint(method="optimize", frame_steps=2, **changes)
        self.assertLen(self.frames(), COUNT)
        self.assertLen({*self.frames()}, COUNT)

    def test_a_second_pass_goes_backwards_from_what_the_first_has_made(self):
        self.paint()
        once = self.frames()
        self.paint(passes=2, frames_dir=self.folder / "twice")
        self.assertEqual(self.frames("twice/pass1"), once)
        self.assertEqual(self.frames("twice")[-1], once[-1])
        for one, two in zip(once[:-1], self.frames("twice")[:-1], strict=True):
            self.assertNotEqual(one, two)

    def test_colors_matched_to_a_film_do_not_waver(self):
        """Each shot takes the painting in the colors of its first frame."""
        painter = OptimizationPainter([], replace(SETTINGS, color="match"))
        style = mock.Mock(rgb=cut(PAINTING, 48, 64))
        painter._styles = [style]
        with mock.patch("nst_tf.video.optimization.replace", lambda style, rgb: rgb):
            painter.skip(cut(PHOTOGRAPH, 48, 64), first=True)
            (matched,) = painter._shot_styles
            painter.skip(np.zeros((48, 64, 3), np.float32), first=False)
            self.assertIs(painter._shot_styles[0], matched)
        target = cut(PHOTOGRAPH, 48, 64)
        np.testing.assert_allclose(matched.mean((0, 1)), target.mean((0, 1)), atol=0.03)

    def test_the_flags_have_the_painters_defaults(self):
        values = DEFAULTS["video"]["frame_steps"], DEFAULTS["video"]["temporal_weight"]
        self.assertEqual(values, (optimization.STEPS, optimization.TEMPORAL_WEIGHT))

    def test_mistakes_are_found_before_the_first_frame(self):
        with self.refused(self.film, "would overwrite"):
            self.paint(output=self.film)
        with self.refused("painted.txt", ".mp4"):
            self.paint(output=self.folder / "painted.txt")
        with self.refused("size=16", "--size="):
            self.paint(replace(SETTINGS, size=16))
        with self.refused("start=9", "0.48"):
            self.paint(start=9.0)
        with self.refused("scripts/stylize.py"):
            self.paint(content=PHOTOGRAPH)
        with self.refused("init=", "content or noise"):
            self.paint(replace(SETTINGS, init=str(PHOTOGRAPH)))
        with self.refused("tv_weight: method=fast takes no such setting"):
            arguments = options(video, content=self.film, style=[PAINTING], output=self.output)
            self.call(video.paint, replace(arguments, method="fast"), SETTINGS, 1.0, ["tv_weight"])
        Image.fromarray(pan(1)[0]).save(self.folder / "1.png")
        with self.refused("would be one of the frames"):
            self.paint(content=self.folder, output=self.folder / "painted.gif")


class ResumeTest(VideoTest):
    @parameterized.parameters({}, {"passes": 2}, {"method": "optimize", "frame_steps": 2})
    def test_stopped_and_resumed_gives_the_same_frames(self, **changes):
        self.paint(frames_dir=self.folder / "whole", **changes)
        film = self.output.read_bytes()
        with self.interrupted(3), self.assertRaises(KeyboardInterrupt) as caught:
            self.paint(**changes)
        line = f"on the way; wrote 3 frames to {self.output}; --frames_dir={self.folder}/frames "
        self.assertStartsWith(str(caught.exception), f"{line}--resume ")
        self.assertLen(films.stamps(self.output), 3)
        # As much sound as there are frames.
        sound = films.hashes(self.output)
        self.assertEqual(sound, films.hashes(self.film)[: len(sound)])
        self.assertLess(len(sound), len(films.hashes(self.film)))
        out, _ = self.paint(resume=True, **changes)
        self.assertIn(f"3 frames are there in {self.folder}/frames\n", out)
        self.assertEqual(self.frames(), self.frames("whole"))
        self.assertEqual(self.output.read_bytes(), film)

    def test_what_other_runs_have_painted_is_not_mixed_in(self):
        self.paint()
        with self.refused("frames_dir=", "--resume"):
            self.paint()
        with self.refused("frames_dir=", "size=80 instead of 64"):
            self.paint(replace(SETTINGS, size=80), resume=True)
        other = films.write(self.folder / "other.mp4", pan(3))
        with self.refused("frames_dir=", "film="):
            self.paint(content=other, resume=True)
        with self.refused("frames_dir=", "other files"):
            self.paint(frames_dir=self.folder)

    def test_a_mistake_does_not_lock_out_the_command_that_mends_it(self):
        with self.refused("no such file"):
            self.paint(style=["none.jpg"])
        with self.refused("style_blend=1,2"):
            self.paint(style_blend=["1", "2"])
        with self.failing(0, InputError("full")), self.assertRaisesRegex(InputError, "^full$"):
            self.paint()
        self.paint(passes=2)

    def test_a_damaged_frame_is_painted_again(self):
        self.paint()
        whole = self.frames()
        Path(self.folder, "frames", "00003.png").write_bytes(whole[2][:200])
        _, errors = self.paint(resume=True)
        self.assertIn("00003.png: is damaged", errors)
        self.assertEqual(self.frames(), whole)

    @parameterized.parameters({"keyframes": 2}, {"color": "match"})
    def test_a_second_pass_that_is_stopped_and_resumed(self, keyframes=1, **settings):
        settings = replace(SETTINGS, **settings)
        options = {"method": "optimize", "frame_steps": 2, "passes": 2, "keyframes": keyframes}
        self.paint(settings, frames_dir=self.folder / "whole", **options)
        with self.interrupted(COUNT + 3), self.assertRaises(KeyboardInterrupt):
            self.paint(settings, **options)
        self.paint(settings, resume=True, **options)
        self.assertEqual(self.frames(), self.frames("whole"))

    def test_two_runs_do_not_write_to_one_folder(self):
        self.paint()
        with mock.patch.object(video, "FrameStore", side_effect=FrameStore) as stores:
            self.paint(resume=True)
            inputs = stores.call_args
        with contextlib.closing(FrameStore(*inputs.args, **inputs.kwargs)):
            with self.refused("another run writes to it"):
                self.paint(resume=True)

    def test_a_full_disk_keeps_what_there_is(self):
        full = InputError("frames/00003.png: cannot be written (No space left on device)")
        with self.failing(2, full), self.assertRaises(InputError) as caught:
            self.paint()
        self.assertIn("(No space left on device); wrote 2 frames", str(caught.exception))
        self.assertLen(self.frames(), 2)
        self.assertLen(films.stamps(self.output), 2)

    def test_a_film_that_cannot_be_written_leaves_the_frames(self):
        with file_size_limit(12_000), self.assertRaises(InputError) as caught:
            self.paint(crf=0)
        self.assertIn(str(self.output), str(caught.exception))
        self.assertIn("--resume goes on with the frames in", str(caught.exception))
        self.assertLen(self.frames(), COUNT)
        self.assertFalse(self.output.exists())

    def test_our_own_faults_stay_as_they_are(self):
        with self.failing(2, ZeroDivisionError("ours")), self.assertRaises(ZeroDivisionError):
            self.paint()
        self.assertLen(films.stamps(self.output), 2)

    def test_before_the_first_frame_nothing_is_written(self):
        with self.failing(0, InputError("full")), self.assertRaisesRegex(InputError, "^full$"):
            self.paint()
        self.assertFalse(self.output.exists())


@pytest.mark.slow
class KillTest(VideoTest):
    def run_and_kill(self, folder, count):
        """Run the script, and kill it when it has painted so many frames."""
        command = [sys.executable, ROOT / "scripts" / "video.py", f"--content={self.film}"]
        command += [f"--style={PAINTING}", f"--output={self.output}", "--size=64", "--steps=2"]
        command += ["--frame_steps=2", f"--frames_dir={folder}", "--resume"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None and len([*Path(folder).glob("0*.png")]) < count:
                time.sleep(0.01)
            process.kill()
            process.communicate()

    def test_killed_three_times_and_resumed_it_is_the_same_film(self):
        self.run_and_kill(self.folder / "whole", 1000)
        film = self.output.read_bytes()
        self.output.unlink()
        for count in (1, 5, 9):
            self.run_and_kill(self.folder / "killed", count)
            self.assertFalse(self.output.exists())
        self.run_and_kill(self.folder / "killed", 1000)
        self.assertLen(self.frames("whole"), COUNT)
        self.assertEqual(self.frames("killed"), self.frames("whole"))
        self.assertEqual(self.output.read_bytes(), film)


if __name__ == "__main__":
    absltest.main()
