import contextlib
import io
import os
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
import tifffile
from absl.testing import parameterized
from PIL import Image, JpegImagePlugin
from testing.image_files import encode_pillow, encode_png16, encode_tiff, png_header, with_metadata

from nst_tf.errors import InputError
from nst_tf.images import codecs, samples

RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (6, 5, 4), dtype=np.uint8)
RGB, ALPHA, GRAY = BYTES[..., :3], BYTES[..., 3], BYTES[..., :1]
WORDS = RANDOM.integers(1, 65536, (6, 5, 4), dtype=np.uint16)
RGB16, ALPHA16, GRAY16 = WORDS[..., :3], WORDS[..., 3], WORDS[..., :1]
PALETTE = RANDOM.integers(0, 256, (256, 3), dtype=np.uint8)
INDICES = RANDOM.permutation(256).astype(np.uint8)[:30].reshape(6, 5)
INDEXED = PALETTE[INDICES]
OPACITIES = RANDOM.permutation(256).astype(np.uint8)
# What is transparent in files with one transparent colour.
COLOR, INDEX, COLOR16, GRAY_LEVEL = RGB[1, 2], INDICES[2, 3], RGB16[1, 2], GRAY16[1, 2]
# Colours multiplied by alpha do not exceed it, but for mistakes as the first.
MULTIPLIED = np.minimum(WORDS, WORDS[..., 3:])
MULTIPLIED[0, 0, 0] = 65535
DIVIDED = np.floor(MULTIPLIED[..., :3] * 65535.0 / WORDS[..., 3:] + 0.5)
DIVIDED = np.minimum(DIVIDED, 65535).astype(np.uint16)


def all_but(pixels, transparent):
    """The alpha where one value is transparent."""
    opaque = (pixels != transparent).reshape(6, 5, -1).any(-1)
    return opaque * np.iinfo(pixels.dtype).max


def png(mode, pixels, **options):
    return encode_pillow(pixels, mode, "PNG", PALETTE, **options)


def png16(pixels, transparent):
    return encode_png16(pixels, (b"tRNS", transparent.astype(">u2").tobytes()))


def tiff(mode, pixels=BYTES, **options):
    return encode_pillow(pixels, mode, "TIFF", **options)


def tiff16(data, photometric="rgb", **options):
    return encode_tiff(data, photometric=photometric, **options)


GIF = encode_pillow(INDICES, "P", "GIF", PALETTE, transparency=int(INDEX))
WEBP = encode_pillow(BYTES, "RGBA", "WEBP", lossless=True, exact=True)
PALETTE_ALPHA = png("P", INDICES, transparency=OPACITIES.tobytes())
PLANAR = tiff16(WORDS.transpose(2, 0, 1), planarconfig="separate", extrasamples=["unassalpha"])
TRANSPARENT_COLOR = png("RGB", RGB, transparency=tuple(COLOR.tolist()))
FILES = {
    "png_rgb": (png("RGB", RGB), "RGB", RGB),
    "png_gray_alpha": (png("LA", BYTES[..., ::3]), "L", GRAY, ALPHA),
    "png_1_bit": (png("1", GRAY), "L", np.where(GRAY < 128, 0, 255).astype(np.uint8)),
    "png_palette": (png("P", INDICES), "RGB", INDEXED),
    "png_palette_alpha": (PALETTE_ALPHA, "RGB", INDEXED, OPACITIES[INDICES]),
    "png_transparent_color": (TRANSPARENT_COLOR, "RGB", RGB, all_but(RGB, COLOR)),
    "gif_transparent": (GIF, "RGB", INDEXED, all_but(INDICES, INDEX)),
    "webp_alpha": (WEBP, "RGB", RGB, ALPHA),
    "tiff_rgba": (tiff("RGBA"), "RGB", RGB, ALPHA),
    "tiff_cmyk": (tiff("CMYK"), "CMYK", BYTES),
    "png16_gray": (encode_png16(GRAY16), "L", GRAY16),
    "png16_gray_alpha": (encode_png16(WORDS[..., ::3]), "L", GRAY16, ALPHA16),
    "png16_rgba": (encode_png16(WORDS), "RGB", RGB16, ALPHA16),
    "png16_transparent_color": (png16(RGB16, COLOR16), "RGB", RGB16, all_but(RGB16, COLOR16)),
    "png16_transparent_gray": (png16(GRAY16, GRAY_LEVEL), "L", GRAY16, all_but(GRAY16, GRAY_LEVEL)),
    "tiff16_gray": (tiff16(GRAY16[..., 0], "minisblack"), "L", GRAY16),
    "tiff16_white_is_zero": (tiff16(65535 - GRAY16[..., 0], "miniswhite"), "L", GRAY16),
    "tiff16_gray_by_pillow": (tiff("I;16", GRAY16, compression="tiff_lzw"), "L", GRAY16),
    "tiff16_big_endian": (tiff16(RGB16, byteorder=">"), "RGB", RGB16),
    "tiff16_bigtiff": (tiff16(RGB16, bigtiff=True), "RGB", RGB16),
    "tiff16_big_endian_bigtiff": (tiff16(RGB16, byteorder=">", bigtiff=True), "RGB", RGB16),
    "tiff16_planar_alpha": (PLANAR, "RGB", RGB16, ALPHA16),
    "tiff16_multiplied": (tiff16(MULTIPLIED, extrasamples=["assocalpha"]), "RGB", DIVIDED, ALPHA16),
    "tiff16_unspecified_fourth": (tiff16(WORDS, extrasamples=["unspecified"]), "RGB", RGB16),
    "tiff16_cmyk": (tiff16(WORDS, "separated"), "CMYK", WORDS),
    "tiff16_of_two_pages": (tiff16(np.stack([RGB16, RGB16[::-1]])), "RGB", RGB16),
}

