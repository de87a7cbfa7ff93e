import tracemalloc
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.image_files import SWAPPED, encode_pillow, encode_png16, encode_tiff, exif

from nst_tf.errors import InputError
from nst_tf.images import image_io, samples

# Boxes of 4 x 4 that are averaged exactly: plain, each in another color.
HEIGHT, WIDTH, FACTOR = 1200, 1600, 4
SMALL = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
LARGE = SMALL.repeat(4, axis=0).repeat(4, axis=1)
LARGE16 = LARGE.astype(np.uint16) * 257
LONG_SIDE = 200
FILES = {
    "png": encode_pillow(LARGE, "RGB", "PNG", compress_level=1),
    "bmp": encode_pillow(LARGE, "RGB", "BMP"),
    "tiff": encode_pillow(LARGE, "RGB", "TIFF"),
    "png16": encode_png16(LARGE16),
    "tiff16": encode_tiff(LARGE16, photometric="rgb"),
    "webp": encode_pillow(LARGE, "RGB", "WEBP", lossless=True, method=0),
}


class ReductionTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(
        (4000, 3000, 0, 1),
        (4000, 3000, 1001, 1),
        (4000, 3000, 1000, 2),
        (3000, 4000, 512, 3),
        (16000, 12500, 512, 15),
        (20000, 300, 512, 1),  # the short side stays
        (20000, 1250, 512, 2),
    )
    def test_factor(self, width, height, long_side, factor):
        self.assertEqual(samples.reduction(width, height, long_side), factor)

    @parameterized.parameters(*FILES)
    def test_boxes_are_averaged(self, kind):
        found = image_io.read("file", FILES[kind], long_side=LONG_SIDE)
        self.assertAllClose(found.rgb, SMALL / 255, rtol=0, atol=1e-6)
        self.assertEqual(found.bits, 16 if kind.endswith("16") else 8)
        whole = image_io.read("file", FILES[kind], long_side=LONG_SIDE * 2 + 1)
        self.assertAllClose(whole.rgb, LARGE / 255, rtol=0, atol=1e-6)

    def test_mean_is_rounded_and_borders_are_smaller_boxes(self):
        pixels = np.random.default_rng(1).integers(0, 256, (1027, 1031, 3), dtype=np.uint8)
        found = image_io.read("file", encode_pillow(pixels, "RGB", "BMP"), long_side=128).rgb * 255
        self.assertEqual(found.shape, (257, 258, 3))
        mean = pixels[:1024, :1028].reshape(256, 4, 257, 4, 3).mean((1, 3))
        self.assertAllClose(found[:256, :257], np.floor(mean + 0.5), atol=1e-3)
        self.assertAllClose(
            found[256, 257], np.floor(pixels[1024:, 1028:].mean((0, 1)) + 0.5), atol=1e-3
        )

    @parameterized.parameters({}, {"progressive": True})
    def test_jpeg_is_reduced_by_its_decoder(self, **options):
        smooth = np.asarray(Image.fromarray(SMALL[::50, ::50]).resize((WIDTH, HEIGHT)))
        data = encode_pillow(smooth, "RGB", "JPEG", quality=95, **options)
        draft = mock.patch.object(samples, "_box_reduce", side_effect=AssertionError)
        with draft:
            found = image_io.read("file", data, long_side=LONG_SIDE).rgb
        self.assertEqual(found.shape, (300, 400, 3))
        mean = smooth.reshape(300, 4, 400, 4, 3).mean((1, 3)) / 255
        self.assertAllClose(found, mean, rtol=0, atol=0.05)

    @parameterized.parameters(8, 16)
    def test_hidden_colors_do_not_bleed(self, bits):
        alpha = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
        alpha[:602, 1:] = 255  # boxes at the left are three quarters opaque, a row a half
        visible = np.where(alpha > 0, LARGE, np.array([0, 255, 0], np.uint8))
        pixels = np.concatenate([visible, alpha], axis=-1)
        data = encode_pillow(pixels, "RGBA", "PNG", compress_level=1)
        if bits == 16:
            data = encode_png16(pixels.astype(np.uint16) * 257)
        found = image_io.read("file", data, long_side=LONG_SIDE)
        self.assertAllClose(found.rgb[:151], SMALL[:151] / 255, rtol=0, atol=0.6 / 255)
        self.assertAllClose(found.alpha[:150, 0], np.full(150, 0.75), rtol=0, atol=0.6 / 255)
        self.assertAllClose(found.alpha[150, 1:], np.full(399, 0.5), rtol=0, atol=0.6 / 255)
        self.assertAllEqual(found.alpha[151:], np.zeros((149, 400)))

    def test_palette_and_profile_and_orientation(self):
        palette = np.random.default_rng(2).integers(0, 256, (256, 3), dtype=np.uint8)
        data = encode_pillow(LARGE[..., 0], "P", "PNG", palette, compress_level=1)
        found = image_io.read("file", data, long_side=LONG_SIDE)
        self.assertAllClose(found.rgb, palette[SMALL[..., 0]] / 255, rtol=0, atol=1e-6)
        options = {"icc_profile": SWAPPED, "exif": exif(6), "compress_level": 1}
        data = encode_pillow(LARGE, "RGB", "PNG", **options)
        found = image_io.read("file", data, long_side=LONG_SIDE)
        expected = np.rot90(SMALL, -1)[..., [1, 0, 2]] / 255
        self.assertAllClose(found.rgb, expected, rtol=0, atol=1.5 / 255)

    def test_picture_over_the_limit_is_read_where_it_is_reduced(self):
        limit = mock.patch.object(samples, "MAX_BYTES", 4 * HEIGHT * WIDTH)
        with limit:
            self.assertEqual(
                image_io.read("f", FILES["png"], long_side=200).rgb.shape[:2], (300, 400)
            )
            with self.assertRaisesRegex(InputError, "f: is 1600 x 1200 px, 24 MB in memory"):
                image_io.read("f", FILES["png"])

    def test_memory_is_not_that_of_the_whole_picture_in_floats(self):
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        image_io.read("file", FILES["png"], long_side=LONG_SIDE)
        peak = tracemalloc.get_traced_memory()[1]
        self.assertLess(peak, LARGE.nbytes)  # floats would take four times as much


if __name__ == "__main__":
    tf.test.main()
