"""Runs of stylize.py that are stopped, killed, resumed and repeated."""

import contextlib
import itertools
import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from absl.testing import absltest, parameterized
from testing import signaled
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT
from testing.scripts import SMALL
from testing.stylize import StylizeTest

from nst_tf import InputError, coarse_to_fine
from nst_tf.cli import app, painting
from nst_tf.images import image_io
from nst_tf.run import record

SCRIPT = ROOT / "scripts" / "stylize.py"
IMAGES = [f"--content={PHOTOGRAPH}", f"--style={PAINTING}"]
SETTINGS = ["--size=96", "--scales=2", "--steps=6"]
STEPS = [(0, step) for step in range(6)] + [(1, step) for step in range(3)]


def paint(*command):
    found = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=300)
    return found.returncode, found.stdout, found.stderr


class RepeatTest(StylizeTest):
    def test_from_a_record(self):
        settings = replace(SMALL, size=60)
        self.stylize(settings=settings)
        recorded, before = record.read(str(self.record)), self.output.read_bytes()
        out, _ = self.stylize((), recorded, settings=settings)
        self.assertNotIn("the record:", out)
        self.assertEqual(self.output.read_bytes(), before)
        # The plan is the record's, not a new one.
        recorded["plan"]["scales"][0]["lbfgs_history"] = 3
        self.stylize((), recorded, settings=settings)
        self.assertEqual(record.read(str(self.record))["plan"], recorded["plan"])
        out, _ = self.stylize((), recorded | {"stopped": {}}, settings=replace(settings, steps=1))
        self.assertStartsWith(
            out,
            "the recorded run was stopped; this one goes to its end\n"
            "not the same as the record: steps=1 instead of 2\n",
        )
        out, _ = self.stylize((), recorded | {"continued": {}}, settings=settings)
        self.assertStartsWith(out, "the recorded picture was continued from an earlier one; ")