NOISE = RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)
NOISE16 = RANDOM.integers(0, 65536, (64, 64, 3), dtype=np.uint16)
NOISE_FILES = {
    **{name: encode_pillow(NOISE, "RGB", name) for name in ("jpeg", "png", "webp", "bmp", "tiff")},
    "gif": encode_pillow(NOISE[..., :1], "P", "GIF", PALETTE),
    "tiff_lzw": tiff("RGB", NOISE, compression="tiff_lzw"),
    "png16": encode_png16(NOISE16),
    "tiff16": tiff16(NOISE16),
    "tiff16_deflate": tiff16(NOISE16, compression="zlib"),
}


def decode(data):
    return codecs.decode(Path("file"), io.BytesIO(data))


class DecodeTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.named_parameters((name, *values) for name, values in FILES.items())
    def test_pixels(self, data, mode, colors, alpha=None):
        found = decode(data)
        self.assertEqual((found.mode, found.profile, found.orientation), (mode, None, 1))
        self.assertEqual(found.colors.dtype, colors.dtype)
        self.assertAllEqual(found.colors, colors)
        self.assertEqual(found.alpha is None, alpha is None)
        if alpha is not None:
            self.assertEqual(found.alpha.dtype, colors.dtype)
            self.assertAllEqual(found.alpha, alpha)

    @parameterized.parameters("DECOMPRESSORS", "UNPREDICTORS")
    def test_color_tiff_that_only_pillow_can_decode_has_8_bits(self, table):
        data = tiff16(RGB16, compression="zlib", predictor=True)
        self.assertEqual(decode(data).colors.dtype, np.uint16)
        with mock.patch.object(tifffile.TIFF, table, {1: None}):
            colors = decode(data).colors
        self.assertEqual(colors.dtype, np.uint8)
        self.assertAllClose(colors / 255, RGB16 / 65535, atol=1 / 255)

    @parameterized.parameters(
        ("JPEG", 6), ("PNG", 6), ("WEBP", 6), ("PNG16", 6), ("TIFF16", 6),
        ("TIFF", 1),  # Pillow turns it upright
    )  # fmt: skip
    def test_orientation_and_profile(self, file_format, orientation):
        found = decode(with_metadata(BYTES, file_format, 6, b"profile" * 9))
        self.assertEqual((found.orientation, found.profile), (orientation, b"profile" * 9))

    def test_broken_exif_is_ignored(self):
        data = encode_pillow(RGB, "RGB", "PNG", exif=b"Exif\0\0garbage in place of a header")
        self.assertEqual(decode(data).orientation, 1)

    @parameterized.parameters("tiff16", "cut_short")
    def test_settings_of_the_process_are_restored(self, file):
        before = Image.MAX_IMAGE_PIXELS, tifffile.logger().disabled, warnings.filters[:]
        with contextlib.suppress(InputError):
            decode(NOISE_FILES.get(file, NOISE_FILES["tiff16"][:99]))
        after = Image.MAX_IMAGE_PIXELS, tifffile.logger().disabled, warnings.filters[:]
        self.assertEqual(after, before)


