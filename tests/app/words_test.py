import logging

from absl.testing import absltest, parameterized
from testing.page import StubRun, painted
from testing.painter import request

from nst_tf import InputError
from nst_tf.app import words


class WordsTest(parameterized.TestCase):
    def test_what_is_said_is_no_html(self):
        self.assertEqual(words.line("a <b> & c"), "<p role='status'>a &lt;b&gt; &amp; c</p>")
        self.assertEqual(words.line(""), "")
        found = words.mistake(InputError("<img src=x>\n: no"))
        self.assertEqual(found, "<p class='mistake' role='alert'>&lt;img src=x&gt; : no</p>")
        self.assertIn("alt='&#x27;&gt;'", words.image(b"", "'>"))

    def test_where_a_run_stands(self):
        snapshot = StubRun(None).newest(0)._replace(seconds=14.4, seconds_left=61)
        expected = "scale 1 of 1 · 6 x 4 px · step 1 of 3 · 0:14 gone, 1:01 left"
        self.assertEqual(words.where(snapshot), expected)
        self.assertEndsWith(words.where(snapshot._replace(seconds_left=None)), "0:14 gone")

    @parameterized.parameters((True, "painted in"), (False, "stopped after"))
    def test_what_has_come_of_it(self, is_finished, verb):
        found = words.outcome(painted(request(48, 64), is_finished=is_finished))
        self.assertEqual(found, f"{verb} 0:07 · 64 x 48 px")

    def test_what_nobody_expects_is_logged_and_not_told(self):
        with self.assertLogs("nst_tf", logging.ERROR) as logged:
            found = words.mistake(ValueError("secret"))
        self.assertIn("secret", logged.output[0])
        self.assertNotIn("secret", found)
        self.assertIn("memory ran out", words.mistake(MemoryError()))


if __name__ == "__main__":
    absltest.main()