class InProcessTest(StylizeTest):
    settings = replace(SMALL, scales=2, steps=4, size=96, optimizer="lbfgs")
    steps = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]

    def failing(self, after, error):
        """A run that fails behind so many steps."""
        optimize = coarse_to_fine.optimize

        def run(*arguments, **given):
            yield from itertools.islice(optimize(*arguments, **given), after)
            raise error

        return mock.patch.object(coarse_to_fine, "optimize", run)

    def interrupted(self, after):
        """A run that a signal ends behind so many steps."""
        stack = contextlib.ExitStack()
        stack.enter_context(mock.patch.object(app, "interrupted", lambda: True))
        stack.enter_context(self.failing(after, KeyboardInterrupt()))
        return stack

    def stop(self, after, **given):
        with self.interrupted(after), self.assertRaises(KeyboardInterrupt) as caught:
            self.resume(**given)
        return str(caught.exception)

    def resume(self, **given):
        resumed = {"checkpoint": self.checkpoint, "resume": True, "loss_log": self.log}
        return self.stylize(settings=self.settings, **resumed | given)

    def test_stopped_and_resumed_gives_the_same_bytes(self):
        whole = self.folder / "whole.png"
        out, _ = self.stylize(
            settings=self.settings, output=whole, resume=True, checkpoint=self.folder / "new.ckpt"
        )
        self.assertStartsWith(out, "there is no checkpoint yet; starting afresh\n")
        message = self.stop(after=4)
        self.assertEqual(
            message,
            f"at step 4 of 4 at 48 x 36 px; wrote {self.output}; --resume continues from "
            f"{self.checkpoint}",
        )
        self.assertEqual(record.read(str(self.record))["stopped"], {"scale": 0, "steps": 4})
        self.assertEqual(image_io.read(self.output).rgb.shape, (36, 48, 3))
        self.assertStartsWith(self.stop(after=1), "at step 1 of 2 at 96 x 72 px; wrote ")
        out, _ = self.resume()
        self.assertStartsWith(out, f"continuing from {self.checkpoint}\n")
        self.assertEqual(self.output.read_bytes(), whole.read_bytes())
        self.assertEqual(self.steps_logged(), self.steps)
        self.assertNotIn("stopped", record.read(str(self.record)))

    def test_without_a_checkpoint_one_is_written_and_named(self):
        path = f"{self.output}.checkpoint"
        message = self.stop(after=2, checkpoint=None, resume=False)
        self.assertEndsWith(
            message, f"; wrote {self.output}; --checkpoint={path} --resume continues from {path}"
        )
        out, _ = self.resume(checkpoint=path)
        self.assertStartsWith(out, f"continuing from {path}\n")
        self.assertEqual(self.steps_logged(), self.steps)

    @parameterized.parameters("encode", "_write_record")
    def test_a_fault_in_writing_one_loses_none_of_the_others(self, function):
        owner = image_io if function == "encode" else painting.Painting
        self.settings = SMALL
        with mock.patch.object(owner, function, side_effect=MemoryError("no room")):
            message = self.stop(after=1)
            self.assertEndsWith(message, f"; no room; --resume continues from {self.checkpoint}")
            self.assertTrue(self.checkpoint.exists())
            self.assertEqual(self.output.exists(), function != "encode")
            self.assertEqual(self.record.exists(), function == "encode")
            # At the end it keeps its traceback.
            with self.assertRaisesRegex(MemoryError, "no room"):
                self.resume()
            self.assertEqual(self.output.exists(), function != "encode")
            self.assertEqual(self.record.exists(), function == "encode")
        if function == "encode":
            self.assertNotIn("stopped", record.read(str(self.record)))

    def test_the_checkpoint_of_a_run_without_one_takes_a_free_name(self):
        self.output = self.folder / "a picture.png"
        self.settings, first = SMALL, Path(f"{self.output}.checkpoint")
        first.write_text("my own notes")
        for number in (2, 3):
            path = f"{self.output}.{number}.checkpoint"
            message = self.stop(after=1, checkpoint=None, resume=False, loss_log=None)
            self.assertEndsWith(message, f"; --checkpoint='{path}' --resume continues from {path}")
        self.assertEqual(first.read_text(), "my own notes")
        self.assertEmpty([*self.folder.glob("*.previous")])

    def test_a_checkpoint_whose_name_would_be_too_long_is_left_under_another(self):
        self.output = self.folder / f"{'n' * 242}.png"
        self.settings = SMALL
        message = self.stop(after=1, checkpoint=None, resume=False)
        path = re.search(r"File name too long\); it is whole as (\S+); move it", message)[1]
        out, _ = self.resume(checkpoint=path)
        self.assertStartsWith(out, f"continuing from {path}\n")

    def test_the_film_of_a_resumed_run_is_that_of_the_whole_run(self):
        whole, film = self.folder / "whole.gif", self.folder / "film.gif"
        self.resume(animation=whole, checkpoint=self.folder / "new.ckpt")
        self.stop(after=3, animation=film)
        self.assertNotEqual(film.read_bytes(), whole.read_bytes())
        for _ in range(2):  # the second time at its end
            out, _ = self.resume(animation=film)
            self.assertNotIn("has no film", out)
            self.assertEqual(film.read_bytes(), whole.read_bytes())

    def test_a_film_that_a_resumed_run_cannot_have_is_told_of(self):
        self.stop(after=3)
        out, _ = self.resume(animation=self.folder / "film.gif")
        self.assertIn(f"{self.checkpoint} has no film; {self.folder}/film.gif begins here\n", out)

    def test_a_signal_after_the_last_step_stops_nothing(self):
        with self.interrupted(after=len(self.steps)):
            out, _ = self.resume()
        self.assertIn(f"painted {self.output}", out)
        self.assertNotIn("stopped", record.read(str(self.record)))

    def test_a_fault_after_the_last_step_does_not_make_the_record_say_stopped(self):
        with (
            self.failing(len(self.steps), ZeroDivisionError()),
            self.assertRaises(ZeroDivisionError),
        ):
            self.resume()
        self.assertNotIn("stopped", record.read(str(self.record)))

    def test_snapshots_of_another_run_are_refused_before_this_one(self):
        folder = self.folder / "snapshots"
        given = {"snapshots_dir": folder, "tensorboard_dir": self.folder / "events"}
        self.stop(after=3, snapshots_dir=folder, loss_log=None)
        self.resume(**given)
        shutil.rmtree(self.folder / "events")
        self.checkpoint.unlink()
        self.log.unlink()
        with self.refused(f"snapshots_dir={folder}: has the snapshots of another run"):
            self.stylize(settings=self.settings, loss_log=self.log, **given)

    def test_snapshots_of_a_run_that_had_no_checkpoint_yet_let_the_same_command_go_on(self):
        self.settings, folder = SMALL, self.folder / "snapshots"
        given = {"snapshots_dir": folder, "snapshot_every": 1, "checkpoint_every": 1e6}
        with self.failing(1, SystemExit()), self.assertRaises(SystemExit):  # as if killed
            self.resume(**given)
        self.assertFalse(self.checkpoint.exists())
        self.assertLen([*folder.iterdir()], 1)
        out, _ = self.resume(**given)
        self.assertStartsWith(out, "there is no checkpoint yet; starting afresh\n")
        self.assertLen([*folder.iterdir()], SMALL.steps)

    def test_before_the_first_step_nothing_is_written(self):
        self.assertEqual(self.stop(after=0), "")
        self.assertEqual(set(self.files()), {self.log})

    def test_a_failed_run_keeps_the_picture_from_before(self):
        with (
            self.failing(1, InputError("the loss is inf")),
            self.assertRaises(InputError) as caught,
        ):
            self.stylize()
        self.assertEqual(
            str(caught.exception), f"the loss is inf; from before that: wrote {self.output}"
        )
        self.assertTrue(image_io.read(self.output).rgb.any())

    def test_our_own_faults_stay_as_they_are(self):
        fault = ZeroDivisionError("fault")
        with self.failing(1, fault), self.assertRaises(ZeroDivisionError) as caught:
            self.stylize()
        self.assertIs(caught.exception, fault)
        self.assertTrue(self.output.is_file())


