"""The page as a browser speaks with it, with a painter that only pretends."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image
from testing.page import Browser, StubPainter, file_data, served
from testing.pictures import PAINTING, PHOTOGRAPH

from nst_tf import InputError, Settings
from nst_tf.app import output_folder, previews
from nst_tf.images import image_io, png_text


class PageTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (cls.folder / "style").mkdir()
        shutil.copy(PAINTING, cls.folder / "style")
        cls.painter, cls.output = StubPainter(), cls.folder / "output"
        cls.output.mkdir()
        cls.address, cls.visits = stack.enter_context(
            served(cls.painter, [cls.folder / "style"], cls.output)
        )

    def setUp(self):
        super().setUp()
        self.browser = Browser(self.address, self.id())
        self.addCleanup(self.visits.close, self.id())

    def last(self, *event, **given):
        *_, found = self.browser.send(*event, **given)
        return found

    def give(self, path=PHOTOGRAPH):
        """Send a photograph, and choose the offered painting."""
        self.browser.set(photograph=self.browser.upload(path), setting_size=64)
        found = self.last("photograph", "input")
        self.browser.set(photograph=found["photograph"])
        found = self.last("offered", "select", data={"index": 0, "value": None})
        self.browser.set(**{"painting-1": found["painting-1"]})

    def paint(self, name="paint"):
        """Click a button, and have the run follow that it asks for; all updates of that."""
        *_, prepared = self.browser.send(name)
        self.browser.set(setting_size=prepared["setting-size"])
        self.assertIn("<img", prepared["live"], prepared)
        return [*self.browser.send(None, "change")]

    def test_paint_and_go_on(self):
        self.give()
        started, *snapshots, ended = self.paint()
        self.assertLen(snapshots, 3)
        for number, found in enumerate(snapshots, 1):
            self.assertIn("data:image/jpeg;base64,", found["live"])
            self.assertIn(f"step {number} of 3 · 0:0{number} gone", found["line"])
        self.assertIn("painted in 0:07 · 512 x 384 px", ended["line"])
        file = Path(ended["download"]["path"])
        self.assertEqual(file.name, "raccoon_vangogh_village_street_in_auvers.png")
        self.assertEqual(png_text.read(file.read_bytes()), '{"a": 1}')
        self.assertIn(file.name, {each.name for each in self.output.iterdir()})
        request = self.painter.requests[-1]
        self.assertEqual(request.settings, Settings(size=64))
        read = image_io.read(PHOTOGRAPH, long_side=64)
        np.testing.assert_array_equal(request.photograph.rgb, read.rgb)
        self.assertIsNone(request.keep_mask)
        self.paint("go-on")
        picture, again = self.painter.continued[-1]
        self.assertIs(picture.request.photograph, again.photograph)
        self.assertEqual(again.settings, request.settings)
        ended = self.paint("twice")[-1]
        self.assertEqual(self.painter.continued[-1][1].settings, Settings(size=128))
        self.assertEqual(self.browser.values[self.browser.ids["setting-size"]], 128)
        self.assertLen(ended["history"], 3)
        found = self.last("history", "select", data={"index": 0, "value": None})
        self.assertEqual(found["setting-size"], 64)
        self.assertEqual(found["download"]["path"], str(file))
        for index in (-1, 3, "0", [0], None):
            found = self.last("history", "select", data={"index": index, "value": None})
            self.assertIn("role='alert'", found["line"], index)

    def test_a_picture_that_the_owner_cannot_keep_is_the_visitors(self):
        self.give()
        full = InputError("output: No space left on device")
        with mock.patch.object(output_folder, "keep", side_effect=full):
            ended = self.paint()[-1]
        self.assertIn("No space left", ended["line"])
        self.assertTrue(Path(ended["download"]["path"]).is_file())

    def test_an_event_that_comes_again_with_what_is_shown(self):
        self.give()
        self.assertNotIn("role='alert'", str(self.last("photograph", "input")))
        self.browser.set(**{"painting-1": self.browser.upload(PAINTING)})
        shown = self.last("painting-1", "input")["painting-1"]
        self.browser.set(**{"painting-1": shown})
        self.assertNotIn("painting-1", self.last("painting-1", "input"))
        self.assertIn("painted in", self.last("fast")["line"])

    def test_a_brush_that_nobody_has_seen(self):
        self.give()
        shown = self.browser.values[self.browser.ids["photograph"]]
        self.browser.set(drawing={"background": shown, "layers": [], "composite": shown})
        self.assertIn("painted in", self.last("fast")["line"])

    def test_one_thing_at_a_time(self):
        self.give()
        *_, prepared = self.browser.send("paint")
        for name in ("paint", "fast", "twice"):
            found = self.last(name)
            self.assertEqual([*found], ["line"], name)
            self.assertIn("a picture is being painted; stop it first", found["line"])
        ended = [*self.browser.send(None, "change")][-1]
        self.assertIn("painted in", ended["line"])

    def test_a_visit_that_has_ended_says_so(self):
        self.give()
        self.visits.close(self.id())
        self.assertIn("the visit has ended; reload the page", self.last("paint")["line"])

    def test_a_visit_that_ends_while_it_is_given_a_picture(self):
        def write(path, picture):
            self.visits.close(self.id())
            path.parent.mkdir(parents=True)  # as if it had been written just before
            path.touch()
            return path

        with mock.patch.object(previews, "write_picture", write):
            self.browser.set(photograph=self.browser.upload(PHOTOGRAPH))
            self.last("photograph", "input")
        self.assertFalse(self.visits.of(self.id()).folder.exists())

    def test_a_run_that_was_asked_for_as_its_visit_ended(self):
        self.give()
        *_, prepared = self.browser.send("paint")
        self.browser.set(setting_size=prepared["setting-size"])
        self.visits.of(self.id()).is_closed = True  # nobody has stopped its job
        before = len(self.painter.runs)
        self.assertIn("stopped before", [*self.browser.send(None, "change")][-1]["line"])
        self.assertLen(self.painter.runs, before)

    def test_the_servers_own_files_are_neither_opened_nor_deleted(self):
        (thumbnail,) = self.visits.folder.glob("*vangogh*.jpg")
        self.browser.set(photograph=file_data(thumbnail))
        self.assertIn("was not sent to this page", self.last("photograph", "input")["line"])
        self.visits.close(self.id())
        self.assertTrue(thumbnail.exists())

    def test_a_drawing_larger_than_the_page_shows(self):
        self.give()
        path = self.folder / "layer.png"
        Image.new("RGBA", (4000, 4000)).save(path)
        layers = [self.browser.upload(path)]
        self.browser.set(drawing={"background": None, "layers": layers, "composite": None})
        self.assertIn("brush: 4000 x 4000 px", self.last("fast")["line"])

    def test_fast(self):
        self.give()
        found = self.last("fast")
        self.assertIn("painted in 0:07", found["line"])
        self.assertEndsWith(found["download"]["path"], ".png")

    def test_the_file_is_painted_and_not_what_the_browser_shows(self):
        path = self.folder / "deep.tiff"
        rgb = np.random.default_rng(0).random([64, 48, 3], np.float32)
        image_io.write(path, rgb, bits=16)
        self.give(path)
        self.last("fast")
        photograph = self.painter.requests[-1].photograph
        np.testing.assert_array_equal(photograph.rgb, image_io.read(path).rgb)
        self.assertEqual(photograph.bits, 16)

    def test_what_is_missing_is_one_line(self):
        self.assertIn("photograph: none is there", self.last("paint")["line"])
        self.browser.set(photograph=self.browser.upload(PHOTOGRAPH))
        self.assertIn("painting: none is there", self.last("fast")["line"])
        self.assertIn("there is no picture to go on from", self.after_giving("go-on"))
        self.browser.set(**{"setting-size": -3})
        self.assertIn("size=-3: expected", self.last("paint")["line"])

    def after_giving(self, name):
        self.give()
        return self.last(name)["line"]

    def test_what_is_no_picture_is_one_line(self):
        path = self.folder / "photo.png"
        path.write_text("no picture")
        self.browser.set(photograph=self.browser.upload(path))
        found = self.last("photograph", "input")
        self.assertIsNone(found["photograph"])
        self.assertRegex(found["line"], "<p class='mistake' role='alert'>photo.png: is not a pic")

    @parameterized.parameters(
        "/etc/passwd", "../../../etc/passwd", "scratch/../../etc/passwd", "scratch", "", "a\0b"
    )
    def test_paths_of_the_browser_are_not_opened(self, path):
        path = path.replace("scratch", str(self.visits.folder))
        self.give()
        for value in ({"path": path}, file_data(path), {"path": path, "url": "http://a/b"}):
            with mock.patch.object(Path, "read_bytes", side_effect=AssertionError):
                self.browser.set(photograph=value)
                self.assertRefused(self.last("photograph", "input"))
                self.assertRefused(self.last("paint"))
            drawing = {"background": None, "layers": [value], "composite": None}
            self.browser.set(drawing=drawing)
            self.assertRefused(self.last("paint"))
            self.browser.set(drawing=None)

    def test_files_of_another_visit_are_not_opened(self):
        self.give()
        found = self.last("fast")["download"]["path"]
        other = Browser(self.address, f"{self.id()} other")
        self.addCleanup(self.visits.close, other.session)
        other.set(photograph=file_data(found))
        *_, found = other.send("photograph", "input")
        self.assertIn("was not sent to this page", found["line"])

    def assertRefused(self, found):
        """Gradio's error, or the page's line."""
        if found is not None:
            self.assertRegex(found["line"], "was not sent to this page|none is there")


if __name__ == "__main__":
    absltest.main()
