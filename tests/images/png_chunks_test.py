import io
import os
import struct
import zlib

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.image_files import (
    SRGB,
    SWAPPED,
    encode_pillow,
    encode_png16,
    png_chunk,
    read_with_notices,
)

from nst_tf.errors import InputError
from nst_tf.images import image_io, png_chunks
from nst_tf.images.samples import notice

RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
FILES = {8: encode_pillow(RGB, "RGB", "PNG"), 16: encode_png16(RGB.astype(np.uint16) * 257)}
BIG = 2 << 20
# XMP, a workflow, a long text without compression.
XMP = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * BIG))
WORKFLOW = png_chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"y" * BIG))
TEXT = png_chunk(b"tEXt", b"prompt\0" + b"z" * BIG)


def with_chunks(bits, *chunks):
    png = FILES[bits]
    return png[:33] + b"".join(chunks) + png[33:]


def with_wrong_checksum(name, data):
    return png_chunk(name, data)[:-4] + b"\1\2\3\4"


class PngChunksTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        notice.cache_clear()

    def assert_read(self, data, *notices):
        found = read_with_notices(self, data, *notices)
        self.assertAllClose(found.rgb, RGB / 255, rtol=0, atol=1e-6)
        return found

    @parameterized.product(bits=(8, 16), chunk=(XMP, WORKFLOW, TEXT, png_chunk(b"zzZz", b"?")))
    def test_large_and_unknown_side_chunks(self, bits, chunk):
        found = self.assert_read(with_chunks(bits, chunk))
        self.assertEqual(found.bits, bits)
        behind = FILES[bits][:-12] + chunk + FILES[bits][-12:]
        self.assert_read(behind)

    @parameterized.parameters(8, 16)
    def test_large_profile(self, bits):
        padded = SWAPPED + bytes(BIG)
        data = with_chunks(bits, png_chunk(b"iCCP", b"name\0\0" + zlib.compress(padded)))
        found = image_io.read("file", data)
        self.assertAllClose(found.rgb, RGB[..., [1, 0, 2]] / 255, rtol=0, atol=1.5 / 255)

    @parameterized.product(
        bits=(8, 16), profile=(zlib.compress(os.urandom(1_200_000)), b"no zlib at all")
    )
    def test_broken_profile(self, bits, profile):
        data = with_chunks(bits, png_chunk(b"iCCP", b"name\0\0" + profile))
        self.assert_read(data, "its color profile is broken or unfit, and is left out")

    @parameterized.parameters(8, 16)
    def test_wrong_checksums(self, bits):
        texts = [with_wrong_checksum(name, b"Software\0scanner") for name in (b"tEXt", b"zTXt")]
        self.assert_read(with_chunks(bits, *texts))  # nothing of the picture is missing
        for name, body, what in (
            (b"iCCP", b"name\0\0" + zlib.compress(SRGB), "color profile"),
            (b"gAMA", struct.pack(">I", 100000), "gamma"),
            (b"pHYs", struct.pack(">IIB", 3937, 3937, 1), "resolution"),
            (b"tRNS", bytes(6), "transparency"),
        ):
            message = f"its {what} has a wrong checksum and is left out"
            self.assert_read(with_chunks(bits, with_wrong_checksum(name, body)), message)

    def test_animation(self):
        control = png_chunk(b"acTL", struct.pack(">II", 3, 0))
        self.assert_read(
            with_chunks(8, control), "has 3 frames, the first is taken; scripts/video.py paints all"
        )
        self.assert_read(with_chunks(8, png_chunk(b"acTL", struct.pack(">II", 1, 0))))

    @parameterized.product(bits=(8, 16), chunks=((), (XMP,)))
    def test_cut_files_are_refused(self, bits, chunks):
        data = with_chunks(bits, *chunks)
        for cut in (30, 40, len(FILES[bits]) // 2, len(data) - 60):
            with self.assertRaisesRegex(InputError, "is damaged or cut|is not a picture"):
                image_io.read("file", data[:-cut])

    @parameterized.product(bits=(8, 16), cut=(1, 6, 12))
    def test_only_the_end_is_missing(self, bits, cut):
        self.assert_read(FILES[bits][:-cut], "lacks its end chunk")

    @parameterized.parameters(b"IHDR", b"IDAT")
    def test_damaged_pixels_are_refused(self, name):
        data = bytearray(FILES[8])
        data[data.index(name) + 9] ^= 255
        with self.assertRaisesRegex(InputError, "is damaged or cut short|is not a picture"):
            image_io.read("file", bytes(data))

    def test_file_that_decoders_need_whole_is_not_copied(self):
        file = io.BytesIO(FILES[8])
        self.assertIs(png_chunks.split(file).file, file)
        self.assertEqual(file.tell(), 0)


if __name__ == "__main__":
    tf.test.main()
