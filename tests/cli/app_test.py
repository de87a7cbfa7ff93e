"""How scripts start and end; the processes skip TensorFlow's import."""

import dataclasses
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

from absl import flags
from absl.testing import absltest, parameterized
from testing.pictures import ROOT
from testing.scripts import ScriptTest

from nst_tf import InputError
from nst_tf.cli import app

# The script's own work is to follow.
START = """
import hashlib, itertools, os, signal, sys
from nst_tf import InputError, tensorflow_startup
from nst_tf.cli import app
tensorflow_startup.import_tensorflow = lambda: None
"""


class RunTest(absltest.TestCase):
    """app.run in a process."""

    def start(self, work, ignored=(), **given):
        def set_signals():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                handler = signal.SIG_IGN if number in ignored else signal.SIG_DFL
                signal.signal(number, handler)

        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [sys.executable, "-c", START + work],
            **dict(cwd=ROOT, stdout=pipe, stderr=pipe, text=True, preexec_fn=set_signals) | given,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def run_to_end(self, work, **given):
        process = self.start(work, **given)
        out, errors = process.communicate(timeout=60)
        return process.returncode, out, errors

    def test_a_mistake_of_the_user_is_one_line(self):
        found = self.run_to_end(
            "def main(): raise InputError('size=1: too\\n small')\napp.run(main)"
        )
        self.assertEqual(found, (1, "", "-c: size=1: too small\n"))

    def test_our_own_faults_keep_their_traceback(self):
        status, _, errors = self.run_to_end("app.run(lambda: 1 / 0)")
        self.assertEqual(status, 1)
        self.assertStartsWith(errors, "Traceback")
        self.assertEndsWith(errors, "ZeroDivisionError: division by zero\n")

    def test_an_interrupt_that_comes_out_as_another_error(self):
        work = """
def main():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        raise RuntimeError("of TensorFlow")
app.run(main)
"""
        self.assertEqual(self.run_to_end(work), (143, "", "-c: stopped\n"))

    def test_the_text_of_an_interrupt(self):
        work = """
def main():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt("at step 1") from error
app.run(main)
"""
        self.assertEqual(self.run_to_end(work), (130, "", "-c: stopped at step 1\n"))

    def test_a_job_in_the_background_ignores_ctrl_c(self):
        work = """
def main():
    os.kill(os.getpid(), signal.SIGINT)
    print("going on", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
app.run(main)
"""
        found = self.run_to_end(work, ignored=[signal.SIGINT])
        self.assertEqual(found, (143, "going on\n", "-c: stopped\n"))

    def test_a_terminal_that_is_closed(self):
        """It may send several signals, also while what there is is written."""
        work = """
def main():
    try:
        os.kill(os.getpid(), signal.SIGHUP)
    finally:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
        print("written", flush=True)
app.run(main)
"""
        self.assertEqual(self.run_to_end(work), (129, "written\n", "-c: stopped\n"))

    def test_nohup(self):
        work = "app.run(lambda: os.kill(os.getpid(), signal.SIGHUP))"
        self.assertEqual(self.run_to_end(work, ignored=[signal.SIGHUP]), (0, "", ""))

    def test_a_second_signal_ends_the_process_at_once(self):
        """The first waits for a callback, which works where Python receives no signals."""
        work = """
def main():
    for _ in app.interruptible(itertools.count()):
        print("listening", flush=True)
        hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
app.run(main)
"""
        process = self.start(work)
        self.assertEqual(process.stdout.readline(), "listening\n")
        process.send_signal(signal.SIGINT)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 130)
        self.assertEqual(process.stderr.read(), "-c: stopped at once\n")

    def test_notices_of_a_script_without_quiet(self):
        work = """
import logging
log = logging.getLogger("nst_tf.images")
app.run(lambda: (log.info("a.jpg: no end marker"), log.warning("a.jpg: left out")))
"""
        expected = (0, "a.jpg: no end marker\n", "a.jpg: left out\n")
        self.assertEqual(self.run_to_end(work), expected)

    def test_any_text_on_any_stream(self):
        work = """
os.environ["HOME"] = ""
def main():
    print("caf\\udce9 \u2014", "HOME" in os.environ)
    raise InputError("caf\\udce9.jpg: no such file")
app.run(main)
"""
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
        expected = (1, "caf\\xe9 \\u2014 False\n", "-c: caf\\xe9.jpg: no such file\n")
        self.assertEqual(self.run_to_end(work, env=environment), expected)

    def test_work_goes_on_when_nobody_reads(self):
        """Neither stdout nor stderr."""
        done = Path(self.create_tempdir().full_path, "done")
        work = f"""
def main():
    sys.stdin.read()
    for file in (sys.stdout, sys.stderr):
        for _ in range(3):
            print("more", file=file, flush=True)
        print("left for the end", file=file)
    open({str(done)!r}, "w").close()
app.run(main)
"""
        process = self.start(work, stdin=subprocess.PIPE)
        process.stdout.close()
        process.stderr.close()
        process.stdin.close()
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertTrue(done.exists())
        process.stdin = process.stdout = process.stderr = None  # for communicate


