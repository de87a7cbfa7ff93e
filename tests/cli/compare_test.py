import json
import signal
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, SAMPLES
from testing.runs import fake_run
from testing.scripts import SMALL, ScriptTest, file_size_limit, options

from nst_tf import InputError, limits
from nst_tf.cli import app, compare
from nst_tf.images import image_io
from nst_tf.reports import comparison
from nst_tf.reports.comparison import Entry, Scores

OTHER = SAMPLES / "style" / "hokusai_great_wave.jpg"
RGB = np.full((36, 48, 3), 0.5, np.float32)
ENTRIES = [
    Entry("photograph", RGB, Scores(style=1.0, content=0.0, ssim=1.0, grain=0.9)),
    Entry("painting", RGB),
    Entry("optimised", RGB, Scores(style=0.1, content=0.5, ssim=0.6, grain=1.1), 2.5, 1.5),
]


class PairsTest(ScriptTest):
    """Without painting, which comparison_test does."""

    def setUp(self):
        super().setUp()
        self.output_dir = self.folder / "new"

    def compare(self, settings=SMALL, **changes):
        given = {"content": [str(PHOTOGRAPH)], "style": [str(PAINTING)]}
        given |= {"output_dir": self.output_dir}
        return self.call(compare.compare, options(compare, **given | changes), settings)


class CompareTest(PairsTest):
    def test_writes_picture_page_and_numbers_of_each_pair(self):
        settings, styles = replace(SMALL, init=str(OTHER)), [str(PAINTING), str(OTHER)]
        with (
            mock.patch.object(limits, "num_cores", return_value=77),
            mock.patch.object(comparison, "compare", return_value=ENTRIES) as painted,
            mock.patch.object(image_io, "read", wraps=image_io.read) as read,
        ):
            out, errors = self.compare(settings, style=styles, handle=["a", "b"])
        self.assertEqual({call.kwargs["long_side"] for call in read.mock_calls}, {512})
        for call, style in zip(painted.call_args_list, styles, strict=True):
            np.testing.assert_array_equal(call.args[0].rgb, image_io.read(PHOTOGRAPH).rgb)
            np.testing.assert_array_equal(call.args[1].rgb, image_io.read(style).rgb)
            self.assertEqual(call.args[2:], (settings, ["a", "b"]))
            np.testing.assert_array_equal(call.kwargs["start"], image_io.read(OTHER).rgb)

        names = ("comparison.png", "report.html", "comparison.json")
        sheet, page, numbers = (self.output_dir / name for name in names)
        lines = out.splitlines()
        self.assertEqual(lines[0], f"{PHOTOGRAPH} in the manner of {PAINTING}")
        self.assertStartsWith(lines[3], "optimised: 2.5")
        self.assertEqual((lines[-1], errors), (f"wrote {sheet}, {page}, {numbers}", ""))
        with Image.open(sheet) as opened:
            self.assertGreater(opened.height, 2 * 36)
        self.assertIn("<table>", page.read_text())
        found = json.loads(numbers.read_text())
        self.assertEndsWith(found["system"], " 77 cores")
        self.assertEqual(found["settings"]["steps"], 2)
        self.assertEqual([pair["style"] for pair in found["pairs"]], styles)
        for pair in found["pairs"]:
            self.assertEqual((pair["width"], pair["height"]), (48, 36))
            photograph, optimized = pair["pictures"]
            self.assertEqual(photograph["name"], "photograph")
            self.assertEqual(
                optimized,
                {"name": "optimised", "seconds_cold": 2.5, "seconds_warm": 1.5}
                | {"style": 0.1, "content": 0.5, "ssim": 0.6, "grain": 1.1},
            )

    def test_quiet_prints_nothing(self):
        with mock.patch.object(comparison, "compare", return_value=ENTRIES) as painted:
            self.assertEqual(self.compare(quiet=True), ("", ""))
        self.assertEqual(painted.call_args.kwargs["callbacks"], [])
        self.assertLen(list(self.output_dir.iterdir()), 3)

    @parameterized.parameters(
        ({"handle": ["no/model"]}, "handle=no/model: there is no such folder"),
        ({"settings": replace(SMALL, size=20)}, f"{PHOTOGRAPH}: size=20"),
        (
            {"settings": replace(SMALL, init="cotnent")},
            "init=cotnent: no such file; expected content,",
        ),
        ({"output_dir": ROOT / "README.md"}, "README.md is a file"),
        ({"content": ["a.jpg"] * 2, "style": ["b.jpg"] * 3}, "given 2 and 3 times"),
    )
    def test_what_does_not_fit(self, changes, *words):
        with self.refused(*words):
            self.compare(**changes)

    def test_names_that_are_not_utf8(self):
        content = str(self.folder / "caf\udce9.png")
        image_io.write(content, RGB)
        with mock.patch.object(comparison, "compare", return_value=ENTRIES):
            self.compare(content=[content], output_dir=str(self.folder / "new\udce9"))
        page, numbers = ("report.html", "comparison.json")
        folder = Path(self.folder, "new\udce9")
        self.assertIn("caf\\xe9, vangogh", (folder / page).read_text())
        (pair,) = json.loads((folder / numbers).read_text())["pairs"]
        self.assertEqual(pair["content"], content)

    def test_files_of_the_user_are_not_overwritten(self):
        content = self.folder / "comparison.png"
        image_io.write(content, RGB)
        with self.refused("comparison.png: would overwrite"):
            self.compare(content=[str(content)], output_dir=self.folder)


