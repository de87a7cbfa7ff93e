import functools
import io
import os
import tempfile
import tracemalloc
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image, ImageOps, PpmImagePlugin
from testing.image_files import (
    SWAPPED,
    encode_pillow,
    encode_png16,
    encode_tiff,
    exif,
    with_metadata,
)

from nst_tf.errors import InputError
from nst_tf.images import image_io, png_text
from nst_tf.images.samples import notice

RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (6, 5, 4), dtype=np.uint8)
BYTES[..., 3] |= 32  # what is more transparent has no color of its own
RGB, ALPHA = BYTES[..., :3], BYTES[..., 3]
FLOATS = RGB / np.float32(255)
EXPECTED_RGB = "expected floats in [0, 1], [H, W, 3]"
EXPECTED_ALPHA = "expected floats in [0, 1], [H, W]"


class ImageTestCase(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory()))

    def assert_error(self, path, message):
        return self.assertRaisesWithLiteralMatch(InputError, f"{path}: {message}")


class ReadTest(ImageTestCase):
    def test_gray_has_three_channels(self):
        words = RANDOM.integers(0, 65536, (6, 5, 1), dtype=np.uint16)
        found = image_io.read("name", encode_png16(words))
        self.assertAllClose(found.rgb, np.repeat(words / 65535, 3, axis=-1))
        self.assertEqual((found.alpha, found.bits), (None, 16))

    def test_content_decides_the_format_not_the_extension(self):
        path = self.folder / "picture.jpg"
        path.write_bytes(image_io.encode(FLOATS, "a.png"))
        self.assertAllEqual(image_io.read(str(path)).rgb, FLOATS)
        self.assertEqual(image_io.load(path), path.read_bytes())

    @parameterized.parameters(*range(1, 10))
    def test_orientation(self, orientation):
        data = encode_pillow(BYTES, "RGBA", "PNG", exif=exif(orientation))
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        found = image_io.read("name", data)
        self.assertAllClose(np.dstack(found[:2]), expected / 255)

    @parameterized.parameters("PNG", "TIFF", "PNG16", "TIFF16")
    def test_profile_and_orientation(self, file_format):
        found = image_io.read("name", with_metadata(BYTES, file_format, 6, SWAPPED))
        expected = np.rot90(FLOATS, -1)[..., [1, 0, 2]]
        self.assertAllClose(found.rgb, expected, rtol=0, atol=1.5 / 255)
        self.assertAllClose(found.alpha, np.rot90(ALPHA / 255, -1))
        self.assertEqual(found.bits, 8)


class HiddenColorsTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters("PNG", "PNG16", "WEBP", "TIFF", "TIFF16")
    def test_they_give_way_to_visible_ones(self, kind):
        pixels = np.zeros((16, 16, 4), np.uint8)
        pixels[:] = (0, 255, 0, 0)
        pixels[4:12, 4:12] = (200, 40, 90, 255)
        pixels[4, 4:12, 3] = 33
        words = pixels.astype(np.uint16) * 257
        if kind == "PNG16":
            data = encode_png16(words)
        elif kind == "TIFF16":
            data = encode_tiff(words, photometric="rgb", extrasamples=["unassalpha"])
        else:
            options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
            data = encode_pillow(pixels, "RGBA", kind, **options)
        found = image_io.read("file", data)
        expected = np.broadcast_to(np.array([200, 40, 90]) / 255, (16, 16, 3))
        self.assertAllClose(found.rgb, expected, rtol=0, atol=1e-4)
        self.assertAllEqual(found.rgb[4:12, 4:12], expected[4:12, 4:12].astype(np.float32))
        self.assertAllClose(found.alpha, pixels[..., 3] / 255)

    def test_a_large_picture_is_filled_at_a_smaller_size(self):
        pixels = np.zeros((1100, 900, 4), np.uint8)
        pixels[:] = (0, 255, 0, 0)
        pixels[300:900, :500] = (200, 40, 90, 255)
        pixels[300:900, 500:800] = RANDOM.integers(0, 256, (600, 300, 1)) // [2, 5, 3, 1] | 32
        data = encode_pillow(pixels, "RGBA", "PNG", compress_level=1)
        fill = mock.patch.object(image_io, "fill_hidden", wraps=image_io.fill_hidden)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        with fill as fill:  # which takes the most, of what tracemalloc does not see
            found = image_io.read("file", data).rgb
        self.assertEqual(fill.call_args.args[1].shape, (550, 450))
        self.assertLess(tracemalloc.get_traced_memory()[1], 35 * 1100 * 900)
        visible = pixels[..., 3] >= 32
        np.testing.assert_array_equal(found[visible], pixels[visible][:, :3] / np.float32(255))
        self.assertLess(found[..., 1].max(), 0.4)
        near = np.tile([200, 40, 90], (8, 1)) / 255
        self.assertAllClose(found[290, :400:50], near, atol=0.02)

    @parameterized.product(bits=(8, 16), opacity=(0, 7))
    def test_all_transparent_is_refused(self, bits, opacity):
        pixels = BYTES.copy()
        pixels[..., 3] = opacity
        data = encode_pillow(pixels, "RGBA", "PNG")
        if bits == 16:
            data = encode_png16(pixels.astype(np.uint16) * 257)
        message = "expected a picture with something to see; remove its alpha channel"
        with self.assertRaisesWithLiteralMatch(InputError, f"f: is all transparent; {message}"):
            image_io.read("f", data)


class KindsTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        notice.cache_clear()

    @parameterized.parameters("GIF", "WEBP", "PNG", "AVIF")
    def test_first_of_several_frames_is_taken_with_one_notice(self, file_format):
        frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue", "lime")]
        file = io.BytesIO()
        frames[0].save(file, file_format, save_all=True, append_images=frames[1:])
        with self.assertLogs("nst_tf", "WARNING") as logs:
            for _ in range(2):  # a picture may be read for several paintings
                found = image_io.read("file", file.getvalue())
        messages = [record.getMessage() for record in logs.records]
        self.assertEqual(
            messages, ["file: has 3 frames, the first is taken; scripts/video.py paints all"]
        )
        self.assertAllClose(found.rgb, np.broadcast_to([1.0, 0, 0], (16, 16, 3)), atol=0.03)

    def test_what_a_phone_puts_beside_a_photograph_is_no_frame(self):
        frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
        file = io.BytesIO()
        frames[0].save(file, "MPO", save_all=True, append_images=frames[1:])
        with self.assertNoLogs("nst_tf"):
            found = image_io.read("file", file.getvalue())
        self.assertAllClose(found.rgb, np.broadcast_to([1.0, 0, 0], (16, 16, 3)), atol=0.03)

    def test_avif(self):
        image = Image.new("RGBA", (32, 24), (200, 40, 90, 128))
        file = io.BytesIO()
        image.save(file, "AVIF", quality=100)
        found = image_io.read("file.jpg", file.getvalue())
        self.assertAllClose(
            found.rgb, np.broadcast_to(np.array([200, 40, 90]) / 255, (24, 32, 3)), atol=0.02
        )
        self.assertAllClose(found.alpha, np.full((24, 32), 128 / 255), atol=0.01)
        for share in (0.3, 0.9):
            with self.assertRaisesRegex(InputError, "is not a picture|is damaged or cut short"):
                image_io.read("file", file.getvalue()[: int(share * len(file.getvalue()))])

    @parameterized.parameters(b"heic", b"mif1", b"heix")
    def test_heic_without_its_package(self, brand):
        data = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0heicmif1" + bytes(500)
        missing = mock.patch.dict("sys.modules", {"pillow_heif": None})
        message = "expected JPEG, PNG, WebP, TIFF, AVIF, BMP or GIF; pip install pillow-heif, or"
        expected = f"file: is a HEIC picture; {message} convert it"
        with missing, self.assertRaisesWithLiteralMatch(InputError, expected):
            image_io.read("file", data)

    def test_heic_with_its_package(self):
        data = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(500)

        def register_heif_opener():
            def read(file, name=None):
                return PpmImagePlugin.PpmImageFile(io.BytesIO(b"P6 2 1 255\n" + bytes(range(6))))

            Image.register_open("HEIF", read, lambda head: head[4:12] == b"ftypheic")

        self.addCleanup(Image.OPEN.pop, "HEIF", None)
        self.addCleanup(lambda: "HEIF" in Image.ID and Image.ID.remove("HEIF"))
        package = mock.Mock(register_heif_opener=register_heif_opener)
        with mock.patch.dict("sys.modules", {"pillow_heif": package}):
            found = image_io.read("file", data)
        self.assertAllClose(found.rgb, np.arange(6).reshape(1, 2, 3) / 255)