class InterruptibleTest(absltest.TestCase):
    def test_a_signal_between_steps_is_raised_at_the_next_and_closes_the_run(self):
        steps, closed = [], []

        def run():
            try:
                yield from range(3)
            finally:
                closed.append(True)

        with mock.patch.object(app, "_signals", []), self.assertRaises(KeyboardInterrupt):
            for step in app.interruptible(run()):
                app._on_signal(signal.SIGINT, None)
                steps.append(step)
                self.assertTrue(app.interrupted())
        self.assertEqual((steps, closed), ([0], [True]))

    def test_a_signal_within_a_step_is_raised_at_once(self):
        def run():
            app._on_signal(signal.SIGINT, None)
            yield

        with mock.patch.object(app, "_signals", []), self.assertRaises(KeyboardInterrupt):
            next(app.interruptible(run()))


class CheckNoOverwriteTest(ScriptTest):
    @parameterized.parameters("a/b.png", "./a/b.png", "a/../a/b.png", os.path.abspath("a/b.png"))
    def test_another_name_of_the_same_file(self, path):
        with self.refused(f"output={path}: would overwrite a/b.png; give another name"):
            app.check_no_overwrite(["a/b.png"], output=path)
        with self.refused(f"record={path}: would overwrite output=a/b.png; give another name"):
            app.check_no_overwrite([], output="a/b.png", record=path)

    def test_links_to_the_photograph(self):
        photo, symbolic, hard = (self.folder / name for name in ("photo.png", "a.png", "b.png"))
        photo.touch()
        symbolic.symlink_to(photo)
        hard.hardlink_to(photo)
        for link in (symbolic, hard):
            with self.refused(f"output={link}: would overwrite {photo}"):
                app.check_no_overwrite([str(photo)], output=str(link))

    def test_names_that_differ_in_case(self):
        """Of files that are there the disk knows; others may become one file."""
        photo, output = str(self.folder / "photo.png"), str(self.folder / "PHOTO.png")
        Path(photo).touch()
        app.check_no_overwrite([photo], output=output)
        stat = os.stat
        with (
            mock.patch("os.stat", lambda path: stat(path.replace("PHOTO", "photo"))),
            self.assertRaisesRegex(InputError, f"output={output}: would overwrite {photo}"),
        ):
            app.check_no_overwrite([photo], output=output)
        with self.refused("animation=new.GIF: would overwrite output=new.gif"):
            app.check_no_overwrite([], output="new.gif", animation="new.GIF")

    def test_several_outputs_of_one_flag(self):
        app.check_no_overwrite(["a.png"], output=["b.png", "c.png"])
        with self.refused("output=./a.png: would overwrite a.png"):
            app.check_no_overwrite(["a.png"], output=["b.png", "./a.png"])

    def test_other_files(self):
        app.check_no_overwrite(["a.png"], output="b.png", loss_log=None, record=None)


class FlagValuesTest(absltest.TestCase):
    def test_the_fields_of_a_dataclass(self):
        options = dataclasses.make_dataclass("Options", [("verbosity", int)])
        self.assertEqual(app.flag_values(options), {"verbosity": flags.FLAGS.verbosity})


class NoticesTest(ScriptTest):
    def test_warnings_go_to_stderr_and_others_to_stdout_unless_quiet(self):
        def log(quiet):
            app.print_notices(quiet=quiet)
            logging.getLogger("nst_tf.run").info("notice")
            logging.getLogger("nst_tf.run").warning("warning")

        self.assertEqual(self.call(log, False), ("notice\n", "warning\n"))
        self.assertEqual(self.call(log, True), ("", "warning\n"))

    def test_a_notice_is_printed_once(self):
        """A file may be read twice, with others between."""

        def log():
            app.print_notices()
            for name in ("a", "b", "a", "b"):
                logging.getLogger("nst_tf.images").info("%s: has no end marker", name)

        self.assertEqual(self.call(log), ("a: has no end marker\nb: has no end marker\n", ""))


if __name__ == "__main__":
    absltest.main()