@pytest.mark.slow
class ProcessTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.output = self.folder / "out.png"
        self.log = self.folder / "losses.jsonl"
        self.flags = [
            *(*IMAGES, *SETTINGS, f"--output={self.output}", f"--loss_log={self.log}"),
            *(f"--checkpoint={self.folder}/run.ckpt", "--checkpoint_every=0", "--resume"),
            *(f"--animation={self.folder}/film.gif", f"--tensorboard_dir={self.folder}/events"),
            *(f"--snapshots_dir={self.folder}/snapshots", "--snapshot_every=1"),
        ]

    def paint_and_signal(self, number, *call):
        """Run until the nth call of a function, which sends a signal."""
        module, function, count = call
        harness = [signaled.__file__, str(int(number)), module, function, str(count)]
        return paint(*harness, SCRIPT, *self.flags)

    def stopped(self, number, *call):
        """What it says on stderr behind the place where it was stopped."""
        status, _, errors = self.paint_and_signal(number, *call)
        self.assertEqual(status, 128 + number, errors)
        self.assertRegex(
            errors,
            r"\Astylize: stopped at step \d of \d at \d+ x \d+ px; wrote \S+/out.png; "
            r"--resume continues from \S+/run.ckpt\n\Z",
        )
        self.assertTrue(image_io.read(self.output).rgb.any())
        self.assertTrue((self.folder / "film.gif").exists())
        return errors

    def test_stopped_killed_and_resumed_gives_the_bytes_of_a_whole_run_and_so_does_its_record(self):
        whole = self.folder / "whole.png"
        status, _, errors = paint(SCRIPT, *IMAGES, *SETTINGS, f"--output={whole}")
        self.assertEqual((status, errors), (0, ""))

        # In a callback, which is not interrupted; at the start of a scale; and while a checkpoint
        # is written.
        callback = ("nst_tf.callbacks.loss_log", "LossLog.on_step", 3)
        self.assertIn("at step 3 of 6 at 48 x 36 px", self.stopped(signal.SIGINT, *callback))
        scale = ("nst_tf.run.scale_problem", "ScaleProblem.objective", 2)
        self.assertIn("at step 6 of 6 at 48 x 36 px", self.stopped(signal.SIGTERM, *scale))
        status, _, _ = self.paint_and_signal(signal.SIGKILL, "numpy", "savez", 2)
        self.assertEqual(status, -signal.SIGKILL)
        status, out, errors = paint(SCRIPT, *self.flags)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("continuing from", out)
        self.assertEqual(self.output.read_bytes(), whole.read_bytes())
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        self.assertEqual([(row["scale"], row["step"]) for row in rows], STEPS)

        again = [SCRIPT, f"--output={self.folder}/again.png", "--quiet"]
        for flags in (
            [f"--from_record={whole}.json"],
            [f"--from_record={whole}", *IMAGES],
        ):
            self.assertEqual(paint(*again, *flags), (0, "", ""))
            self.assertEqual((self.folder / "again.png").read_bytes(), whole.read_bytes())

    def test_before_the_first_step_there_is_no_picture(self):
        # While TensorFlow traces the step, which may turn the interrupt into another error.
        tracing = ("nst_tf.optimizers.lbfgs", "Lbfgs.step", 1)
        status, _, errors = self.paint_and_signal(signal.SIGINT, *tracing)
        self.assertEqual((status, errors), (130, "stylize: stopped\n"))
        self.assertEmpty([*self.folder.glob("*.png"), *self.folder.glob("run.ckpt*")])


if __name__ == "__main__":
    absltest.main()