class DamagedTest(parameterized.TestCase, tf.test.TestCase):
    @contextlib.contextmanager
    def assert_silent(self):
        """Nothing on stderr, not from the C libraries either, nor in tifffile's log."""
        with tempfile.TemporaryFile() as output, self.assertNoLogs("tifffile"):
            saved = os.dup(2)
            os.dup2(output.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(saved, 2)
                os.close(saved)
            self.assertEqual(output.seek(0, os.SEEK_END), 0)

    def assert_error(self, data, message):
        with self.assertRaisesWithLiteralMatch(InputError, f"file: {message}"):
            decode(data)

    def test_not_a_picture(self):
        message = "expected JPEG, PNG, WebP, TIFF, AVIF, BMP or GIF; convert it to one of these"
        with self.assert_silent():
            self.assert_error(b"x" * 99, f"is not a picture of a known kind; {message}")

    @parameterized.parameters(
        b"\0\0\0\x20ftypisom", b"\0\0\0\x14ftypqt  ", b"\0\0\0\x08wide", b"\x1a\x45\xdf\xa3",
        b"RIFF\0\1\0\0AVI LIST",
    )  # fmt: skip
    def test_a_film(self, header):
        message = "expected JPEG, PNG, WebP, TIFF, AVIF, BMP or GIF; paint it by scripts/video.py"
        with self.assert_silent():
            self.assert_error(
                header + bytes(99), f"is a film; {message}, or give one of its frames"
            )

    @parameterized.product(file=list(NOISE_FILES), fraction=(0.2, 0.5, 0.9))
    def test_cut_short(self, file, fraction):
        data = NOISE_FILES[file]
        self.assertEqual(decode(data).colors.shape, (64, 64, 3))
        message = r"\Afile: is (not a picture|damaged or cut short \([^\n]+\))[^\n]+\Z"
        with self.assert_silent(), self.assertRaisesRegex(InputError, message):
            decode(data[: int(len(data) * fraction)])

    def test_png16_without_its_end(self):
        with self.assert_silent(), self.assertRaisesRegex(InputError, "its end is missing"):
            decode(NOISE_FILES["png16"][:-14])

    def test_scrambled_bytes_give_an_input_error_or_a_picture(self):
        scrambler = np.random.default_rng(1)
        errors = 0
        for file in [*NOISE_FILES.values()] * 20:
            data = np.frombuffer(file, np.uint8).copy()
            data[scrambler.integers(4, 400, 3)] = scrambler.integers(0, 256, 3)
            try:
                decode(data.tobytes())
            except InputError:
                errors += 1
        self.assertBetween(errors, 20, 180)

    def test_odd_tag_is_read_in_silence(self):
        data = bytearray(NOISE_FILES["tiff16"])
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            offset = tiff.pages[0].tags["ResolutionUnit"].offset
        data[offset + 2] = 99  # no such data type
        with self.assertLogs("tifffile"):
            tifffile.TiffFile(io.BytesIO(data)).pages[0].asarray()
        with self.assert_silent():
            self.assertAllEqual(decode(bytes(data)).colors, NOISE16)

    @parameterized.parameters(8, 16)
    def test_too_large_is_refused_before_decoding(self, bits):
        message = "is 15001 x 20000 px, 3601 MB in memory; expected up to 3600 MB; make it smaller "
        self.assert_error(
            png_header(20000, 15001, bits), f"{message}first, or give a smaller --size"
        )

    @parameterized.parameters("png", "jpeg", "tiff", "tiff16", "png16")
    def test_limit_is_the_number_of_bytes(self, file):
        self.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")  # Pillow warns of many pixels
        with mock.patch.object(samples, "MAX_BYTES", 12 * 64 * 64):
            self.assertEqual(decode(NOISE_FILES[file]).colors.shape, (64, 64, 3))
        limit = mock.patch.object(samples, "MAX_BYTES", 12 * 64 * 64 - 1)
        with limit, self.assertRaisesRegex(InputError, "is 64 x 64 px, .* MB in memory; expected"):
            decode(NOISE_FILES[file])

    def test_many_samples_a_pixel_are_refused_before_decoding(self):
        file = io.BytesIO(tiff16(WORDS, extrasamples=["unspecified"]))
        with tifffile.TiffFile(file) as tiff:
            tags = tiff.pages[0].tags
            for name, value in (
                ("ImageWidth", 6000),
                ("ImageLength", 6000),
                ("RowsPerStrip", 6000),
            ):
                tags[name].overwrite(value)
            tags["SamplesPerPixel"].overwrite(64771)
            tags["Compression"].overwrite(32773)  # PackBits
        with self.assertRaisesRegex(InputError, "is 6000 x 6000 px, 4663512 MB in memory"):
            decode(file.getvalue())

    @parameterized.parameters((np.float16, "16 bits (float16)"), (np.uint32, "32 bits (uint32)"))
    def test_tiff_of_other_numbers(self, dtype, found):
        message = "expected unsigned integers of 8 or 16 bits; convert it"
        data = tiff16(np.zeros((6, 5, 3), dtype))
        self.assert_error(data, f"has samples of {found}; {message}")

    @parameterized.parameters(
        (RGB16, r"has 3 samples to a pixel, .*CIELAB.*, depth 1; expected grey, RGB or CMYK"),
        (RGB, "has pixels of the kind LAB; expected grey, RGB or CMYK of 8 or 16 bits"),
    )
    def test_tiff_of_an_unknown_color_space(self, pixels, message):
        file = io.BytesIO(tiff16(pixels))
        with tifffile.TiffFile(file) as tiff:
            tiff.pages[0].tags["PhotometricInterpretation"].overwrite(8)
        with self.assertRaisesRegex(InputError, message):
            decode(file.getvalue())


class EncodeTest(tf.test.TestCase):
    def test_jpeg_has_quality_95_and_full_color_resolution(self):
        reference = Image.open(io.BytesIO(encode_pillow(RGB, "RGB", "JPEG", quality=95)))
        with Image.open(io.BytesIO(codecs.encode(RGB, "JPEG"))) as image:
            self.assertEqual(JpegImagePlugin.get_sampling(image), 0)
            self.assertEqual(image.quantization, reference.quantization)


if __name__ == "__main__":
    tf.test.main()