class ReadErrorTest(ImageTestCase):
    def test_cannot_be_opened(self):
        missing = self.folder / "none.png"
        with self.assert_error(missing, "no such file; expected a picture; check the name"):
            image_io.read(missing)
        with self.assertRaisesRegex(InputError, "is a folder; expected a picture"):
            image_io.load(self.folder)
        with self.assertRaisesRegex(InputError, r"cannot be opened \(embedded null byte\)"):
            image_io.read("a\0b.png")
        denied = mock.patch.object(Path, "open", side_effect=PermissionError(13, "denied"))
        with denied, self.assertRaisesRegex(InputError, r"a.png: cannot be opened \(denied\)"):
            image_io.read("a.png")

    @parameterized.parameters((0, "is empty .0 bytes.; expected a picture"), (60, "is damaged or"))
    def test_empty_or_damaged(self, size, message):
        with self.assertRaisesRegex(InputError, f"a.png: {message}"):
            image_io.read("a.png", encode_pillow(RGB, "RGB", "PNG")[:size])


class WriteTest(ImageTestCase):
    @parameterized.parameters("a.png", "a.tif", "a.tiff", "a.PNG")
    def test_8_bits(self, name):
        path = self.folder / name
        image_io.write(path, FLOATS, alpha=ALPHA / np.float32(255))
        found = image_io.read(path)
        self.assertEqual((found.rgb.dtype, found.alpha.dtype, found.bits), (*[np.float32] * 2, 8))
        self.assertAllEqual(found.rgb, FLOATS)
        with Image.open(path) as image:
            self.assertEqual(image.mode, "RGBA")
            self.assertAllEqual(np.asarray(image), BYTES)

    @parameterized.parameters("a.png", "a.tif")
    def test_16_bits_keep_every_level(self, name):
        levels = np.arange(65536, dtype=np.float32).reshape(256, 256) / np.float32(65535)
        rgb = np.stack([levels, levels.T, levels[::-1]], axis=-1)
        alpha = np.maximum(levels[:, ::-1], np.float32(0.125))
        image_io.write(self.folder / name, rgb, alpha=alpha, bits=16)
        found = image_io.read(self.folder / name)
        self.assertAllEqual(found.rgb, rgb)
        self.assertAllClose(found.alpha, alpha, atol=0.5 / 65535, rtol=0)
        self.assertAllEqual(found.alpha[alpha > 0.125], alpha[alpha > 0.125])
        self.assertEqual(found.bits, 16)

    @parameterized.parameters(("a.jpg", "JPEG", False), ("a.webp", "WEBP", True))
    def test_lossy_formats_have_8_bits(self, name, file_format, has_alpha):
        rgb = np.broadcast_to(np.linspace(0.2, 0.8, 32)[:, None, None], (32, 32, 3))
        alpha = np.tile(np.where(np.arange(32) < 16, 1, np.float32(0.2)), (32, 1))
        image_io.write(self.folder / name, rgb, alpha=alpha, bits=16)
        with Image.open(self.folder / name) as image:
            self.assertEqual(image.format, file_format)
        found = image_io.read(self.folder / name)
        self.assertEqual(found.bits, 8)
        # What has no alpha is shown on white.
        opacity = 1 if has_alpha else alpha[..., np.newaxis]
        self.assertAllClose(found.rgb, rgb * opacity + 1 - opacity, rtol=0, atol=0.02)
        self.assertAllEqual(found.alpha, alpha if has_alpha else None)

    def test_alpha_of_another_size(self):
        alpha = np.repeat([[0.0, 1.0]], 4, axis=1)
        found = image_io.read("a.png", image_io.encode(np.zeros((16, 32, 3)), alpha=alpha)).alpha
        self.assertEqual(found.shape, (16, 32))
        self.assertAllClose(found[:, :12], np.zeros((16, 12)), atol=0.01)
        self.assertAllClose(found[:, 20:], np.ones((16, 12)), atol=0.01)

    def test_note_is_in_png_only(self):
        self.assertEqual(png_text.read(image_io.encode(FLOATS, "a.png", note="text")), "text")
        for name in ("a.jpg", "a.webp", "a.tif"):
            data = image_io.encode(FLOATS, name, note="text")
            self.assertEqual(data, image_io.encode(FLOATS, name))

    def test_takes_tensors_and_makes_folders(self):
        path = str(self.folder / "new" / "folder" / "a.png")
        image_io.write(path, tf.constant(FLOATS), alpha=tf.ones([2, 2]))
        self.assertAllEqual(image_io.read(path).rgb, FLOATS)

    def test_failure_leaves_the_old_file(self):
        path = self.folder / "a.png"
        path.write_bytes(b"old")
        full = mock.patch("os.fsync", side_effect=OSError(28, "No space left on device"))
        with full, self.assertRaisesRegex(InputError, "a.png: cannot be written .No space left"):
            image_io.write(path, FLOATS)
        self.assertEqual(path.read_bytes(), b"old")
        self.assertEqual(os.listdir(self.folder), ["a.png"])


