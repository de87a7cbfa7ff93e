import time
import tracemalloc
from unittest import mock

import numpy as np
import tensorflow as tf
from testing.image_files import encode_pillow, encode_png16, encode_tiff, exif, png_chunk

from nst_tf.errors import InputError
from nst_tf.images import image_io, samples

FILES = 500
# Of the same files before PNGs were taken apart, JPEGs completed and AVIF read, in percent.
READ_BEFORE = 26
# Whole, the files have 3072 pixels; damaged ones may say that they have more.
MAX_BYTES = 2**26


def originals():
    """A small picture in each kind of file, with side chunks and metadata."""
    y, x = np.mgrid[0:48, 0:64]
    planes = [128 + 100 * np.sin(x / 7), 128 + 100 * np.cos(y / 5), (3 * x + 5 * y) % 256, 4 * x]
    pixels = np.stack(planes, axis=-1).astype(np.uint8)
    rgb, words = pixels[..., :3], pixels.astype(np.uint16) * 257
    palette = np.arange(768, dtype=np.uint32).astype(np.uint8)
    png = encode_pillow(rgb, "RGB", "PNG")
    side = png_chunk(b"gAMA", b"\0\0\xb1\x8f") + png_chunk(b"tEXt", b"Software\0a scanner")
    lossless = {"lossless": True, "exact": True}
    return [
        png[:33] + side + png[33:],
        encode_pillow(pixels, "RGBA", "PNG", exif=exif(6)),
        encode_png16(words[..., :3], (b"tEXt", b"Software\0a scanner")),
        encode_png16(words[..., :1]),
        encode_pillow(rgb, "RGB", "JPEG", quality=92, exif=exif(3)),
        encode_pillow(rgb, "RGB", "JPEG", quality=92, progressive=True),
        encode_pillow(pixels, "CMYK", "JPEG"),
        encode_pillow(rgb, "RGB", "WEBP", quality=90),
        encode_pillow(pixels, "RGBA", "WEBP", **lossless),
        encode_pillow(rgb, "RGB", "TIFF"),
        encode_pillow(rgb, "RGB", "TIFF", compression="tiff_lzw"),
        encode_tiff(words[..., :3], photometric="rgb", compression="zlib"),
        encode_tiff(words[..., :3], photometric="rgb"),
        encode_pillow(rgb, "RGB", "BMP"),
        encode_pillow(rgb[..., :1], "P", "GIF", palette),
        encode_pillow(rgb, "RGB", "AVIF"),
    ]


def damage(data, random):
    """A file cut short, with bytes flipped anywhere, or with another header."""
    kind = random.integers(3)
    if kind == 0:
        return data[: random.integers(1, len(data))]
    damaged = np.frombuffer(data, np.uint8).copy()
    last = len(data) if kind == 1 else min(len(data), 96)
    places = random.integers(0, last, random.integers(1, 5))
    damaged[places] = random.integers(0, 256, len(places))
    return damaged.tobytes()


def damaged_files():
    random = np.random.default_rng(7)
    files = originals()
    return [damage(files[number % len(files)], random) for number in range(FILES)]


class FuzzTest(tf.test.TestCase):
    def test_damaged_files_give_a_picture_or_one_line(self):
        read = 0
        tracemalloc.start()  # NumPy reports to it what it takes
        self.addCleanup(tracemalloc.stop)
        for number, data in enumerate(damaged_files()):
            tracemalloc.reset_peak()
            started = time.perf_counter()
            try:
                with mock.patch.object(samples._LOG, "warning") as warning:
                    picture = image_io.read(f"file{number}", data)
            except InputError as error:
                self.assertStartsWith(str(error), f"file{number}: ")
                self.assertNotIn("\n", str(error))
                warning.assert_not_called()  # the error alone says what is wrong
            else:
                read += 1
                self.assertEqual(picture.rgb.dtype, np.float32)
                self.assertBetween(picture.rgb.min(), 0, 1)
            self.assertLess(time.perf_counter() - started, 2)
            self.assertLess(tracemalloc.get_traced_memory()[1], MAX_BYTES)
        self.assertBetween(100 * read / FILES, READ_BEFORE - 5, READ_BEFORE + 5)


if __name__ == "__main__":
    tf.test.main()
