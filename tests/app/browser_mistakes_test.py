"""Bad input to the page in a browser: one line, and the server goes on."""

from pathlib import Path

import numpy as np
import pytest
from absl.testing import absltest
from PIL import Image
from playwright.sync_api import expect
from testing.browser import LONG, BrowserTest
from testing.pictures import PAINTING, PHOTOGRAPH
from testing.visitor import Visitor


@pytest.mark.slow
class MistakesTest(BrowserTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.visitor = Visitor(self.visit())

    def drop(self, name, path):
        self.visitor.page.locator(f"#{name} input[type=file]").set_input_files(path)

    def assert_line(self, *words):
        mistake = self.visitor.page.locator("#line .mistake")
        for word in words:
            expect(mistake).to_contain_text(word, timeout=LONG)
        self.assertNotIn("\n", mistake.inner_text())

    def test_files(self):
        text, thin, cut = (self.folder / name for name in ("text.png", "thin.png", "cut.jpg"))
        text.write_text("no picture")
        Image.fromarray(np.zeros([5, 2000, 3], np.uint8)).save(thin)
        cut.write_bytes(PHOTOGRAPH.read_bytes()[:20_000])
        self.drop("photograph", text)
        self.assert_line("text.png")
        self.drop("photograph", cut)
        self.assert_line("cut.jpg")
        self.visitor.give(PHOTOGRAPH)
        self.visitor.set(size=128, steps=2)
        self.drop("painting-1", text)
        self.assert_line("text.png")
        self.visitor.give(thin, PAINTING)
        self.visitor.click("paint")
        self.assert_line("2000")
        # The server goes on.
        self.visitor = Visitor(self.visit())
        self.visitor.give(PHOTOGRAPH)
        self.visitor.set(size=128, steps=2)
        self.visitor.click("paint")
        self.visitor.expect("painted in")

    def test_nothing_given(self):
        self.visitor.click("fast")
        self.assert_line("photograph: none")
        self.visitor.give_photograph(PHOTOGRAPH)
        self.visitor.click("paint")
        self.assert_line("painting: none")

    def test_settings(self):
        self.visitor.give(PHOTOGRAPH)
        self.visitor.set(steps=0)
        self.visitor.click("paint")
        self.assert_line("steps=0")
        self.visitor.set(steps=2, style_layers="sky")
        self.visitor.click("paint")
        self.assert_line("sky")


if __name__ == "__main__":
    absltest.main()
