import os
from fractions import Fraction
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image

from nst_tf.errors import InputError
from nst_tf.video.film import open_film


class FrameFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def write(self, *names, size=(64, 48)):
        """Pictures whose gray is ten times their number in this order."""
        for number, name in enumerate(names, start=1):
            Image.new("RGB", size, (10 * number,) * 3).save(self.folder / name)

    def found(self, content, **options):
        film = open_film(content, size=0, **options)
        frames = [*film.frames()]
        self.assertLen(frames, film.num_frames)
        self.assertEqual(film.size, frames[0].rgb.shape[:2])
        return [round(float(frame.rgb[0, 0, 0]) * 25.5) for frame in frames]

    def test_a_folder_in_the_order_of_its_numbers(self):
        self.write("frame_1.png", "frame_2.jpg", "frame_10.png", "frame_11.bmp")
        (self.folder / "notes.txt").write_text("no picture")
        (self.folder / ".hidden.png").write_bytes(b"no picture")
        (self.folder / "folder.png").mkdir()
        self.assertEqual(self.found(str(self.folder)), [1, 2, 3, 4])

    def test_patterns(self):
        self.write("a0001.png", "a0002.png", "a0010.png", "b0001.png", "a12.png", "ax.png")
        for pattern, expected in (
            ("a*.png", [1, 2, 3, 5, 6]), ("a00??.png", [1, 2, 3]), ("a%04d.png", [1, 2, 3]),
            ("a%d.png", [1, 2, 3, 5]), ("[ab]0001.png", [1, 4]), ("b%04d.png", [4]),
        ):  # fmt: skip
            self.assertEqual(self.found(str(self.folder / pattern)), expected, pattern)

    def test_a_folder_that_is_named_as_a_pattern(self):
        folder = self.folder / "100%d [x]"
        folder.mkdir()
        Image.new("RGB", (64, 48)).save(folder / "1.png")
        Image.new("RGB", (64, 48)).save(folder / "2.png")
        self.assertLen(self.found(str(folder)), 2)

    def test_times(self):
        self.write("1.png", "2.png", "3.png", "4.png")
        with self.assertLogs("nst_tf", "INFO") as logs:
            film = open_film(str(self.folder), size=32)
        self.assertIn("is shown at 24 frames a second; --fps changes it", logs.output[0])
        self.assertEqual([x.time for x in film.frames()], [Fraction(n, 24) for n in range(4)])
        with self.assertNoLogs("nst_tf", "INFO"):
            film = open_film(str(self.folder), size=32, fps=10, start=0.1, seconds=0.2)
        frames = [*film.frames()]
        self.assertEqual([x.time for x in frames], [0, Fraction(1, 10)])
        self.assertEqual((film.rate, film.size, film.sound), (10, (24, 32), None))
        self.assertAlmostEqual(float(frames[0].rgb[0, 0, 0]) * 255, 20, delta=0.5)

    def test_what_is_transparent_is_white(self):
        image = Image.new("RGBA", (64, 48), (255, 0, 0, 255))
        image.paste((0, 0, 0, 0), (32, 0, 64, 48))
        image.save(self.folder / "1.png")
        (frame,) = open_film(str(self.folder), size=0).frames()
        np.testing.assert_allclose(frame.rgb[20, [10, 50]], [[1, 0, 0], [1, 1, 1]], atol=0.01)

    def test_the_fingerprint(self):
        self.write("1.png", "2.png")
        prints = [open_film(str(self.folder), size=0).fingerprint for _ in range(2)]
        os.utime(self.folder / "2.png", (1, 1))
        prints.append(open_film(str(self.folder), size=0).fingerprint)
        (self.folder / "2.png").rename(self.folder / "3.png")
        prints.append(open_film(str(self.folder), size=0).fingerprint)
        self.assertEqual(prints[0], prints[1])
        self.assertLen({*prints}, 3)

    def test_refusals(self):
        def refused(content, words, **options):
            with self.assertRaisesRegex(InputError, words):
                for _ in open_film(str(self.folder / content), size=0, **options).frames():
                    pass

        refused("", "no pictures in that folder; expected frames, as 0001.png")
        refused("a*.png", r"a\*.png: no pictures of that name")
        self.write("1.png", "2.png")
        refused("%04d.png", "no pictures of that name")
        refused("", "^start=9: .* has 2 frames, at 24 a second", start=9)
        self.write("3.png", size=(62, 48))
        refused("", "3.png: is 62 x 48 px, 1.png 64 x 48 px; expected frames of one size")
        (self.folder / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
        refused("", "3.png: is damaged or cut short")


if __name__ == "__main__":
    absltest.main()
