"""Brush, gallery and mixtures of the page in a browser."""

from pathlib import Path

import numpy as np
import pytest
from absl.testing import absltest
from testing.browser import BrowserTest
from testing.pictures import PHOTOGRAPH, SAMPLES
from testing.visitor import Visitor

from nst_tf import Settings, Style
from nst_tf.images import image_io
from nst_tf.images.pixels import resize
from nst_tf.run import record
from nst_tf.run.pyramid import style_long_side

# Of 8 bits, rounded.
EQUAL = 1.5 / 255


@pytest.mark.slow
class PaintingsTest(BrowserTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.visitor = Visitor(self.visit())

    def paint(self):
        """The record and the picture that come of it."""
        self.visitor.click("paint")
        self.visitor.expect("painted in")
        file = self.visitor.download(self.folder)
        return record.read(file), image_io.read(file).rgb

    def test_what_is_drawn_on_is_kept(self):
        self.visitor.give(PHOTOGRAPH)
        self.visitor.set(size=128, steps=3)
        self.visitor.draw(0.3, 0.5, 0.7, 0.5)
        found, picture = self.paint()
        self.assertIsNotNone(found["images"]["keep_mask"])
        photograph = resize(image_io.read(PHOTOGRAPH).rgb, *picture.shape[:2])
        change = np.abs(picture - photograph).max(axis=-1)
        middle = change[picture.shape[0] // 2 - 1 :][:2, 50:78]
        self.assertLess(middle.max(), EQUAL)
        for far in (change[:20], change[-20:]):
            self.assertGreater((far > EQUAL).mean(), 0.9)

    def choose(self, index, slot):
        """Click a painting of the gallery, and wait until it is in its slot."""
        image = self.visitor.page.locator(f"#painting-{slot} img")
        before = image.get_attribute("src") if image.count() else None
        self.visitor.page.locator("#offered button").nth(index).click()
        self.visitor.wait_until(
            lambda: image.count() and image.get_attribute("src") != before, "another painting"
        )

    def test_a_mixture_of_the_gallery(self):
        self.visitor.give(PHOTOGRAPH)
        self.choose(1, slot=1)
        self.visitor.page.locator("#mixed input").check()
        self.choose(0, slot=2)
        weight = self.visitor.page.get_by_role("spinbutton", name="weight").nth(1)
        weight.fill("0.25")
        weight.press("Tab")
        self.visitor.set(size=128, steps=2)
        found, _ = self.paint()
        paths = sorted((SAMPLES / "style").iterdir())
        settings = Settings(size=128, steps=2)
        side = style_long_side(settings, 128)
        expected = record.run_inputs(
            image_io.read(PHOTOGRAPH, long_side=128).rgb,
            [
                Style(image_io.read(paths[1], long_side=side).rgb),
                Style(image_io.read(paths[0], long_side=side).rgb, weight=0.25),
            ],
            settings,
            weights_sha256=None,
        )
        self.assertEqual(found["images"], expected["images"])
        self.assertEqual(found["settings"], expected["settings"])


if __name__ == "__main__":
    absltest.main()
