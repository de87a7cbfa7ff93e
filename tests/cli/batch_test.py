import itertools
import json
import os
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
from testing.reports import GREEN, filled
from testing.scripts import SMALL, ScriptTest, options

from nst_tf import InputError, file_lock
from nst_tf.batch import processes
from nst_tf.batch.requests import RenderResult
from nst_tf.cli import app, batch, stylize
from nst_tf.images import image_io
from nst_tf.networks import device

STYLES = (PAINTING, SAMPLES / "style" / "hokusai_great_wave.jpg")
OUTPUTS = {f"{content}__{style.stem}.png" for content in "ab" for style in STYLES}


class FolderTest(ScriptTest):
    """Two photographs and two paintings."""

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


class BatchTest(FolderTest):
    def test_paints_what_stylize_paints_shows_it_and_does_it_once(self):
        out, errors = self.batch()
        self.assertEqual(errors, "")
        device_line = f"on {device.describe()}\n"
        self.assertStartsWith(out, f"4 pictures, 0 of them done before\n{device_line}")
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


class EndTest(FolderTest):
    """How a batch ends whose workers paint in no time: all green."""

    def setUp(self):
        super().setUp()
        self.error, self.ending, self.count = None, None, None
        self.enter_context(mock.patch.object(processes, "render", self.render))

    def render(self, config, requests, **given):
        data = image_io.encode(filled(GREEN, 48, 64))
        for request in itertools.islice(requests, self.count):
            yield RenderResult(request.number, None if self.error else data, error=self.error)
        if self.ending is not None:
            raise self.ending

    def failed(self, words, **changes):
        """The lines that a batch prints which ends with this error."""
        printed = []
        with (
            mock.patch("builtins.print", lambda text, **_: printed.append(text)),
            self.assertRaisesRegex(InputError, words),
        ):
            self.batch(**changes)
        return printed

    def shown(self):
        """Whether sheet and page are there, and the links of the page."""
        page = (self.output_dir / "index.html").read_text()
        with Image.open(self.output_dir / "sheet.jpg") as sheet:
            sheet.load()
        return re.findall('href="(.*?)"', page)

    @parameterized.parameters(
        (KeyboardInterrupt(), "^after 1 of 4; the same command paints the rest$"),
        (InputError("the workers die as they start"), "^the workers die as they start$"),
        (ZeroDivisionError("fault"), "^fault$"),
    )
    def test_one_that_ends_early_shows_what_is_finished(self, ending, words):
        self.ending, self.count = ending, 1
        with self.assertRaisesRegex(type(ending), words):
            self.batch()
        self.assertLen(self.pictures(), 1)
        self.assertEqual(self.shown(), [*self.pictures()])
        self.ending, self.count = None, None
        out, _ = self.batch()
        self.assertStartsWith(out, "4 pictures, 1 of them done before\n")

    def test_one_that_ends_before_the_first_picture_writes_nothing(self):
        self.ending, self.count = InputError("no such model"), 0
        with self.refused("no such model"):
            self.batch()

    def test_a_folder_that_another_batch_paints_into_is_left_alone(self):
        self.count = 1
        self.batch()
        with open(self.output_dir / "batch.jsonl", "ab") as log:
            file_lock.lock(log, InputError("is locked"))
            with self.refused("another batch is painting into it"):
                self.batch()

    def test_a_page_that_cannot_be_written_does_not_hide_why_it_ended(self):
        self.ending, self.count = InputError("the workers die"), 1
        (self.output_dir / "index.html").mkdir(parents=True)
        with self.assertRaisesRegex(InputError, "the workers die"):
            self.batch(overwrite=True)

    def test_failures_are_listed_though_the_page_cannot_be_written(self):
        self.error = "is bad"
        (self.output_dir / "index.html").mkdir(parents=True)
        printed = self.failed("index.html: cannot be written", overwrite=True)
        self.assertLen([line for line in printed if line.endswith("  is bad")], 4)

    def test_an_error_that_comes_of_ctrl_c_is_not_the_pictures(self):
        self.error, self.count = "CancelledError: ", 1
        with (
            mock.patch.object(app, "interrupted", lambda: True),
            self.assertRaisesRegex(KeyboardInterrupt, "^after 0 of 4; "),
        ):
            self.batch()
        log = self.output_dir / "batch.jsonl"
        self.assertFalse(log.exists() and log.read_text())

    def signal_with_last_picture(self):
        """Ctrl-C, between the last picture and the end."""
        self.enter_context(mock.patch.object(app, "_signals", []))
        count, on_result = itertools.count(1), batch.BatchProgressBar.on_result

        def signaling(bar, entry):
            on_result(bar, entry)
            if next(count) == len(OUTPUTS):
                app._on_signal(signal.SIGINT, None)

        self.enter_context(mock.patch.object(batch.BatchProgressBar, "on_result", signaling))

    def test_a_signal_with_the_last_picture_stops_nothing(self):
        self.signal_with_last_picture()
        out, _ = self.batch()
        self.assertEndsWith(out, "index.html\n")
        self.assertFalse(app.interrupted())
        self.assertLen(self.shown(), 4)

    def test_a_signal_with_the_last_picture_does_not_hide_failures(self):
        self.signal_with_last_picture()
        self.error = "is bad"
        self.failed("^4 of 4 pictures failed")
        self.assertFalse(app.interrupted())

    def test_whatever_goes_wrong_with_one_the_others_are_shown_and_it_is_listed(self):
        read = image_io.read

        def failing(path, **options):
            if str(path) == str(self.contents / "a.jpg"):
                raise ZeroDivisionError("fault")
            return read(path, **options)

        load = image_io.load

        def out_of_memory(path):
            if str(path) == str(self.contents / "a.jpg"):
                raise MemoryError("too\nlarge")
            return load(path)

        with (
            mock.patch.object(image_io, "read", failing),
            mock.patch.object(image_io, "load", out_of_memory),
        ):
            head, *rows = self.failed("^2 of 4 pictures failed")[-3:]
        self.assertLen(self.shown(), 2)
        self.assertRegex(head, "^failed +why$")
        for row in rows:
            self.assertRegex(row, "^a__.*png +MemoryError: too large$")

    def test_names_that_are_no_utf_8(self):
        self.make(PHOTOGRAPH, self.contents / os.fsdecode(b"caf\xe9.jpg"))
        out, _ = self.batch()
        self.assertEndsWith(out, "index.html\n")
        self.assertIn(f"caf%E9__{STYLES[0].stem}.png", self.shown())
        out, _ = self.batch()
        self.assertStartsWith(out, "6 pictures, 6 of them done before\n")

    def test_a_failed_one_whose_name_is_no_utf_8(self):
        path = self.contents / os.fsdecode(b"caf\xe9.jpg")
        path.write_text("no picture")
        self.error = f"{path}: is not a picture"
        row = self.failed("^2 of 2", contents=[str(path)])[-1]
        self.assertRegex(row, r"^caf\\xe9__.*/caf\\xe9.jpg: is not a picture")

    def test_finished_pictures_of_another_method_are_kept(self):
        self.batch()
        with self.refused(
            f"output_dir={self.output_dir}: 4 finished pictures would be painted over (made with "
            "another method or settings); give another --output_dir, or --overwrite"
        ):
            self.batch(method="fast")
        next(iter(self.output_dir.glob("a__*.png"))).write_bytes(b"retouched")
        with self.refused("(3 made with another method or settings, 1 not made by a batch, or"):
            self.batch(method="fast")
        self.assertIn("\n4 of 4: ", self.batch(method="fast", overwrite=True)[0])

    @parameterized.parameters("index.html", "sheet.jpg", f"a__{STYLES[0].stem}.png")
    def test_files_of_someone_else_are_kept(self, name):
        self.output_dir.mkdir(parents=True)
        (self.output_dir / name).write_bytes(b"mine")
        with self.refused("--overwrite"):
            self.batch()
        self.batch(overwrite=True)
        self.assertNotEqual((self.output_dir / name).read_bytes(), b"mine")

    def test_a_folder_is_not_painted_into_that_a_link_is_read_from(self):
        (self.contents / "a.jpg").rename(self.folder / "elsewhere.jpg")
        (self.contents / "a.jpg").symlink_to(self.folder / "elsewhere.jpg")
        link = self.folder / "link"
        link.symlink_to(self.contents)
        with self.refused("which is read"):
            self.batch(output_dir=link, contents=[str(self.contents / "a.jpg")])

    def test_what_is_left_out_of_folders_is_told(self):
        (self.contents / "notes.txt").touch()
        (self.contents / "film.MOV").touch()
        out, _ = self.batch()
        counts = out.splitlines()[2].removeprefix(f"{self.contents}: left out ").split(", ")
        self.assertEqual(counts, ["1 .mov", "1 .txt"])


if __name__ == "__main__":
    absltest.main()
