"""Tests of nst_tf.image: every form of file, written here, against values known beforehand."""

import contextlib
import io
import os
import re
import struct
import tempfile
import warnings
import zlib
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
import tifffile
from absl.testing import parameterized
from PIL import Image, ImageCms, JpegImagePlugin

from nst_tf.errors import InputError
from nst_tf.images import codecs, image_io

RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (6, 5, 4), dtype=np.uint8)
WORDS = RANDOM.integers(1, 65536, (6, 5, 4), dtype=np.uint16)

# EXIF's own words: which sides of the upright picture the first row and first column stored are.
ORIENTATIONS = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}

# Columns: the XYZ (D50) of the red, green and blue of sRGB and of Adobe RGB.
SRGB_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
ADOBE_XYZ = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
GAMMA = 563 / 256
D50 = np.array([0.9642, 1.0, 0.8249])


def encode_pillow(pixels, mode, kind, palette=None, **options):
    """Encodes an array with Pillow, as any other program would."""
    if mode == "1":
        picture = Image.fromarray(pixels).convert("1", dither=Image.Dither.NONE)
    elif mode == "P":
        picture = Image.fromarray(pixels).copy()
        picture.putpalette(palette.tobytes())
    else:
        planes = pixels.reshape(*pixels.shape[:2], -1)
        planes = [Image.fromarray(planes[..., i].copy()) for i in range(planes.shape[-1])]
        picture = Image.merge(mode, planes)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def encode_tifffile(pixels, **options):
    """Encodes an array with tifffile."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


def lzw(data):
    """TIFF's LZW without finding anything repeated: clear, a hundred bytes, clear, ..., end."""
    codes = []
    for start in range(0, len(data), 100):
        codes += [256, *data[start : start + 100]]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def png_chunk(name, data):
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def encode_png16(pixels, *chunks):
    """Encodes a 16-bit PNG by hand, with other chunks before the pixels."""
    height, width, channels = pixels.shape
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, data) for name, data in parts)


def s15_fixed(values):
    """Numbers as ICC's s15Fixed16."""
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def icc_profile(space, kind, tags, connection=b"XYZ "):
    """An ICC profile of version 2 from its tags."""
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    white = b"XYZ \0\0\0\0" + s15_fixed(D50)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", b"wtpt": white, **tags}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"", 0x02400000, kind, space,
                         connection, bytes(12), b"acsp")  # fmt: skip
    header = header.ljust(68, b"\0") + s15_fixed(D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def rgb_profile(matrix, gamma=GAMMA):
    """A matrix profile: XYZ = matrix @ rgb ** gamma."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    tags = {}
    for index, letter in enumerate((b"r", b"g", b"b")):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + s15_fixed(matrix[:, index])
        tags[letter + b"TRC"] = curve
    return icc_profile(b"RGB ", b"mntr", tags)


def grey_profile(gamma):
    """A grey profile of that gamma."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    return icc_profile(b"GRAY", b"mntr", {b"kTRC": curve})


def cmyk_profile(cyan_lab):
    """A CMYK profile in which cyan alone is that L*a*b*, no ink white, all else black."""
    grid = np.zeros((2, 2, 2, 2, 3), np.uint8) + np.array([0, 128, 128], np.uint8)
    grid[0, 0, 0, 0] = [255, 128, 128]
    grid[1, 0, 0, 0] = [round(cyan_lab[0] * 2.55), cyan_lab[1] + 128, cyan_lab[2] + 128]
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + s15_fixed(np.eye(3).ravel())
    table += ramp * 4 + grid.tobytes() + ramp * 3
    return icc_profile(b"CMYK", b"prtr", {b"A2B0": table}, b"Lab ")


def srgb_from_xyz(xyz):
    """XYZ (D50) [..., 3] to sRGB in [0, 1], by the formulas of IEC 61966-2-1."""
    linear = np.clip(xyz @ np.linalg.inv(SRGB_XYZ).T, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_from_lab(lightness, a, b):
    """L*a*b* to sRGB in [0, 1]."""
    middle = (lightness + 16) / 116
    f = np.array([middle + a / 500, middle, middle - b / 200])
    return srgb_from_xyz(D50 * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)))


def stored(upright, orientation):
    """The pixels as a camera stores them, so that `orientation` makes them upright."""
    row_side, column_side = ORIENTATIONS[orientation]
    height, width = upright.shape[:2]
    swapped = row_side in ("left", "right")
    shape = (width, height) if swapped else (height, width)
    result = np.empty((*shape, *upright.shape[2:]), upright.dtype)
    for row in range(shape[0]):
        for column in range(shape[1]):
            y, x = (column, row) if swapped else (row, column)
            sides = (row_side, column_side)
            y = height - 1 - y if "bottom" in sides else y
            x = width - 1 - x if "right" in sides else x
            result[row, column] = upright[y, x]
    return result


def exif(orientation):
    """EXIF data that say nothing but the orientation."""
    data = Image.Exif()
    data[274] = orientation
    return data.tobytes()


PALETTE = RANDOM.integers(0, 256, (256, 3), dtype=np.uint8)
INDICES = RANDOM.integers(0, 256, (6, 5), dtype=np.uint8)
GREY = np.repeat(BYTES[..., :1], 3, axis=-1)
OPACITIES = bytes(RANDOM.permutation(256).astype(np.uint8))
RGB = BYTES[..., :3]
ALPHA = BYTES[..., 3]
NAIVE_CMYK = Image.merge("CMYK", [Image.fromarray(BYTES[..., i].copy()) for i in range(4)])