class UnfitArgumentTest(ImageTestCase):
    @parameterized.parameters(
        (np.zeros((4, 5)), None, f"rgb is float64 [4, 5]; {EXPECTED_RGB}"),
        (np.zeros((4, 5, 4)), None, f"rgb is float64 [4, 5, 4]; {EXPECTED_RGB}"),
        (np.zeros((0, 5, 3)), None, f"rgb is float64 [0, 5, 3]; {EXPECTED_RGB}"),
        (RGB, None, f"rgb is uint8 [6, 5, 3]; {EXPECTED_RGB}"),
        (FLOATS, np.zeros(5), f"alpha is float64 [5]; {EXPECTED_ALPHA}"),
        (FLOATS, np.zeros((4, 5, 1)), f"alpha is float64 [4, 5, 1]; {EXPECTED_ALPHA}"),
    )
    def test_shape_and_type(self, rgb, alpha, message):
        with self.assert_error("picture.png", f"{message}; convert it"):
            image_io.encode(rgb, alpha=alpha)

    def test_values(self):
        with self.assertRaisesRegex(InputError, "rgb holds values that are not numbers .NaN."):
            image_io.encode(np.full((4, 4, 3), np.nan))
        with self.assertRaisesRegex(InputError, "bits is 12; expected 8 or 16"):
            image_io.encode(FLOATS, bits=12)

    @parameterized.parameters(("a.jpg", "JPEG", 65500), ("a.webp", "WEBP", 16383))
    def test_too_long_for_the_format(self, name, file_format, max_side):
        self.assertNotEmpty(image_io.encode(np.zeros((1, max_side, 3), np.float32), name))
        message = f"a side of {max_side + 1} px is too long for {file_format}; expected up to"
        with self.assert_error(name, f"{message} {max_side}; choose .png or .tif"):
            image_io.encode(np.zeros((1, max_side + 1, 3), np.float32), name)
        image_io.check_output(self.folder / name, max_side)
        with self.assertRaisesRegex(InputError, message):
            image_io.check_output(self.folder / name, max_side + 1)


class CheckOutputTest(ImageTestCase):
    @parameterized.parameters("a.png", "a.JPG", "a.jpeg", "a.webp", "a.tif", "new/folder/a.tiff")
    def test_leaves_nothing_behind(self, name):
        image_io.check_output(self.folder / name)
        self.assertEmpty(os.listdir(self.folder))

    @parameterized.parameters(
        ("a.gif", "unknown extension '.gif'", "change it"),
        ("a", "no extension", "add one to the name"),
        ("a.png.bak", "unknown extension '.bak'", "change it"),
    )
    def test_extension(self, name, problem, advice):
        path = self.folder / name
        expected = "expected one of .png, .jpg, .jpeg, .webp, .tif, .tiff"
        for function in (image_io.check_output, functools.partial(image_io.write, rgb=FLOATS)):
            with self.assert_error(path, f"{problem}; {expected}; {advice}"):
                function(path)

    def test_cannot_be_written(self):
        (self.folder / "a.png").mkdir()
        (self.folder / "file").write_bytes(b"x")
        for path, message in (
            (self.folder / "a.png", "is a folder; expected a file"),
            (self.folder / "file" / "b" / "a.png", "file is a file; expected a folder"),
            (self.folder / ("a" * 300 + ".png"), "cannot be written .File name too long"),
            # Where not even root can make a file.
            ("/proc/nst_tf/a.png", "cannot be written .*; choose a folder"),
        ):
            with self.assertRaisesRegex(InputError, message):
                image_io.check_output(path)


if __name__ == "__main__":
    tf.test.main()
