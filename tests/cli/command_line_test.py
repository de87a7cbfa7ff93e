import io
import os
import sys
from contextlib import redirect_stdout
from unittest import mock

from absl import flags
from absl.testing import absltest, parameterized

import nst_tf
from nst_tf import InputError
from nst_tf.cli import command_line


def parse(*arguments):
    """Parse a command line with flags of each kind; their values."""
    values = flags.FlagValues()
    flags.DEFINE_string("content", None, "a picture", flag_values=values)
    flags.DEFINE_multi_string("style", None, "pictures", flag_values=values)
    flags.DEFINE_list("style_blend", [], "weights", flag_values=values)
    flags.DEFINE_integer("steps", 50, "a count", flag_values=values)
    flags.DEFINE_integer("every", 10, "a count", flag_values=values, lower_bound=1)
    flags.DEFINE_float("content_weight", 0.1, "a weight", flag_values=values)
    flags.DEFINE_enum("recipe", "default", ["default", "gatys"], "a name", flag_values=values)
    flags.DEFINE_boolean("quiet", False, "no words", flag_values=values)
    for name in [*values]:
        values.register_key_flag_for_module(sys.argv[0], values[name])
    with mock.patch.object(flags, "FLAGS", values):
        assert command_line.parse(["script", *arguments]) == ["script"]
    return values


class ParseTest(parameterized.TestCase):
    @parameterized.parameters(
        (["--content_weight=0,03"], "content_weight=0,03: expected a number; write 0.03"),
        (["--content_weight", "1,5"], "content_weight=1,5: expected a number; write 1.5"),
        (["--content_weight=1.000,5"], "=1.000,5: expected a number; change --content_weight"),
        (["--steps=1e3"], "steps=1e3: expected an integer; write 1000"),
        (["--steps=5e-1"], "steps=5e-1: expected an integer; change --steps"),
        (["--steps=50.0"], "steps=50.0: expected an integer; write 50"),
        (["--steps=1,024"], "steps=1,024: expected an integer; write 1024"),
        (["--steps=1,5"], "steps=1,5: expected an integer; change --steps"),
        (["--steps=inf"], "steps=inf: expected an integer; change --steps"),
        (["--steps="], "steps=: expected an integer; change --steps"),
        (["--every=0"], "every=0: expected a positive integer; change --every"),
        (["--every=1e1"], "every=1e1: expected a positive integer; write 10"),
        (["--recipe=gatis"], "recipe=gatis: value should be one of <default|gatys>"),
        (["--quiet=yes"], "quiet=yes: expected true or false; write --quiet"),
        (["--quiet=No"], "quiet=No: expected true or false; write --noquiet"),
        (["--noquiet=yes"], "--noquiet=yes does not take an argument"),
        (["--contnt=a.jpg"], "--contnt: no such flag; write --content"),
        (["--content-weight=1"], "--content-weight: no such flag; write --content_weight"),
        (["--no_quiet"], "--no_quiet: no such flag; write --noquiet"),
        (["--iterations=5"], "--iterations: no such flag; --help lists all"),
        (["--content"], "Missing value for flag --content"),
    )
    def test_mistakes_are_answered_with_what_to_write(self, arguments, message):
        with self.assertRaises(InputError) as caught:
            parse(*arguments)
        self.assertEndsWith(str(caught.exception), message)

    @parameterized.parameters(
        (["--style", "a.jpg", "b.jpg"], "write --style=a.jpg --style=b.jpg"),
        (["--style=a.jpg,", "b.jpg", "--steps=2"], "write --style=a.jpg --style=b.jpg"),
        (["--style_blend", "0.7", "b.jpg"], "write --style_blend=0.7,b.jpg"),
        (
            ["--content=my", "b.jpg"],
            "--content takes one value; write '--content=my b.jpg' if it has a space",
        ),
        (["b.jpg", "--style=a.jpg"], "expected flags only, as --name=value"),
        (["--quiet", "b.jpg"], "expected flags only, as --name=value"),
        (["--content=b.jpg", "--quiet", "b.jpg"], "expected flags only, as --name=value"),
        (["--content", "b.jpg", "--", "b.jpg"], "expected flags only, as --name=value"),
    )
    def test_words_that_are_no_flags(self, arguments, advice):
        with self.assertRaises(InputError) as caught:
            parse(*arguments)
        self.assertEqual(str(caught.exception), f"b.jpg: not a flag; {advice}")

    def test_version(self):
        for flag in ("--version", "-version"):
            with redirect_stdout(io.StringIO()) as out, self.assertRaises(SystemExit) as caught:
                parse("--steps=2", flag, "--unknown")
            self.assertEqual(caught.exception.code, 0)
            self.assertEqual(out.getvalue(), f"nst_tf {nst_tf.__version__}\n")


class HomeTest(parameterized.TestCase):
    def content(self, value, **environment):
        with mock.patch.dict(os.environ, environment):
            return parse(f"--content={value}").content

    def test_the_home_folder_is_taken_as_it_is(self):
        self.assertEqual(self.content("~/a.jpg", HOME=r"C:\g<9>\1"), r"C:\g<9>\1/a.jpg")
        self.assertEqual(self.content("~/a.jpg", HOME="/nonexistent"), "/nonexistent/a.jpg")
        self.assertEqual(self.content("a~/b.jpg", HOME="/home/me"), "a~/b.jpg")

    def test_without_a_home_folder_the_name_stays(self):
        with (
            mock.patch.dict(os.environ),
            mock.patch("pwd.getpwuid", side_effect=KeyError("uid not found")),
        ):
            os.environ.pop("HOME", None)
            self.assertEqual(self.content("~/a.jpg"), "~/a.jpg")


if __name__ == "__main__":
    absltest.main()
