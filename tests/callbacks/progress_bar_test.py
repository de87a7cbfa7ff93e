import io
import json
import os
import pty
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
import tensorflow as tf
from rich.console import Console
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, cut

from nst_tf import InputError, Progress, Settings, State, Style, optimize
from nst_tf.callbacks import progress_bar
from nst_tf.losses.terms import Losses
from nst_tf.run.progress import Decided, Latest

KNOBS = Settings(size=96, scales=2, steps=12, tv_weight=0.1)


def run():
    return optimize(cut(PHOTOGRAPH, 96, 96), [Style(cut(PAINTING, 96, 96))], KNOBS)


def steps(totals, accepted):
    """A run of these steps, without a picture."""
    return [
        Progress(
            scale=0,
            scales=[(4, 4)],
            step=step,
            steps=[len(totals)],
            losses=Losses(*(tf.constant(total),) * 4),
            accepted=tf.constant(kept),
            finite=tf.constant(True),
            _image=tf.zeros([1, 4, 4, 3]),
            _latest=Latest(State(0, step + 1, Decided("float32"), Decided("float32"))),
        )
        for step, (total, kept) in enumerate(zip(totals, accepted, strict=True))
    ]


class LogLossesTest(tf.test.TestCase):
    def test_one_object_a_step_and_the_terms_add_up(self):
        path = Path(self.create_tempdir().full_path) / "new" / "losses.jsonl"
        passed = list(progress_bar.log_losses(run(), str(path)))
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual(
            [(row["scale"], row["step"]) for row in rows], [(p.scale, p.step) for p in passed]
        )
        for row, progress in zip(rows, passed, strict=True):
            keys = ["scale", "step", "total", "style", "content", "tv"]
            if not progress.accepted:
                keys.append("accepted")
            self.assertEqual(list(row), keys)
            self.assertAllClose(row["total"], row["style"] + row["content"] + row["tv"], rtol=1e-5)
            self.assertEqual(row["total"], float(progress.losses.total))

    def test_a_trial_that_was_not_accepted_says_so(self):
        path = self.create_tempdir().create_file("losses.jsonl").full_path
        list(progress_bar.log_losses(steps([3.0, 9.0, 2.0], [True, False, True]), path))
        rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
        self.assertEqual([row.get("accepted") for row in rows], [None, False, None])
        self.assertEqual([row["total"] for row in rows], [3, 9, 2])

    def test_leaving_early_loses_no_line(self):
        path = self.create_tempdir().create_file("losses.jsonl").full_path
        stream = progress_bar.log_losses(run(), path)
        for progress in stream:
            if (progress.scale, progress.step) == (1, 0):
                break
        stream.close()
        self.assertLen(Path(path).read_text().splitlines(), progress.steps[0] + 1)

    def test_unwritable(self):
        folder = self.create_tempdir().full_path
        with self.assertRaisesRegex(InputError, "loss_log=.* cannot be .*another --loss_log"):
            progress_bar.log_losses(run(), folder)

    def test_does_not_overwrite_a_picture(self):
        with self.assertRaisesRegex(InputError, "loss_log=a.jpg: is the name of a picture"):
            progress_bar.log_losses(run(), "a.jpg")


class ShowTest(tf.test.TestCase):
    def test_plain_lines_without_a_terminal(self):
        with redirect_stdout(io.StringIO()) as out:
            passed = list(progress_bar.show(run()))
        first, second = passed[0].steps
        self.assertLen(passed, first + second)
        lines = out.getvalue().splitlines()
        self.assertLess(len(lines), 10)
        begin = rf"^48 x 48 px, step 1 of {first}: loss \S+ = style \S+ \+ content"
        self.assertRegex(lines[0], begin)
        self.assertRegex(lines[-1], rf"^96 x 96 px, step {second} of {second}: loss")

    def test_a_line_tells_of_the_picture_that_was_kept(self):
        """Not of a trial that the optimiser went back from."""
        totals, accepted = [3.0, 2.0, 9.0, 1.0, 8.0, 7.0], [True, True, False, True, False, False]
        run = steps(totals, accepted)
        with (
            mock.patch.object(progress_bar, "LINE_EVERY", 0),
            redirect_stdout(io.StringIO()) as out,
        ):
            list(progress_bar.show(run))
        shown = [float(line.split("loss ")[1].split()[0]) for line in out.getvalue().splitlines()]
        self.assertEqual(shown, [3, 2, 2, 1, 1, 1])
        with redirect_stdout(io.StringIO()) as out:
            list(progress_bar.show(run))
        self.assertIn("loss 1 = ", out.getvalue().splitlines()[-1])

    def test_a_line_for_each_step_when_steps_are_slow(self):
        with (
            mock.patch.object(progress_bar, "LINE_EVERY", 0),
            redirect_stdout(io.StringIO()) as out,
        ):
            passed = list(progress_bar.show(run()))
        self.assertLen(out.getvalue().splitlines(), sum(passed[0].steps))

    @pytest.mark.slow
    def test_a_bar_on_a_terminal(self):
        code = (
            f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
            "from nst_tf import listeners; import listeners_test\n"
            "list(listeners.show(listeners_test.run()))"
        )
        ours, theirs = pty.openpty()
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=theirs, env=environment, cwd=ROOT
        ) as process:
            os.close(theirs)
            output = b""
            try:
                while chunk := os.read(ours, 4096):
                    output += chunk
            except OSError:
                pass  # Linux says so when the other end of a terminal is closed.
            self.assertEqual(process.wait(), 0)
        os.close(ours)
        text = output.decode()
        self.assertRegex(text, r"scale 2/2 step 7/7 loss [\d.]+: style [\d.]+ content [\d.]+\b")
        self.assertIn("0:00:00", text)
        self.assertIn("━", text)

    def test_a_bar_over_pictures_that_take_long_tells_the_time_left(self):
        out, clock = io.StringIO(), mock.Mock(return_value=0.0)
        console = Console(file=out, force_terminal=True, width=80, height=20)

        def stream():
            for number in range(4):
                clock.return_value += 100.0
                yield {"output": f"{number}__{'long' * 30}.png", "error": None}

        with (
            mock.patch.object(sys.stdout, "isatty", return_value=True, create=True),
            mock.patch.object(progress_bar, "Console", return_value=console),
            mock.patch.object(console, "get_time", clock),
        ):
            bar = progress_bar.show_batch(stream(), 10)
            for _ in range(4):
                next(bar)
            bar.close()
        text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", out.getvalue())
        self.assertIn("4/10 0:10:00 3__longlong", text)


if __name__ == "__main__":
    tf.test.main()
