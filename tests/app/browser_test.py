"""The page in a browser: a picture from its photograph to its file."""

from pathlib import Path

import pytest
from absl.testing import absltest
from PIL import Image
from playwright.sync_api import expect
from testing.browser import BrowserTest
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES
from testing.visitor import Visitor

from nst_tf.run import record


@pytest.mark.slow
class PaintingTest(BrowserTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def test_from_a_photograph_to_a_file_and_on(self):
        visitor = Visitor(self.visit())
        visitor.give(PHOTOGRAPH, PAINTING)
        visitor.set(size=128, steps=300)
        visitor.paint()
        visitor.see(3)
        self.assertIn("step", visitor.line.inner_text())
        visitor.click("stop")
        visitor.expect("stopped after")
        stopped = visitor.download(self.folder)
        with Image.open(stopped) as picture:
            self.assertEqual(picture.size, (128, 96))
        found = record.read(stopped)
        self.assertEqual(found["settings"]["size"], 128)
        self.assertEqual(found["settings"]["steps"], 300)
        self.assertIn("stopped", found)
        before = stopped.read_bytes()

        visitor.set(steps=5)
        visitor.click("go-on")
        visitor.expect("painted in")
        finished = visitor.download(self.folder)
        self.assertNotIn("stopped", record.read(finished))
        self.assertNotEqual(finished.read_bytes(), before)

        visitor.click("twice")
        visitor.expect("256 x 192 px")
        visitor.expect("painted in")
        with Image.open(visitor.download(self.folder)) as picture:
            self.assertEqual(picture.size, (256, 192))
        expect(visitor.setting("size")).to_have_value("256")

        # The history: a picture brings its settings back, and two can be compared.
        _, largest = visitor.shown()
        thumbnails = visitor.page.locator("#history button.thumbnail-item")
        expect(thumbnails).to_have_count(3)
        thumbnails.first.click()
        expect(visitor.setting("steps")).to_have_value("300")
        expect(visitor.setting("size")).to_have_value("128")
        visitor.wait_until(lambda: visitor.shown()[1] != largest, "the first picture")
        first = visitor.shown()[1]
        visitor.page.get_by_label("the picture chosen before").check()
        visitor.wait_until(lambda: visitor.shown()[0] == largest, "the picture before")
        self.assertEqual(visitor.shown()[1], first)

    def test_fast(self):
        visitor = Visitor(self.visit())
        visitor.give(SAMPLES / "content" / "honey_bee.jpg")
        visitor.set(size=128)
        visitor.click("fast")
        visitor.expect("painted in")
        with Image.open(visitor.download(self.folder)) as picture:
            self.assertEqual(max(picture.size), 128)


if __name__ == "__main__":
    absltest.main()
