import itertools
import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from unittest import mock

import pytest
from absl.testing import absltest, parameterized
from PIL import Image
from testing import signaled
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, SAMPLES
from testing.scripts import SMALL, ScriptTest, options

from nst_tf import InputError
from nst_tf.batch import processes
from nst_tf.cli import batch, stylize

STYLES = (PAINTING, SAMPLES / "style" / "hokusai_great_wave.jpg")
OUTPUTS = {f"{content}__{style.stem}.png" for content in "ab" for style in STYLES}


class BatchTest(ScriptTest):
    def setUp(self):
        super().setUp()
        self.contents, self.styles = self.folder / "photographs", self.folder / "paintings"
        self.output_dir = self.folder / "new" / "painted"
        for folder in (self.contents, self.styles):
            folder.mkdir()
        for name in ("a.jpg", "b.png"):
            self.make(PHOTOGRAPH, self.contents / name)
        for path in STYLES:
            self.make(path, self.styles / path.name)

    def make(self, picture, path):
        with Image.open(picture) as opened:
            opened.resize((64, 48)).save(path)

    def batch(self, settings=SMALL, given=(), **changes):
        paths = {"contents": [str(self.contents)], "styles": [str(self.styles)]}
        changes = {**paths, "output_dir": self.output_dir, **changes}
        return self.call(batch.run, options(batch, **changes), settings, given)

    def pictures(self):
        return {path.name: path.read_bytes() for path in self.output_dir.glob("*.png")}

    def entries(self):
        lines = (self.output_dir / "batch.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def test_paints_what_stylize_paints_shows_it_and_does_it_once(self):
        out, errors = self.batch()
        self.assertEqual(errors, "")
        self.assertStartsWith(out, "4 pictures, 0 of them done before\n")
        self.assertRegex(out, r"\n4 of 4: b__\w+\.png painted; 0:00:00 left\n")
        sheet, page = self.output_dir / "sheet.jpg", self.output_dir / "index.html"
        self.assertEndsWith(out, f"\nlook at {sheet}, or open {page}\n")
        with Image.open(sheet) as opened:
            self.assertGreater(min(opened.size), 100)
        pictures = self.pictures()
        self.assertEqual({*pictures}, OUTPUTS)
        for name in OUTPUTS:
            self.assertIn(f'href="{name}"', page.read_text())

        single = options(
            stylize,
            content=self.contents / "a.jpg",
            style=[str(self.styles / STYLES[1].name)],
            output=self.output,
        )
        flags = {"style_blend": [], "style_layers": None, "recipe": "default"}
        self.call(stylize.stylize, single, SMALL, (), None, flags)
        self.assertEqual(pictures[f"a__{STYLES[1].stem}.png"], self.output.read_bytes())

        out, _ = self.batch()
        self.assertStartsWith(out, "4 pictures, 4 of them done before\n")
        self.assertEqual(self.pictures(), pictures)
        self.assertLen(self.entries(), 4)

    @parameterized.parameters("optimize", "fast")
    def test_bad_files_among_good_ones(self, method):
        (self.contents / "bad.jpg").write_bytes((self.contents / "a.jpg").read_bytes()[:200])
        (self.contents / "notes.txt").write_text("not to be read")
        with self.assertRaisesRegex(InputError, "^2 of 6 pictures failed; the same command tries"):
            self.batch(method=method)
        self.assertEqual({*self.pictures()}, OUTPUTS)
        self.assertLen([entry for entry in self.entries() if entry["error"]], 2)
        self.assertIn("bad.jpg: ", (self.output_dir / "index.html").read_text())
        self.make(PHOTOGRAPH, self.contents / "bad.jpg")
        out, _ = self.batch(method=method)
        self.assertStartsWith(out, "6 pictures, 4 of them done before\n")
        self.assertLen(self.pictures(), 6)

    def test_failures_are_a_table(self):
        bad = self.contents / "bad.jpg"
        bad.write_text("not a picture")
        printed = []
        with mock.patch("builtins.print", lambda text, **_: printed.append(text)):
            with self.assertRaises(InputError):
                self.batch(contents=[str(bad)])
        head, *rows = printed[-3:]
        self.assertRegex(head, r"^failed +why$")
        for row, style in zip(rows, sorted(STYLES), strict=True):
            self.assertRegex(row, rf"^bad__{style.stem}\.png +{re.escape(str(bad))}: ")

    def test_stopped_it_says_how_many_are_done(self):
        def interrupted(*arguments, **given):
            yield from itertools.islice(render(*arguments, **given), 1)
            raise KeyboardInterrupt

        render = processes.render
        with mock.patch.object(processes, "render", interrupted):
            with self.assertRaisesRegex(
                KeyboardInterrupt, "^after 1 of 4; the same command paints"
            ):
                self.batch()
        self.assertLen(self.pictures(), 1)
        out, _ = self.batch()
        self.assertStartsWith(out, "4 pictures, 1 of them done before\n")

    @pytest.mark.slow
    def test_stopped_with_two_workers_it_loses_nothing(self):
        # When the first picture is written.
        harness = [
            signaled.__file__,
            str(int(signal.SIGINT)),
            "nst_tf.atomic_files",
            "replace",
            "1",
        ]
        flags = [f"--contents={self.contents}", f"--styles={self.styles}", "--workers=2"]
        flags += [f"--output_dir={self.output_dir}", "--size=48", "--steps=20"]
        script = [ROOT / "scripts" / "batch.py", *flags]
        found = subprocess.run([sys.executable, *harness, *script], capture_output=True, text=True)
        self.assertEqual(
            (found.returncode, found.stderr),
            (130, "batch: stopped after 1 of 4; the same command paints the rest\n"),
        )
        self.assertLen(self.pictures(), 1)
        self.assertLen(self.entries(), 1)

    @pytest.mark.slow
    def test_workers_and_a_cluster_paint_the_same_bytes(self):
        pytest.importorskip("ray", reason="Ray is not installed: requirements-ray.txt")
        self.batch(workers=2, threads=1)
        expected = self.pictures()
        self.batch(output_dir=self.folder / "ray", runner="ray", workers=1, threads=1)
        found = {path.name: path.read_bytes() for path in (self.folder / "ray").glob("*.png")}
        self.assertEqual(found, expected)

    @parameterized.parameters(
        ({"styles": ["no/*.jpg"]}, "styles=no/*.jpg: no images found"),
        ({"output_dir": "/proc/nst_tf"}, "cannot be written"),
        ({"method": "fast", "handle": "no/model"}, "there is no such folder"),
        ({"method": "fast", "given": ["size", "steps"]}, "steps: method=fast takes no such"),
        ({"ray_address": "127.0.0.1:1"}, "ray_address=127.0.0.1:1: expected --runner=ray"),
        ({"settings": replace(SMALL, init="a.jpg")}, "init=a.jpg: expected content or noise"),
        ({"settings": replace(SMALL, style_layers=["x"])}, "style_layers=x: vgg19 has no"),
    )
    def test_what_does_not_fit(self, changes, words):
        with self.refused(words):
            self.batch(**changes)

    def test_folders_that_do_not_fit(self):
        empty = self.folder / "empty"
        empty.mkdir()
        with self.refused(f"contents={empty}: no images found"):
            self.batch(contents=[str(empty)])
        with self.refused(f"output_dir={self.contents}: ", "which is read"):
            self.batch(output_dir=self.contents)


if __name__ == "__main__":
    absltest.main()