# name: file, sRGB expected (0..255), alpha expected (0..255)
SHALLOW = {
    "png_rgb": (encode_pillow(RGB, "RGB", "PNG"), RGB, None),
    "png_rgba": (encode_pillow(BYTES, "RGBA", "PNG"), RGB, ALPHA),
    "png_grey": (encode_pillow(BYTES[..., 0], "L", "PNG"), GREY, None),
    "png_grey_alpha": (encode_pillow(BYTES[..., ::3], "LA", "PNG"), GREY, ALPHA),
    "png_1_bit": (encode_pillow(BYTES[..., 0], "1", "PNG"), 255 * (GREY >= 128), None),
    "png_palette": (encode_pillow(INDICES, "P", "PNG", PALETTE), PALETTE[INDICES], None),
    "png_palette_alpha": (
        encode_pillow(INDICES, "P", "PNG", PALETTE, transparency=OPACITIES),
        PALETTE[INDICES],
        np.frombuffer(OPACITIES, np.uint8)[INDICES],
    ),
    "png_palette_one_transparent": (
        encode_pillow(INDICES, "P", "PNG", PALETTE, transparency=int(INDICES[2, 3])),
        PALETTE[INDICES],
        255 * (INDICES != INDICES[2, 3]),
    ),
    "png_transparent_color": (
        encode_pillow(RGB, "RGB", "PNG", transparency=tuple(map(int, RGB[1, 2]))),
        RGB,
        255 * (RGB != RGB[1, 2]).any(-1),
    ),
    "png_transparent_grey": (
        encode_pillow(BYTES[..., 0], "L", "PNG", transparency=int(BYTES[1, 2, 0])),
        GREY,
        255 * (BYTES[..., 0] != BYTES[1, 2, 0]),
    ),
    "gif": (encode_pillow(INDICES, "P", "GIF", PALETTE), PALETTE[INDICES], None),
    "gif_first_of_two": (
        encode_pillow(
            INDICES, "P", "GIF", PALETTE, save_all=True, append_images=[Image.new("P", (5, 6))]
        ),
        PALETTE[INDICES],
        None,
    ),
    "gif_transparent": (
        encode_pillow(INDICES, "P", "GIF", PALETTE, transparency=int(INDICES[2, 3])),
        PALETTE[INDICES],
        255 * (INDICES != INDICES[2, 3]),
    ),
    "bmp": (encode_pillow(RGB, "RGB", "BMP"), RGB, None),
    "bmp_grey": (encode_pillow(BYTES[..., 0], "L", "BMP"), GREY, None),
    "webp": (encode_pillow(RGB, "RGB", "WEBP", lossless=True), RGB, None),
    "webp_alpha": (
        encode_pillow(BYTES, "RGBA", "WEBP", lossless=True, exact=True),
        RGB,
        ALPHA,
    ),
    "tiff": (encode_pillow(RGB, "RGB", "TIFF"), RGB, None),
    "tiff_lzw": (encode_pillow(RGB, "RGB", "TIFF", compression="tiff_lzw"), RGB, None),
    "tiff_rgba": (encode_pillow(BYTES, "RGBA", "TIFF"), RGB, ALPHA),
    "tiff_1_bit": (encode_pillow(BYTES[..., 0], "1", "TIFF"), 255 * (GREY >= 128), None),
    "tiff_planar": (
        encode_tifffile(RGB.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
        RGB,
        None,
    ),
    "tiff_cmyk": (
        encode_pillow(BYTES, "CMYK", "TIFF"),
        np.asarray(NAIVE_CMYK.convert("RGB")),
        None,
    ),
}

WORD_RGB = WORDS[..., :3]
WORD_ALPHA = WORDS[..., 3]
WORD_GREY = np.repeat(WORDS[..., :1], 3, axis=-1)
# Colours no greater than alpha, as multiplying them by it leaves them.
MULTIPLIED = np.minimum(WORDS, WORDS[..., 3:])

# name: file, sRGB expected (0..65535), alpha expected (0..65535)
DEEP = {
    "png_grey": (encode_png16(WORDS[..., :1]), WORD_GREY, None),
    "png_grey_alpha": (encode_png16(WORDS[..., ::3]), WORD_GREY, WORD_ALPHA),
    "png_rgb": (encode_png16(WORD_RGB), WORD_RGB, None),
    "png_rgba": (encode_png16(WORDS), WORD_RGB, WORD_ALPHA),
    "png_transparent_color": (
        encode_png16(WORD_RGB, (b"tRNS", WORD_RGB[1, 2].astype(">u2").tobytes())),
        WORD_RGB,
        65535 * (WORD_RGB != WORD_RGB[1, 2]).any(-1),
    ),
    "png_transparent_grey": (
        encode_png16(WORDS[..., :1], (b"tRNS", struct.pack(">H", WORDS[1, 2, 0]))),
        WORD_GREY,
        65535 * (WORDS[..., 0] != WORDS[1, 2, 0]),
    ),
    "tiff_grey": (encode_tifffile(WORDS[..., 0], photometric="minisblack"), WORD_GREY, None),
    "tiff_white_is_zero": (
        encode_tifffile(65535 - WORDS[..., 0], photometric="miniswhite"),
        WORD_GREY,
        None,
    ),
    "tiff_grey_alpha": (
        encode_tifffile(
            WORDS[..., ::3], photometric="minisblack", planarconfig="contig",
            extrasamples=["unassalpha"],
        ),
        WORD_GREY,
        WORD_ALPHA,
    ),
    "tiff_grey_lzw": (
        encode_pillow(WORDS[..., 0], "I;16", "TIFF", compression="tiff_lzw"),
        WORD_GREY,
        None,
    ),
    "tiff_rgb": (encode_tifffile(WORD_RGB, photometric="rgb"), WORD_RGB, None),
    "tiff_rgb_big_endian": (
        encode_tifffile(WORD_RGB, photometric="rgb", byteorder=">"),
        WORD_RGB,
        None,
    ),
    "tiff_rgb_bigtiff": (
        encode_tifffile(WORD_RGB, photometric="rgb", bigtiff=True),
        WORD_RGB,
        None,
    ),
    "tiff_rgb_deflate": (
        encode_tifffile(WORD_RGB, photometric="rgb", compression="zlib", predictor=True),
        WORD_RGB,
        None,
    ),
    "tiff_rgb_tiles": (encode_tifffile(WORD_RGB, photometric="rgb", tile=(16, 16)), WORD_RGB, None),
    "tiff_rgb_planar": (
        encode_tifffile(WORD_RGB.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
        WORD_RGB,
        None,
    ),
    "tiff_rgba": (
        encode_tifffile(WORDS, photometric="rgb", extrasamples=["unassalpha"]),
        WORD_RGB,
        WORD_ALPHA,
    ),
    "tiff_rgba_planar": (
        encode_tifffile(
            WORDS.transpose(2, 0, 1), photometric="rgb", planarconfig="separate",
            extrasamples=["unassalpha"],
        ),
        WORD_RGB,
        WORD_ALPHA,
    ),
    "tiff_rgba_multiplied": (
        encode_tifffile(MULTIPLIED, photometric="rgb", extrasamples=["assocalpha"]),
        np.floor(MULTIPLIED[..., :3] * 65535.0 / WORDS[..., 3:] + 0.5),
        WORD_ALPHA,
    ),
    "tiff_rgb_unspecified_fourth": (
        encode_tifffile(WORDS, photometric="rgb", extrasamples=["unspecified"]),
        WORD_RGB,
        None,
    ),
}  # fmt: skip

NOISE = RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)
DEEP_NOISE = RANDOM.integers(0, 65536, (64, 64, 3), dtype=np.uint16)
WHOLE = {
    "jpeg": encode_pillow(NOISE, "RGB", "JPEG"),
    "png": encode_pillow(NOISE, "RGB", "PNG"),
    "png16": encode_png16(DEEP_NOISE),
    "webp": encode_pillow(NOISE, "RGB", "WEBP"),
    "gif": encode_pillow(NOISE[..., 0], "P", "GIF", PALETTE),
    "bmp": encode_pillow(NOISE, "RGB", "BMP"),
    "tiff": encode_pillow(NOISE, "RGB", "TIFF"),
    "tiff_lzw": encode_pillow(NOISE, "RGB", "TIFF", compression="tiff_lzw"),
    "tiff16": encode_tifffile(DEEP_NOISE, photometric="rgb"),
    "tiff16_deflate": encode_tifffile(DEEP_NOISE, photometric="rgb", compression="zlib"),
}


class ImageTestCase(parameterized.TestCase, tf.test.TestCase):
    """A folder, a reader that takes bytes, and a check of error messages."""

    def setUp(self):
        super().setUp()
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")

    def file(self, data, name="picture.bin"):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def read(self, data):
        picture = image_io.read(self.file(data))
        self.assertEqual(picture.rgb.dtype, np.float32)
        self.assertAllInRange(picture.rgb, 0.0, 1.0)
        if picture.alpha is not None:
            self.assertEqual(picture.alpha.dtype, np.float32)
            self.assertEqual(picture.alpha.shape, picture.rgb.shape[:2])
            self.assertAllInRange(picture.alpha, 0.0, 1.0)
        return picture

    @contextlib.contextmanager
    def assert_error(self, message, exact=True):
        with self.assertRaises(InputError) as caught:
            yield
        text = str(caught.exception)
        self.assertNotIn("\n", text)
        if exact:
            self.assertEqual(text, message)
        else:
            self.assertRegex(text, message)

    @contextlib.contextmanager
    def assert_silent(self):
        """Nothing on stderr, whether written by Python or by a C library."""
        with tempfile.TemporaryFile("w+") as output:
            saved = os.dup(2)
            os.dup2(output.fileno(), 2)
            try:
                with contextlib.redirect_stderr(output):
                    yield
            finally:
                os.dup2(saved, 2)
                os.close(saved)
            output.seek(0)
            self.assertEqual(output.read(), "")


class ReadTest(ImageTestCase):
    @parameterized.named_parameters((name, *values) for name, values in SHALLOW.items())
    def test_8_bits(self, data, rgb, alpha):
        picture = self.read(data)
        self.assertEqual(picture.bits, 8)
        self.assertAllEqual(np.rint(picture.rgb * 255), rgb)
        self.assertAllClose(picture.rgb, rgb / np.float32(255), atol=1e-6)
        if alpha is None:
            self.assertIsNone(picture.alpha)
        else:
            self.assertAllClose(picture.alpha, alpha / np.float32(255), atol=1e-6)

    @parameterized.named_parameters((name, *values) for name, values in DEEP.items())
    def test_16_bits(self, data, rgb, alpha):
        picture = self.read(data)
        self.assertEqual(picture.bits, 16)
        self.assertAllClose(picture.rgb * 65535.0, rgb, rtol=0, atol=0.02)
        if alpha is None:
            self.assertIsNone(picture.alpha)
        else:
            self.assertAllClose(picture.alpha * 65535.0, alpha, rtol=0, atol=0.02)

    def test_16_bit_color_tiff_in_lzw_is_read_at_8_bits(self):
        plain = encode_tifffile(WORD_RGB, photometric="rgb")
        packed = lzw(WORD_RGB.tobytes())
        file = io.BytesIO(plain + packed)
        with tifffile.TiffFile(file) as tiff:
            tags = tiff.pages[0].tags
            tags["Compression"].overwrite(5)
            tags["StripOffsets"].overwrite(len(plain))
            tags["StripByteCounts"].overwrite(len(packed))
        picture = self.read(file.getvalue())
        # With the package imagecodecs tifffile can do it.
        has_codec = tifffile.COMPRESSION.LZW in tifffile.TIFF.DECOMPRESSORS
        self.assertEqual(picture.bits, 16 if has_codec else 8)
        self.assertAllClose(picture.rgb, WORD_RGB / 65535, atol=1 / 255)

    @parameterized.parameters("RGB", "L", "CMYK")
    def test_jpeg(self, mode):
        flat = np.full((16, 16, len(mode) if mode != "L" else 1), 200, np.uint8)
        flat[..., 0] = 60
        picture = self.read(encode_pillow(flat, mode, "JPEG", quality=100))
        expected = {
            "RGB": [60, 200, 200],
            "L": [60, 60, 60],
            # Red is what cyan and black leave: (1 - 60/255) (1 - 200/255), and so on.
            "CMYK": [195 * 55 / 255, 55 * 55 / 255, 55 * 55 / 255],
        }[mode]
        self.assertAllClose(
            picture.rgb * 255, np.broadcast_to(expected, (16, 16, 3)), rtol=0, atol=2.5
        )

    def test_tiff_with_an_odd_tag_is_read_in_silence(self):
        file = io.BytesIO(encode_tifffile(WORD_RGB, photometric="rgb"))
        with tifffile.TiffFile(file) as tiff:
            tag = tiff.pages[0].tags["ResolutionUnit"]
        data = bytearray(file.getvalue())
        data[tag.offset + 2] = 99  # no such data type
        with self.assertLogs("tifffile"):
            tifffile.TiffFile(io.BytesIO(data)).pages[0].asarray()
        with self.assertNoLogs("tifffile"), self.assert_silent():
            picture = self.read(bytes(data))
        self.assertAllClose(picture.rgb * 65535.0, WORD_RGB, rtol=0, atol=0.02)

    def test_extension_does_not_matter(self):
        path = self.file(SHALLOW["png_rgb"][0], "picture.jpg")
        self.assertAllEqual(np.rint(image_io.read(str(path)).rgb * 255), RGB)


class OrientationTest(ImageTestCase):
    # 4 x 3 squares of 8 x 8 pixels, which JPEG and WebP keep nearly as they are.
    UPRIGHT = np.kron(
        np.arange(12).reshape(4, 3, 1) * [[[15, 0, 10]]] + [[[30, 200, 100]]], np.ones((8, 8, 1))
    ).astype(np.uint8)

    @parameterized.product(
        kind=("jpeg", "png", "webp", "tiff", "png16", "tiff16"), orientation=list(range(1, 9))
    )
    def test_upright(self, kind, orientation):
        pixels = stored(self.UPRIGHT, orientation)
        data = exif(orientation)
        words = pixels.astype(np.uint16) * 257
        if kind == "png16":
            file = encode_png16(words, (b"eXIf", data[6:]))
        elif kind == "tiff16":
            tag = (274, "H", 1, orientation, True)
            file = encode_tifffile(words, photometric="rgb", extratags=[tag])
        else:
            options = {"jpeg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}}
            file = encode_pillow(pixels, "RGB", kind, exif=data, **options.get(kind, {}))
        picture = self.read(file)
        self.assertEqual(picture.bits, 16 if "16" in kind else 8)
        atol = 3 if kind == "jpeg" else 1e-3
        self.assertAllClose(picture.rgb * 255, self.UPRIGHT, rtol=0, atol=atol)

    @parameterized.parameters("png", "png16", "tiff16")
    def test_alpha_turns_with_the_colors(self, kind):
        if kind == "png":
            file = encode_pillow(stored(BYTES, 6), "RGBA", "PNG", exif=exif(6))
            alpha = ALPHA / np.float32(255)
        else:
            words, alpha = stored(WORDS, 6), WORD_ALPHA / np.float32(65535)
            file = encode_png16(words, (b"eXIf", exif(6)[6:]))
            if kind == "tiff16":
                file = encode_tifffile(
                    words, photometric="rgb", extrasamples=[2], extratags=[(274, "H", 1, 6, True)]
                )
        self.assertAllClose(self.read(file).alpha, alpha, atol=1e-6)

    def test_broken_exif_is_ignored(self):
        file = encode_pillow(RGB, "RGB", "PNG", exif=b"Exif\0\0garbage in place of a header")
        self.assertAllEqual(np.rint(self.read(file).rgb * 255), RGB)


class ColorTest(ImageTestCase):
    ADOBE = rgb_profile(ADOBE_XYZ)

    def adobe(self, pixels):
        """What Adobe RGB pixels in [0, 1] are in sRGB."""
        return srgb_from_xyz(pixels**GAMMA @ ADOBE_XYZ.T)

    @parameterized.parameters("PNG", "TIFF", "WEBP")
    def test_rgb_profile(self, kind):
        options = {"lossless": True} if kind == "WEBP" else {}
        picture = self.read(encode_pillow(RGB, "RGB", kind, icc_profile=self.ADOBE, **options))
        expected = self.adobe(RGB / 255.0)
        self.assertGreater(np.abs(expected - RGB / 255.0).max(), 0.1)
        self.assertAllClose(picture.rgb, expected, rtol=0, atol=2 / 255)
        self.assertEqual(picture.bits, 8)

    def test_alpha_stays(self):
        picture = self.read(encode_pillow(BYTES, "RGBA", "PNG", icc_profile=self.ADOBE))
        self.assertAllClose(picture.rgb, self.adobe(RGB / 255.0), rtol=0, atol=2 / 255)
        self.assertAllClose(picture.alpha, ALPHA / 255.0, atol=1e-6)

    def test_palette_with_profile(self):
        data = encode_pillow(INDICES, "P", "PNG", PALETTE, icc_profile=self.ADOBE)
        expected = self.adobe(PALETTE[INDICES] / 255.0)
        self.assertAllClose(self.read(data).rgb, expected, rtol=0, atol=2 / 255)

    @parameterized.parameters("png", "tiff")
    def test_16_bits_in_another_color_space_become_8(self, kind):
        if kind == "png":
            chunk = (b"iCCP", b"test\0\0" + zlib.compress(self.ADOBE))
            data = encode_png16(WORDS, chunk)
        else:
            data = encode_tifffile(
                WORDS, photometric="rgb", extrasamples=["unassalpha"], iccprofile=self.ADOBE
            )
        picture = self.read(data)
        expected = self.adobe(WORD_RGB / 65535.0)
        self.assertAllClose(picture.rgb, expected, rtol=0, atol=4 / 255)
        self.assertAllClose(picture.alpha, WORD_ALPHA / 65535.0, atol=1e-6)
        self.assertEqual(picture.bits, 8)

    @parameterized.parameters("png", "tiff")
    def test_16_bits_in_srgb_stay_16(self, kind):
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        if kind == "png":
            data = encode_png16(WORD_RGB, (b"iCCP", b"test\0\0" + zlib.compress(srgb)))
        else:
            data = encode_tifffile(WORD_RGB, photometric="rgb", iccprofile=srgb)
        picture = self.read(data)
        self.assertEqual(picture.bits, 16)
        self.assertAllClose(picture.rgb * 65535.0, WORD_RGB, rtol=0, atol=0.02)

    @parameterized.parameters("png", "png16", "tiff16")
    def test_grey_profile(self, kind):
        grey = np.linspace(0, 1, 30).reshape(6, 5)
        profile = grey_profile(1.0)
        words = np.rint(grey * 65535).astype(np.uint16)
        if kind == "png":
            pixels = np.rint(grey * 255).astype(np.uint8)
            data, grey = encode_pillow(pixels, "L", "PNG", icc_profile=profile), pixels / 255.0
        elif kind == "png16":
            chunk = (b"iCCP", b"test\0\0" + zlib.compress(profile))
            data = encode_png16(words[..., np.newaxis], chunk)
        else:
            data = encode_tifffile(words, photometric="minisblack", iccprofile=profile)
        # A linear grey is that many parts of the white, up to the rounding to 8 bits before.
        low = srgb_from_xyz(np.maximum(grey - 0.5 / 255, 0)[..., np.newaxis] * D50) - 2 / 255
        high = srgb_from_xyz((grey + 0.5 / 255)[..., np.newaxis] * D50) + 2 / 255
        rgb = self.read(data).rgb
        self.assertTrue(np.all((low <= rgb) & (rgb <= high)))
        self.assertGreater(rgb[3, 0, 1], grey[3, 0] + 0.2)

    def test_grey_picture_with_rgb_profile(self):
        data = encode_pillow(BYTES[..., 0], "L", "PNG", icc_profile=self.ADOBE)
        self.assertAllClose(self.read(data).rgb, self.adobe(GREY / 255.0), rtol=0, atol=2 / 255)

    @parameterized.parameters("TIFF", "JPEG", "tiff16")
    def test_cmyk_profile(self, kind):
        lab = (60, -20, -30)
        inks = np.zeros((16, 32, 4), np.uint8)
        inks[:, 16:, 0] = 255
        profile = cmyk_profile(lab)
        if kind == "tiff16":
            data = encode_tifffile(
                inks.astype(np.uint16) * 257, photometric="separated", iccprofile=profile
            )
        else:
            data = encode_pillow(inks, "CMYK", kind, icc_profile=profile)
        rgb = self.read(data).rgb
        self.assertAllClose(rgb[8, 8], [1, 1, 1], atol=0.02)
        self.assertAllClose(rgb[8, 24], srgb_from_lab(*lab), atol=0.02)

    def test_16_bit_cmyk_without_profile(self):
        picture = self.read(encode_tifffile(BYTES.astype(np.uint16) * 257, photometric="separated"))
        self.assertAllEqual(np.rint(picture.rgb * 255), np.asarray(NAIVE_CMYK.convert("RGB")))

    @parameterized.named_parameters(
        ("garbage", b"this is no profile"),
        ("cut_short", rgb_profile(ADOBE_XYZ)[:300]),
        ("of_cmyk", cmyk_profile((60, -20, -30))),
    )
    def test_unfit_profile_is_ignored(self, profile):
        picture = self.read(encode_pillow(RGB, "RGB", "PNG", icc_profile=profile))
        self.assertAllEqual(np.rint(picture.rgb * 255), RGB)


class ReadErrorTest(ImageTestCase):
    def test_missing(self):
        path = self.folder / "none.png"
        with self.assert_error(f"{path}: no such file; expected a picture; check the name"):
            image_io.read(path)

    def test_folder(self):
        with self.assert_error(
            f"{self.folder}: is a folder; expected a picture; give the name of a file in it"
        ):
            image_io.read(self.folder)

    def test_no_permission(self):
        path = self.file(WHOLE["png"])
        with (
            mock.patch.object(Path, "open", side_effect=PermissionError(13, "Permission denied")),
            self.assert_error(
                f"{path}: cannot be opened (Permission denied); expected a picture you may read; "
                "check its name and permissions"
            ),
        ):
            image_io.read(path)

    def test_zero_byte_in_name(self):
        with self.assert_error(r"cannot be opened \(embedded null byte\)", exact=False):
            image_io.read("a\0b.png")

    def test_empty(self):
        path = self.file(b"")
        with self.assert_error(
            f"{path}: is empty (0 bytes); expected a picture; save or download it again"
        ):
            image_io.read(path)

    @parameterized.parameters(b"x", b"<html>Not found</html>", b"%PDF-1.7\n" + bytes(99))
    def test_not_a_picture(self, data):
        path = self.file(data, "picture.jpg")
        with (
            self.assert_silent(),
            self.assert_error(
                f"{path}: is not a picture of a known kind; expected JPEG, PNG, WebP, TIFF, BMP "
                "or GIF; convert it to one of these"
            ),
        ):
            image_io.read(path)

    @parameterized.product(kind=list(WHOLE), part=(0.2, 0.5, 0.9))
    def test_cut_short(self, kind, part):
        data = WHOLE[kind]
        self.assertEqual(self.read(data).rgb.shape, (64, 64, 3))
        path = self.file(data[: int(len(data) * part)])
        with (
            self.assert_silent(),
            self.assert_error(
                f"^{re.escape(str(path))}: is (not a picture of a known kind|damaged or cut short "
                r"\(.+\); expected a whole picture; save or download it again)",
                exact=False,
            ),
        ):
            image_io.read(path)

    def test_16_bit_png_without_its_last_bytes(self):
        path = self.file(WHOLE["png16"][:-14])
        with (
            self.assert_silent(),
            self.assert_error(
                f"{path}: is damaged or cut short (its end is missing); expected a whole picture; "
                "save or download it again"
            ),
        ):
            image_io.read(path)

    @parameterized.parameters(*WHOLE)
    def test_scrambled_bytes_never_give_another_error(self, kind):
        scrambler = np.random.default_rng(1)
        for _ in range(20):
            data = np.frombuffer(WHOLE[kind], np.uint8).copy()
            places = scrambler.integers(4, min(400, len(data)), 3)
            data[places] = scrambler.integers(0, 256, 3)
            with contextlib.suppress(InputError):
                self.read(data.tobytes())

    @parameterized.parameters(8, 16)
    def test_too_many_pixels_are_refused_before_decoding(self, depth):
        header = struct.pack(">IIBBBBB", 20000, 15001, depth, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"x")
        path = self.file(data)
        with self.assert_error(
            f"{path}: has too many pixels; expected up to 300 megapixels; make it smaller first"
        ):
            image_io.read(path)

    @parameterized.parameters("jpeg", "png", "png16", "webp", "tiff", "tiff16", "gif", "bmp")
    def test_limit_is_the_number_of_pixels(self, kind):
        path = self.file(WHOLE[kind])
        with mock.patch.object(codecs, "MAX_PIXELS", 64 * 64):
            self.assertEqual(image_io.read(path).rgb.shape, (64, 64, 3))
        with (
            mock.patch.object(codecs, "MAX_PIXELS", 64 * 64 - 2),
            self.assert_error("has too many pixels", exact=False),
        ):
            image_io.read(path)

    def test_settings_of_the_process_are_put_back(self):
        before = Image.MAX_IMAGE_PIXELS, tifffile.logger().disabled, warnings.filters[:]
        self.read(WHOLE["tiff16"])
        with self.assertRaises(InputError):
            self.read(b"x")
        after = Image.MAX_IMAGE_PIXELS, tifffile.logger().disabled, warnings.filters[:]
        self.assertEqual(before, after)

    @parameterized.parameters(
        (np.float32, "32 bits (float32)"),
        (np.float16, "16 bits (float16)"),
        (np.int16, "16 bits (int16)"),
        (np.uint32, "32 bits (uint32)"),
    )
    def test_tiff_of_other_numbers(self, dtype, words):
        path = self.file(encode_tifffile(np.zeros((6, 5, 3), dtype), photometric="rgb"))
        with self.assert_error(
            f"{path}: has samples of {words}; expected unsigned integers of 8 or 16 bits; "
            "convert it"
        ):
            image_io.read(path)

    def test_tiff_of_unknown_layout(self):
        file = io.BytesIO(encode_tifffile(WORD_RGB, photometric="rgb"))
        with tifffile.TiffFile(file) as tiff:
            tiff.pages[0].tags["PhotometricInterpretation"].overwrite(8)
        path = self.file(file.getvalue())
        with self.assert_error(
            r": has 3 samples to a pixel, .*CIELAB.*, depth 1; expected grey, RGB or CMYK, "
            "depth 1; convert it$",
            exact=False,
        ):
            image_io.read(path)


class WriteTest(ImageTestCase):
    @parameterized.parameters("a.png", "a.tif", "a.tiff", "a.PNG")
    def test_8_bits_round_trip(self, name):
        path = self.folder / name
        image_io.write(path, RGB / np.float32(255))
        with Image.open(path) as file:
            self.assertAllEqual(np.asarray(file), RGB)
        self.assertAllEqual(np.rint(image_io.read(path).rgb * 255), RGB)

    @parameterized.parameters("a.png", "a.tif")
    def test_16_bits_round_trip_keeps_every_level(self, name):
        levels = np.stack([np.arange(65536).reshape(256, 256)] * 3, axis=-1)
        levels[..., 1] = levels[..., 1].T
        rgb = (levels / 65535).astype(np.float32)
        alpha = rgb[..., 2][::-1]
        path = self.folder / name
        image_io.write(path, rgb, alpha=alpha, bits=16)
        picture = image_io.read(path)
        self.assertEqual(picture.bits, 16)
        self.assertAllEqual(picture.rgb, rgb)
        self.assertAllEqual(picture.alpha, alpha)

    @parameterized.parameters("a.png", "a.tif")
    def test_alpha_round_trip(self, name):
        path = self.folder / name
        image_io.write(path, RGB / np.float32(255), alpha=ALPHA / np.float32(255))
        picture = image_io.read(path)
        self.assertAllEqual(np.rint(picture.rgb * 255), RGB)
        self.assertAllEqual(np.rint(picture.alpha * 255), ALPHA)
        with Image.open(path) as file:
            self.assertEqual(file.mode, "RGBA")

    @parameterized.parameters("a.png", "a.webp", "a.tif")
    def test_alpha_of_another_size(self, name):
        alpha = np.zeros((8, 8), np.float32)
        alpha[:, 4:] = 1
        image_io.write(self.folder / name, np.full((16, 32, 3), 0.5), alpha=alpha)
        picture = image_io.read(self.folder / name)
        self.assertEqual(picture.alpha.shape, (16, 32))
        self.assertAllClose(picture.alpha[:, :12], np.zeros((16, 12)), atol=0.01)
        self.assertAllClose(picture.alpha[:, 20:], np.ones((16, 12)), atol=0.01)

    def test_webp(self):
        ramp = np.linspace(0.2, 0.8, 32)
        rgb = np.broadcast_to(ramp[:, np.newaxis], (32, 32, 3))
        alpha = RANDOM.integers(0, 256, (32, 32)) / np.float32(255)
        alpha[:16] = 0
        path = self.folder / "a.webp"
        image_io.write(path, rgb, alpha=alpha, bits=16)
        picture = image_io.read(path)
        self.assertEqual(picture.bits, 8)
        with Image.open(path) as file:
            self.assertEqual(file.format, "WEBP")
        self.assertAllClose(picture.alpha, alpha, atol=1e-6)
        # Under transparent pixels too.
        self.assertAllClose(picture.rgb, rgb, atol=0.02)

    @parameterized.parameters("a.jpg", "a.jpeg")
    def test_jpeg(self, name):
        rgb = RANDOM.random((32, 32, 3), np.float32)
        path = self.folder / name
        image_io.write(path, rgb, alpha=rgb[..., 0], bits=16)
        with Image.open(path) as file:
            self.assertEqual((file.format, file.mode), ("JPEG", "RGB"))
            self.assertEqual(JpegImagePlugin.get_sampling(file), 0)
            reference = io.BytesIO(encode_pillow(RGB, "RGB", "JPEG", quality=95))
            self.assertEqual(file.quantization, Image.open(reference).quantization)
        picture = image_io.read(path)
        self.assertIsNone(picture.alpha)
        self.assertAllClose(picture.rgb, rgb, rtol=0, atol=0.08)

    @parameterized.parameters((8, 255), (16, 65535))
    def test_clamps_and_rounds_half_up(self, bits, top):
        values = np.array([-1, -1e-9, 0.49, 0.5, 1.49, 1.5, 2.5, top - 0.51, top - 0.5, 1e9])
        expected = [0, 0, 0, 1, 1, 2, 3, top - 1, top, top]
        rgb = np.repeat((values / top).reshape(1, -1, 1), 3, axis=-1).astype(np.float32)
        for name in ("a.png", "a.tif"):
            image_io.write(self.folder / name, rgb, bits=bits)
            levels = image_io.read(self.folder / name).rgb[0, :, 0] * top
            self.assertAllClose(levels, expected, rtol=0, atol=0.02)

    def test_takes_tensors_and_makes_folders(self):
        path = self.folder / "new" / "folder" / "a.png"
        image_io.write(str(path), tf.constant(RGB / np.float32(255)), alpha=tf.ones([2, 2]))
        self.assertAllEqual(np.rint(image_io.read(path).rgb * 255), RGB)

    @parameterized.parameters("os.replace", "os.fsync")
    def test_failure_leaves_the_old_file(self, function):
        for name in ("a.png", "a.jpg", "a.webp", "a.tif"):
            path = self.folder / name
            path.write_bytes(b"old")
            with (
                mock.patch(function, side_effect=OSError(28, "No space left on device")),
                self.assert_error(
                    f"{path}: cannot be written (No space left on device); "
                    "choose a folder you can write to"
                ),
            ):
                image_io.write(path, np.zeros((4, 4, 3), np.float32))
            self.assertEqual(path.read_bytes(), b"old")
            self.assertEqual(os.listdir(self.folder), [name])
            path.unlink()

    @parameterized.parameters(
        ({"rgb": np.zeros((4, 5))}, "rgb is float64 [4, 5]; expected floats in [0, 1], [H, W, 3]"),
        (
            {"rgb": np.zeros((4, 5, 4))},
            "rgb is float64 [4, 5, 4]; expected floats in [0, 1], [H, W, 3]",
        ),
        (
            {"rgb": np.zeros((0, 5, 3))},
            "rgb is float64 [0, 5, 3]; expected floats in [0, 1], [H, W, 3]",
        ),
        (
            {"rgb": np.zeros((4, 5, 3), np.uint8)},
            "rgb is uint8 [4, 5, 3]; expected floats in [0, 1], [H, W, 3]",
        ),
        (
            {"rgb": np.zeros((4, 5, 3)), "alpha": np.zeros((4, 5, 1))},
            "alpha is float64 [4, 5, 1]; expected floats in [0, 1], [H, W]",
        ),
    )
    def test_unfit_array(self, arguments, words):
        path = self.folder / "a.png"
        with self.assert_error(f"{path}: {words}; convert it"):
            image_io.write(path, **arguments)
        self.assertEmpty(os.listdir(self.folder))

    def test_not_a_number(self):
        path = self.folder / "a.png"
        with self.assert_error(
            f"{path}: rgb holds values that are not numbers (NaN); expected [0, 1]; "
            "if optimisation ran away, lower its learning rate"
        ):
            image_io.write(path, np.full((4, 4, 3), np.nan))

    def test_bits(self):
        path = self.folder / "a.png"
        with self.assert_error(f"{path}: bits is 12; expected 8 or 16; choose one of these"):
            image_io.write(path, np.zeros((4, 4, 3)), bits=12)

    @parameterized.parameters(("a.jpg", "JPEG", 65500), ("a.webp", "WEBP", 16383))
    def test_too_long_for_the_format(self, name, kind, longest):
        path = self.folder / name
        image_io.write(path, np.zeros((1, longest, 3), np.float32))
        with self.assert_error(
            f"{path}: a side of {longest + 1} px is too long for {kind}; expected up to {longest}; "
            "choose .png or .tif"
        ):
            image_io.write(path, np.zeros((1, longest + 1, 3), np.float32))


class CheckOutputTest(ImageTestCase):
    @parameterized.parameters("a.png", "a.JPG", "a.jpeg", "a.webp", "a.tif", "new/folder/a.tiff")
    def test_fine(self, name):
        image_io.check_output(self.folder / name)
        self.assertEmpty(os.listdir(self.folder))

    @parameterized.parameters(("a.gif", "'.gif'"), ("a", "''"), ("a.png.bak", "'.bak'"))
    def test_extension(self, name, extension):
        path = self.folder / name
        message = (
            f"{path}: unknown extension {extension}; expected one of .png, .jpg, .jpeg, .webp, "
            ".tif, .tiff; add one to the name"
        )
        with self.assert_error(message):
            image_io.check_output(path)
        with self.assert_error(message):
            image_io.write(path, np.zeros((4, 4, 3)))

    def test_folder(self):
        path = self.folder / "a.png"
        path.mkdir()
        with self.assert_error(f"{path}: is a folder; expected a file; add the name of one"):
            image_io.check_output(path)

    @parameterized.parameters("a.png", "deeper/a.png")
    def test_parent_is_a_file(self, name):
        parent = self.file(b"x", "file")
        path = parent / name
        with self.assert_error(
            f"{path}: {parent} is a file; expected a folder; choose another one"
        ):
            image_io.check_output(path)

    def test_no_permission(self):
        # Where nobody, not even root, can make a file.
        path = Path("/proc/nst_tf/a.png")
        with self.assert_error(f"^{path}: cannot be written .*; choose a folder", exact=False):
            image_io.check_output(path)

    def test_leaves_nothing_behind(self):
        image_io.check_output(self.folder / "new" / "a.png")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_name_too_long(self):
        path = self.folder / ("a" * 300 + ".png")
        with self.assert_error(
            f"{path}: cannot be written (File name too long); choose a folder you can write to"
        ):
            image_io.check_output(path)


class ResizeTest(ImageTestCase):
    def test_same_size_is_the_same_tensor(self):
        # Out of range, so that even clipping would show.
        picture = tf.constant(RANDOM.normal(size=(6, 5, 3)), tf.float32)
        self.assertIs(image_io.resize(picture, 6, 5), picture)
        self.assertAllEqual(image_io.resize(picture.numpy(), 6, 5), picture)
        self.assertEqual(image_io.resize(picture[tf.newaxis], 6, 5).shape, (1, 6, 5, 3))

    @parameterized.parameters((3, 2), (6, 9), (17, 5), (1, 1))
    def test_constant_stays_constant(self, height, width):
        resized = image_io.resize(np.full((6, 5, 3), [0.1, 0.5, 1.0]), height, width)
        self.assertEqual(resized.dtype, tf.float32)
        expected = np.broadcast_to([0.1, 0.5, 1.0], (height, width, 3))
        self.assertAllClose(resized, expected, atol=1e-6)

    def test_clips_what_bicubic_overshoots(self):
        step = np.zeros((8, 8, 3), np.float32)
        step[:, 4:] = 1
        raw = tf.image.resize(step, (16, 16), "bicubic", antialias=True)
        self.assertGreater(np.max(raw), 1.01)
        self.assertLess(np.min(raw), -0.01)
        self.assertAllEqual(image_io.resize(step, 16, 16), np.clip(raw, 0, 1))

    def test_antialias(self):
        # Every other column white: without antialiasing, each fifth column would be kept as it is.
        stripes = np.zeros((60, 60, 3), np.float32)
        stripes[:, ::2] = 1
        resized = image_io.resize(stripes, 12, 12)
        self.assertAllClose(resized[:, 2:-2], np.full((12, 8, 3), 0.5), atol=0.1)

    def test_batch_is_each_alone(self):
        batch = RANDOM.random((2, 6, 5, 3), np.float32)
        resized = image_io.resize(batch, 4, 9)
        self.assertEqual(resized.shape, (2, 4, 9, 3))
        for one, alone in zip(resized, batch, strict=True):
            self.assertAllClose(one, image_io.resize(alone, 4, 9))

    def test_in_a_function_of_unknown_size(self):
        scalar = tf.TensorSpec([], tf.int32)
        picture = RANDOM.random((1, 6, 5, 3), np.float32)

        @tf.function(
            input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32), scalar, scalar]
        )
        def dynamic(x, height, width):
            return image_io.resize(x, height, width)

        @tf.function
        def static(x):
            return image_io.resize(x, 4, 9)

        self.assertAllClose(dynamic(picture, 4, 9), image_io.resize(picture, 4, 9))
        self.assertAllClose(static(picture), image_io.resize(picture, 4, 9))
        self.assertAllClose(dynamic(picture, 6, 5), picture, atol=1e-6)


if __name__ == "__main__":
    tf.test.main()
