import json
from dataclasses import replace
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, SAMPLES
from testing.scripts import SMALL, ScriptTest, options

from nst_tf.cli import compare
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


class CompareTest(ScriptTest):
    """Without painting, which comparison_test does."""

    def setUp(self):
        super().setUp()
        self.output_dir = self.folder / "new"

    def compare(self, settings=SMALL, **changes):
        given = {"content": [str(PHOTOGRAPH)], "style": [str(PAINTING)]}
        given |= {"output_dir": self.output_dir}
        return self.call(compare.compare, options(compare, **given | changes), settings)

    def test_writes_picture_page_and_numbers_of_each_pair(self):
        settings, styles = replace(SMALL, init=str(OTHER)), [str(PAINTING), str(OTHER)]
        with mock.patch.object(comparison, "compare", return_value=ENTRIES) as painted:
            out, errors = self.compare(settings, style=styles, handle=["a", "b"])
        for call, style in zip(painted.call_args_list, styles, strict=True):
            np.testing.assert_array_equal(call.args[0], image_io.read(PHOTOGRAPH).rgb)
            np.testing.assert_array_equal(call.args[1], image_io.read(style).rgb)
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
        ({"settings": replace(SMALL, init="a.jpg")}, "a.jpg: no such file"),
        ({"output_dir": ROOT / "README.md"}, "README.md is a file"),
        ({"content": ["a.jpg"] * 2, "style": ["b.jpg"] * 3}, "given 2 and 3 times"),
    )
    def test_what_does_not_fit(self, changes, *words):
        with self.refused(*words):
            self.compare(**changes)

    def test_files_of_the_user_are_not_overwritten(self):
        content = self.folder / "comparison.png"
        image_io.write(content, RGB)
        with self.refused("comparison.png: would overwrite"):
            self.compare(content=[str(content)], output_dir=self.folder)


if __name__ == "__main__":
    absltest.main()
