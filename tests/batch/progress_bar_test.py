import io
import re
import sys
from contextlib import redirect_stdout
from unittest import mock

from absl.testing import absltest, parameterized
from rich.console import Console

from nst_tf.batch import progress_bar

NAME = "raccoon [1]__vangogh_village_street_in_auvers.png"


def follow(outcomes, total, name=NAME):
    """Show images that take 100 s each, or fail at once if the outcome is an error."""
    with mock.patch.object(progress_bar, "monotonic", return_value=0.0) as clock:
        bar = progress_bar.BatchProgressBar(total)
        for error in outcomes:
            clock.return_value += 0.0 if error else 100.0
            bar.on_result({"output": name, "error": error})
        bar.close()


class BatchProgressBarTest(parameterized.TestCase):
    @parameterized.parameters(
        (60, "4/10 0:10:00 left raccoon [1]__vangogh_vi… painted"),
        (80, f"4/10 0:10:00 left {NAME[:43]}… painted"),
        (100, f"4/10 0:10:00 left {NAME} painted"),
    )
    def test_a_bar_takes_the_width_of_the_terminal(self, width, words):
        last = self.last_line(width, [None] * 4, 10)
        self.assertLen(last, width)
        self.assertEndsWith(last, words)

    @parameterized.parameters(
        ("ascii", f"\\u2014 caf\\xe9 {9 * 'x'}"),
        ("latin-1", f"\\u2014 caf\\xe9 {9 * 'x'}"),
        ("utf-8", f"— caf\\xe9 {13 * 'x'}…"),
    )
    def test_names_that_the_terminal_cannot_show(self, encoding, name):
        given = f"— caf\udce9 {50 * 'x'}.png"
        last = self.last_line(60, [None] * 4, 10, given, encoding=encoding)
        self.assertLen(last, 60)
        self.assertEndsWith(last, f"4/10 0:10:00 left {name} painted")

    def last_line(self, width, *shown, encoding="utf-8"):
        """On a terminal."""
        file = io.BytesIO()
        # Everything that is printed must be in the encoding.
        out = io.TextIOWrapper(file, encoding, errors="strict")
        console = Console(file=out, force_terminal=True, width=width)
        with (
            mock.patch.object(sys.stdout, "isatty", return_value=True, create=True),
            mock.patch.object(progress_bar, "Console", return_value=console),
        ):
            follow(*shown)
        text = file.getvalue().decode(encoding)
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text).splitlines()[-1]

    def test_lines_without_a_terminal_reckon_from_what_was_painted(self):
        with redirect_stdout(io.StringIO()) as out:
            follow(["bad", None, "bad", None, None], 5)
        self.assertEqual(
            out.getvalue().splitlines(),
            [
                f"1 of 5: {NAME} failed",
                f"2 of 5: {NAME} painted; 0:05:00 left",
                # The third came at once.
                f"4 of 5: {NAME} painted; 0:01:40 left",
                f"5 of 5: {NAME} painted; 0:00:00 left",
            ],
        )

    def test_the_last_line_is_there_however_soon(self):
        with redirect_stdout(io.StringIO()) as out:
            follow(["bad"] * 3, 3)
        self.assertLen(out.getvalue().splitlines(), 2)
        self.assertStartsWith(out.getvalue().splitlines()[-1], "3 of 3: ")


if __name__ == "__main__":
    absltest.main()