class StopTest(PairsTest):
    """What is painted is written."""

    pairs = {"style": [str(PAINTING), str(OTHER), str(PAINTING)]}

    def painting(self, *outcomes):
        """Paint pairs; an outcome that is an error ends it."""
        self.enter_context(mock.patch.object(app, "_signals", []))
        painted = mock.patch.object(comparison, "compare", side_effect=outcomes)
        return self.enter_context(painted)

    def pairs_written(self):
        return len(json.loads((self.output_dir / "comparison.json").read_text())["pairs"])

    def written(self):
        names = ("comparison.png", "report.html", "comparison.json")
        return f"wrote {', '.join(str(self.output_dir / name) for name in names)}"

    def test_an_error_in_a_later_pair(self):
        self.painting(ENTRIES, InputError("the loss is inf"))
        with self.assertRaises(InputError) as caught:
            self.compare(**self.pairs)
        message = f"the loss is inf; after 1 of 3 pairs; {self.written()}"
        self.assertEqual(str(caught.exception), message)
        self.assertEqual(self.pairs_written(), 1)
        self.assertEqual((self.output_dir / "report.html").read_text().count("<table>"), 1)

    def test_our_own_faults_stay_as_they_are(self):
        fault = ZeroDivisionError("fault")
        self.painting(ENTRIES, ENTRIES, fault)
        with self.assertRaises(ZeroDivisionError) as caught:
            self.compare(**self.pairs)
        self.assertIs(caught.exception, fault)
        self.assertEqual(self.pairs_written(), 2)

    def test_before_the_first_pair_nothing_is_written(self):
        self.painting(KeyboardInterrupt())
        with self.assertRaises(KeyboardInterrupt) as caught:
            self.compare(**self.pairs)
        self.assertEqual((str(caught.exception), self.files()), ("", {}))

    def signal_after(self, pair, step, entries):
        """Ctrl-C after a step of a pair, which becomes these entries."""

        def paint(*arguments, follow, **given):
            if painted.call_count < pair:
                return ENTRIES
            for number, _ in enumerate(follow(fake_run([3.0, 2.0, 1.0]))):
                if number == step:
                    app._on_signal(signal.SIGHUP, None)
            self.assertEqual(number, step)
            return entries

        painted = self.painting()
        painted.side_effect = paint
        return painted

    def test_a_signal_between_steps_leaves_the_picture_so_far(self):
        """The next pair is not begun."""
        partial = [*ENTRIES[:2], replace(ENTRIES[2], name="optimised to 66%")]
        painted = self.signal_after(2, 1, partial)
        with self.assertRaises(KeyboardInterrupt) as caught:
            self.compare(**self.pairs)
        where = "after 2 of 3 pairs, the last optimised to 66%"
        self.assertEqual(str(caught.exception), f"{where}; {self.written()}")
        self.assertEqual((painted.call_count, self.pairs_written()), (2, 2))

    def test_a_signal_after_the_last_step_stops_nothing(self):
        self.signal_after(3, 2, ENTRIES)
        out, _ = self.compare(**self.pairs)
        self.assertEndsWith(out, f"{self.written()}\n")
        self.assertFalse(app.interrupted())
        self.assertEqual(self.pairs_written(), 3)

    def test_a_signal_before_the_first_step_is_raised(self):
        self.painting()

        def run():
            app._on_signal(signal.SIGINT, None)
            yield

        with self.assertRaises(KeyboardInterrupt):
            list(compare._until_stopped(run()))

    def test_a_failure_of_the_optimization_is_raised(self):
        self.painting()

        def run():
            yield from fake_run([3.0])
            raise InputError("the loss is inf")

        with self.assertRaisesRegex(InputError, "the loss is inf"):
            list(compare._until_stopped(run()))

    def test_a_full_disk_takes_what_it_has_room_for(self):
        noise = np.random.default_rng(0).random((36, 48, 3), np.float32)
        self.painting([replace(entry, rgb=noise) for entry in ENTRIES])
        with file_size_limit(4000), self.assertRaises(InputError) as caught:
            self.compare()
        message = str(caught.exception)
        self.assertRegex(message, "comparison.png: cannot be written .*report.html: cannot be")
        self.assertEndsWith(message, f"; wrote {self.output_dir / 'comparison.json'}")


if __name__ == "__main__":
    absltest.main()
