import io

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.image_files import png_header

from nst_tf.images import codecs, png_text

RGB = np.random.default_rng(0).integers(0, 65536, (6, 5, 3), dtype=np.uint16)
TEXT = '{"size": 512}'


class PngTextTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(np.uint8, np.uint16)
    def test_round_trip(self, dtype):
        plain = codecs.encode(RGB.astype(dtype), "PNG")
        png = png_text.insert(plain, TEXT)
        self.assertEqual(png_text.read(png), TEXT)
        self.assertIsNone(png_text.read(plain))
        # Others find the text too, and the pixels are the same.
        with Image.open(io.BytesIO(png)) as image, Image.open(io.BytesIO(plain)) as other:
            self.assertEqual(image.text, {"nst_tf": TEXT})
            self.assertAllEqual(np.asarray(image), np.asarray(other))

    def test_pixels_are_neither_decoded_nor_counted(self):
        missing = png_header(2**31 - 1, 2**31 - 1, 8)
        self.assertEqual(png_text.read(png_text.insert(missing, TEXT)), TEXT)

    def test_other_and_damaged_files_have_none(self):
        png = bytearray(png_text.insert(codecs.encode(RGB, "PNG"), TEXT))
        png[50] ^= 1
        jpeg = codecs.encode(RGB.astype(np.uint8), "JPEG")
        for data in (b"", b"{}", jpeg, bytes(png), bytes(png[:20]), bytes(png[:45])):
            self.assertIsNone(png_text.read(data))


if __name__ == "__main__":
    tf.test.main()
