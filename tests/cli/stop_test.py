"""Runs of scripts/stylize.py that are stopped, killed, resumed and repeated."""

import json
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT

from nst_tf.cli import app
from nst_tf.images import image_io

# Which precision pays is measured, and beside other programs not always the same comes out.
KNOBS = ["--size=192", "--scales=3", "--steps=24", "--precision=float32"]
STEPS = 24 + 14 + 8


def begin(*arguments, limit=None):
    """The script as a process; `limit` is how long its files may be, in bytes."""

    def prepare():
        # A shell's background job would ignore it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, ROOT / "scripts" / "stylize.py", *KNOBS, *arguments]
    command += [f"--content={PHOTOGRAPH}", f"--style={PAINTING}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=prepare)


def paint(*arguments, **options):
    process = begin(*arguments, **options)
    out, errors = process.communicate(timeout=300)
    return process.returncode, out, errors


def wait_for(path: Path, lines: int):
    """Wait until a loss log has so many lines; they come by tens."""
    deadline = time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) < lines:
        if time.monotonic() > deadline:
            raise TimeoutError(path)
        time.sleep(0.02)


@pytest.mark.slow
class StopTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = Path(cls.create_tempdir_of_class()) / "whole.png"
        status, _, errors = paint(f"--output={cls.whole}", "--quiet")
        assert status == 0, errors

    @classmethod
    def create_tempdir_of_class(cls):
        import tempfile

        return cls.enterClassContext(tempfile.TemporaryDirectory())

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.output = self.folder / "out.png"
        self.checkpoint = self.folder / "run.ckpt"
        self.log = self.folder / "losses.jsonl"
        self.flags = [f"--output={self.output}", f"--checkpoint={self.checkpoint}"]
        self.flags += [f"--loss_log={self.log}", "--checkpoint_every=0", "--resume"]

    def steps_logged(self):
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [(row["scale"], row["step"]) for row in rows]

    @parameterized.parameters(signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    def test_stopped_at_random_moments_ends_with_the_same_bytes(self, number):
        moments = random.Random(int(number))
        statuses = []
        for _ in range(4):
            process = begin(*self.flags)
            began = self.checkpoint.stat().st_mtime_ns if self.checkpoint.exists() else 0
            while process.poll() is None and (
                not self.checkpoint.exists() or self.checkpoint.stat().st_mtime_ns == began
            ):
                time.sleep(0.02)
            time.sleep(moments.uniform(0, 1.5))
            process.send_signal(number)
            _, errors = process.communicate(timeout=120)
            statuses.append(process.returncode)
            if number != signal.SIGKILL and process.returncode:
                self.assertRegex(
                    errors,
                    r"^stylize: stopped at step \d+ of \d+ at \d+ x \d+ px; wrote \S+out.png and "
                    r"\S+run.ckpt; --resume goes on from there\n$",
                )
                self.assertTrue(image_io.read(self.output).rgb.any())
        stopped = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
        self.assertLessEqual({*statuses}, {stopped, 0})
        self.assertIn(stopped, statuses)
        status, out, errors = paint(*self.flags)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("going on from", out)
        self.assertEqual(self.output.read_bytes(), self.whole.read_bytes())

    @parameterized.parameters(signal.SIGTERM, signal.SIGKILL)
    def test_the_log_of_a_resumed_run_is_whole(self, number):
        for lines in (15, 25):
            process = begin(*self.flags)
            wait_for(self.log, lines)
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, {signal.SIGKILL: -9, signal.SIGTERM: 143}[number])
        paint(*self.flags)
        expected = [(s, i) for s, count in enumerate((24, 14, 8)) for i in range(count)]
        self.assertEqual(self.steps_logged(), expected)

    def test_stopped_with_everything_that_watches(self):
        """Whatever the moment, one line, and all files whole."""
        moments = random.Random(1)
        watch = [f"--tensorboard_dir={self.folder}/tb", f"--animation={self.folder}/film.gif"]
        watch += [f"--snapshots_dir={self.folder}/snapshots", "--snapshot_every=1"]
        for _ in range(4):
            process = begin(*self.flags, *watch)
            lines = len(self.log.read_text().splitlines()) if self.log.exists() else 0
            wait_for(self.log, min(lines + 3, STEPS))
            time.sleep(moments.uniform(0, 0.5))
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
            if process.returncode:
                self.assertRegex(errors, r"^stylize: stopped at step [^\n]*; wrote [^\n]*\n$")
            self.assertTrue((self.folder / "film.gif").exists())
        steps = self.steps_logged()
        self.assertEqual(steps, sorted({*steps}))

    def test_before_the_first_step_there_is_no_picture(self):
        process = begin(*self.flags)
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors), (130, "stylize: stopped\n"))
        self.assertEmpty(list(self.folder.glob("*.png")))

    @parameterized.parameters("time.sleep(100)", "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)")
    def test_a_second_ctrl_c_ends_at_once(self, work):
        """The first waits until what listens to the run has done its work; Python may be deaf."""
        code = (
            "import hashlib, itertools, signal, time\n"
            "from nst_tf import program\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "def main():\n"
            "    for _ in program.hear(itertools.count()):\n"
            "        print('listening', flush=True)\n"
            f"        {work}\n"
            "program.run(main)\n"
        )
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes) as process:
            self.assertEqual(process.stdout.readline(), b"listening\n")
            process.send_signal(signal.SIGINT)
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(timeout=2)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=10), 130)
            self.assertEqual(process.stderr.read(), b"-c: stopped at once\n")

    def test_afresh_without_a_checkpoint(self):
        status, out, _ = paint(*self.flags)
        self.assertEqual(status, 0)
        self.assertIn("there is no checkpoint yet; starting afresh", out)
        self.assertEqual(self.output.read_bytes(), self.whole.read_bytes())

    def test_repeated_from_its_record(self):
        paint(*self.flags)
        again = self.folder / "again.png"
        for record in (self.output.with_suffix(".json"), self.output):
            command = [sys.executable, ROOT / "scripts" / "stylize.py", f"--settings={record}"]
            command += [f"--output={again}", "--quiet"]
            if record.suffix == ".png":
                command += [f"--content={PHOTOGRAPH}", f"--style={PAINTING}"]
            subprocess.run(command, check=True)
            self.assertEqual(again.read_bytes(), self.whole.read_bytes())

    def test_a_full_disk(self):
        """Files up to 400 kB: the checkpoint does not fit, the picture does."""
        status, _, errors = paint(*self.flags, f"--tensorboard_dir={self.folder}/tb", limit=400_000)
        self.assertEqual(status, 0, errors)
        self.assertIn("run.ckpt: cannot be written (File too large)", errors)
        self.assertIn("painting on", errors)
        self.assertEqual(errors.count("run.ckpt"), 1)
        self.assertNotIn("Traceback", errors)
        self.assertFalse(self.checkpoint.exists())
        self.assertEqual(self.output.read_bytes(), self.whole.read_bytes())

    def test_a_full_disk_leaves_the_last_good_checkpoint(self):
        paint(*self.flags)
        before = self.checkpoint.read_bytes()
        status, _, errors = paint(*self.flags, limit=400_000)
        self.assertEqual(status, 0)
        self.assertIn("cannot be written (File too large)", errors)
        self.assertEqual(self.checkpoint.read_bytes(), before)

    def test_a_folder_that_cannot_be_written(self):
        # By root, too.
        for flag in ("checkpoint", "animation", "loss_log", "snapshots_dir", "tensorboard_dir"):
            name = f"/proc/nst_tf/{flag}.gif"
            status, _, errors = paint(f"--output={self.output}", f"--{flag}={name}")
            self.assertEqual(status, 1, flag)
            self.assertRegex(errors, r"^stylize: \S*/proc/\S+ .*cannot be written.*\n$")
            self.assertFalse(self.output.exists())

    def test_what_does_not_go_together(self):
        status, _, errors = paint(f"--output={self.output}", "--resume")
        self.assertEqual((status, errors.count("\n")), (1, 1))
        self.assertIn("resume: needs the file to go on from; give --checkpoint", errors)
        status, _, errors = paint(f"--output={self.output}", f"--animation={self.folder}/a.png")
        self.assertEqual((status, errors.count("\n")), (1, 1))
        self.assertIn("unknown ending '.png'", errors)
        self.output.with_suffix(".json").write_text("{}")
        status, _, errors = paint(f"--output={self.output}")
        self.assertEqual((status, errors.count("\n")), (1, 1))
        self.assertIn("out.json: is there already and no record; give --norecord", errors)
        self.output.with_suffix(".json").unlink()
        status, _, errors = paint(f"--output={self.output}", "--vgg_weights=missing.h5")
        self.assertEqual((status, errors.count("\n")), (1, 1))
        self.assertIn("vgg_weights=missing.h5: is no file", errors)


class HearTest(parameterized.TestCase):
    def test_a_run_that_is_left_is_closed(self):
        """Its processes are to end when Ctrl-C came while its pictures were written."""
        closed = []

        def stream():
            try:
                yield from range(3)
            finally:
                closed.append(True)

        run = app.hear(stream())
        next(run)
        with mock.patch.object(app, "_signals", [signal.SIGINT]):
            with self.assertRaises(KeyboardInterrupt):
                next(run)
        self.assertEqual(closed, [True])


if __name__ == "__main__":
    tf.test.main()
