import contextlib
import io
import os
import re
from unittest import mock

from absl.testing import absltest, parameterized
from testing.runs import fake_run

from nst_tf.callbacks import progress_bar
from nst_tf.callbacks.base import notify


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(run, out):
    with contextlib.redirect_stdout(out):
        list(notify(run, [progress_bar.ProgressBar()]))
    return out.getvalue()


class ProgressBarTest(parameterized.TestCase):
    def test_first_and_last_line_of_a_short_run_without_a_terminal(self):
        lines = shown(fake_run([4.0, 3.0], [2.0, 1.0, 0.5], size=(96, 64)), io.StringIO())
        self.assertRegex(
            lines,
            r"\A32 x 48 px, scale 1/2 step 1/2 loss 4: style 2 content 1.2\n"
            r"64 x 96 px, scale 2/2 step 3/3 loss 0.5: style 0.25 content 0.15 0:00:00 left\n\Z",
        )

    @mock.patch.object(progress_bar, "LINE_SECONDS", 0.0)
    def test_line_for_each_slow_step_with_the_losses_of_the_picture(self):
        run = fake_run([3.0, 2.0, 9.0, 1.0, 8.0, 7.0], rejected=(2, 4, 5))
        lines = shown(run, io.StringIO()).splitlines()
        losses = [line.split("loss ")[1].split(":")[0] for line in lines]
        self.assertEqual(losses, ["3", "2", "2", "1", "1", "1"])

    @parameterized.parameters(
        (40, "0:00:00 left"),
        (60, "0:00:00 elapsed, 0:00:00 left"),
        (80, "0:00:00 elapsed, 0:00:00 left"),
        (120, "0:00:00 elapsed, 0:00:00 left loss 1: style 0.5 content 0.3"),
        (200, "0:00:00 elapsed, 0:00:00 left loss 1: style 0.5 content 0.3"),
    )
    def test_bar_takes_the_width_with_as_much_as_there_is_room_for(self, width, words):
        with mock.patch.dict(os.environ, TERM="xterm", COLUMNS=str(width)):
            text = shown(fake_run([4.0], [2.0, 1.0]), Terminal())
        last = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text).splitlines()[-1]
        self.assertRegex(last, f"^scale 2/2 step 2/2 ━{{8,}} {words}$")
        self.assertLen(last, width)

    @mock.patch.dict(os.environ, TERM="xterm", COLUMNS="60")
    @mock.patch("rich.console.monotonic", return_value=100.0)
    def test_time_elapsed_goes_on_without_a_step(self, clock):
        def run():
            clock.return_value += 65.0
            yield from ()

        self.assertIn("0:01:05 elapsed", shown(run(), Terminal()))

    @mock.patch.dict(os.environ, TERM="xterm", COLUMNS="100")
    def test_bar_on_a_terminal_without_lines(self):
        class Latin(Terminal):
            encoding = "latin-1"

        text = shown(fake_run([4.0], [2.0, 1.0]), Latin())
        text.encode("latin-1")
        self.assertIn("---", text)

    def test_time_left(self):
        self.assertEqual(progress_bar.time_left(100.0, 0, 0.25), "0:05:00 left")
        self.assertEqual(progress_bar.time_left(100.0, 0, 1.0), "0:00:00 left")
        # A resumed run; and before there is anything to tell it by.
        self.assertEqual(progress_bar.time_left(10.0, 0.6, 0.65), "0:01:10 left")
        self.assertEqual(progress_bar.time_left(0.0, 0.6, 0.6), "")


if __name__ == "__main__":
    absltest.main()
