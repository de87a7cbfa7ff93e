import io
import struct

import numpy as np
import tensorflow as tf
import tifffile
from absl.testing import parameterized
from PIL import Image
from testing.image_files import encode_pillow, encode_tiff

from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.samples import notice

RANDOM = np.random.default_rng(0)
THUMBNAIL = RANDOM.integers(0, 256, (12, 16, 3), dtype=np.uint8)
FULL = RANDOM.integers(0, 256, (60, 80, 3), dtype=np.uint8)
FULL16 = RANDOM.integers(0, 65536, (60, 80, 3), dtype=np.uint16)
SENSOR = FULL16[..., 0]
RAW = "file: is a camera's raw file; expected a developed picture; export it as JPEG or TIFF"
JPEG = encode_pillow(FULL, "RGB", "JPEG", quality=95)


def tiff_file(*pages):
    """A file of pages, each (pixels, options); `subifds` has those that follow within it."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for pixels, options in pages:
            writer.write(pixels, metadata=None, **{"photometric": "rgb", **options})
    return file.getvalue()


def camera_file(*parts, orientation=1, **options):
    """A thumbnail that contains other pictures."""
    tags = [(274, "H", 1, orientation, True)]
    first = {"subfiletype": 1, "subifds": len(parts), "extratags": tags, **options}
    return tiff_file((THUMBNAIL, first), *parts)


def with_photometric(data, value):
    """The file with another photometric interpretation of its largest picture."""
    file = io.BytesIO(data)
    with tifffile.TiffFile(file) as tiff:
        tiff.pages[0].pages[0].tags["PhotometricInterpretation"].overwrite(value)
    return file.getvalue()


def embedded_jpeg(orientation=1):
    """A thumbnail whose subdirectory holds a JPEG file, as cameras write it."""
    data = camera_file(
        (FULL[:, :, 0].copy(), {"photometric": "minisblack"}), orientation=orientation
    )
    file = io.BytesIO(data + JPEG)
    with tifffile.TiffFile(file) as tiff:
        tags = tiff.pages[0].pages[0].tags
        for name, value in (
            ("Compression", 6), ("PhotometricInterpretation", 6), ("ImageWidth", 80),
            ("StripOffsets", len(data)), ("StripByteCounts", len(JPEG)),
        ):  # fmt: skip
            tags[name].overwrite(value)
    return file.getvalue()


def jpeg_without_size():
    """The same with neither size nor color space, only where the JPEG is, as Nikon writes it."""
    data = bytearray(embedded_jpeg())
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        tags = tiff.pages[0].pages[0].tags
        start = tags["StripOffsets"].value[0]
        for name, code, value in (
            ("ImageWidth", 513, start), ("ImageLength", 514, len(JPEG)),
            ("PhotometricInterpretation", 65001, 0),
        ):  # fmt: skip
            # Code, type (4: 32 bits), count, value.
            struct.pack_into("<HHII", data, tags[name].offset, code, 4, 1, value)
    return bytes(data)


class CameraRawTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.named_parameters(
        ("second_page", tiff_file((THUMBNAIL, {"subfiletype": 1}), (FULL, {}))),
        (
            "compressed_page",
            tiff_file((THUMBNAIL, {"subfiletype": 1}), (FULL, {"compression": "zlib"})),
        ),
        ("subdirectory", camera_file((FULL, {}))),
        ("unmarked_thumbnail", camera_file((FULL, {}), subfiletype=0)),
        ("beside_others", camera_file((THUMBNAIL[:6], {}), (FULL, {}))),
        ("in_16_bits", camera_file((FULL.astype(np.uint16) * 257, {}))),
    )
    def test_full_picture_is_taken(self, data):
        self.assertAllClose(image_io.read("file", data).rgb, FULL / 255)

    def test_page_that_only_pillow_can_decode(self):
        file = io.BytesIO()
        pages = [Image.fromarray(pixels) for pixels in (THUMBNAIL, FULL)]
        options = {"compression": "tiff_lzw", "tiffinfo": {254: 1}}
        pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], **options)
        self.assertAllClose(image_io.read("file", file.getvalue()).rgb, FULL / 255)

    def test_embedded_jpeg_is_taken_and_turned_as_its_thumbnail(self):
        whole = image_io.read("file", JPEG).rgb
        self.assertAllEqual(image_io.read("file", embedded_jpeg()).rgb, whole)
        self.assertAllEqual(image_io.read("file", jpeg_without_size()).rgb, whole)
        turned = image_io.read("file", embedded_jpeg(orientation=6)).rgb
        self.assertAllEqual(turned, np.rot90(whole, -1))

    def test_full_picture_is_turned_as_its_thumbnail_unless_it_says_otherwise(self):
        turned = [(274, "H", 1, 6, True)]
        thumbnail = (THUMBNAIL, {"subfiletype": 1, "extratags": turned})
        for data in (
            camera_file((FULL, {}), orientation=6),
            camera_file((FULL16, {}), orientation=6),
            tiff_file(thumbnail, (FULL, {})),
            camera_file((FULL, {"extratags": turned})),
        ):
            self.assertEqual(image_io.read("file", data).rgb.shape, (80, 60, 3))
        self.assertAllClose(image_io.read("file", data).rgb, np.rot90(FULL, -1) / 255)
        for name, options, shape in (("inherited", {}, (80, 60)), ("own", {274: 1}, (60, 80))):
            file, pages = io.BytesIO(), [Image.fromarray(each) for each in (THUMBNAIL, FULL)]
            pages[1].encoderinfo = {"tiffinfo": options}
            tags = {"compression": "tiff_lzw", "tiffinfo": {254: 1, 274: 6}}
            pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], **tags)
            found = image_io.read(name, file.getvalue()).rgb
            self.assertEqual(found.shape[:2], shape, name)

    @parameterized.named_parameters(
        ("called_gray", camera_file((SENSOR, {"photometric": "minisblack"}))),
        ("mosaic", with_photometric(camera_file((SENSOR, {"photometric": "minisblack"})), 32803)),
        ("linear", with_photometric(camera_file((FULL16, {})), 34892)),
        ("small_preview", camera_file((SENSOR, {"photometric": "minisblack"}), (FULL[:30], {}))),
    )
    def test_sensor_is_refused(self, data):
        with self.assertRaisesWithLiteralMatch(InputError, RAW):
            image_io.read("file", data)

    def test_sensor_alone_is_refused(self):
        file = io.BytesIO(encode_tiff(SENSOR, photometric="minisblack"))
        with tifffile.TiffFile(file) as tiff:
            tiff.pages[0].tags["PhotometricInterpretation"].overwrite(32803)
        with self.assertRaisesWithLiteralMatch(InputError, RAW):
            image_io.read("file", file.getvalue())

    def test_first_of_ordinary_pages_is_taken(self):
        data = tiff_file((THUMBNAIL, {}), (FULL, {}))
        self.assertAllClose(image_io.read("file", data).rgb, THUMBNAIL / 255)
        smaller = tiff_file((FULL, {"subifds": 1}), (THUMBNAIL, {"subfiletype": 1}))
        self.assertAllClose(image_io.read("file", smaller).rgb, FULL / 255)

    @parameterized.parameters(
        (np.uint8, None, 61), (np.uint16, None, 61), (np.uint8, "zlib", 10**5),
        (np.uint16, "zlib", 10**5),
    )  # fmt: skip
    def test_page_without_all_of_its_pixels_is_refused(self, dtype, compression, height):
        file = io.BytesIO(tiff_file((FULL.astype(dtype), {"compression": compression})))
        with tifffile.TiffFile(file) as tiff:
            tiff.pages[0].tags["ImageLength"].overwrite(height)
        with self.assertRaisesRegex(InputError, "some of its pixels are missing"):
            image_io.read("file", file.getvalue())


class PagesTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(np.uint8, np.uint16)
    def test_pages_are_counted_without_thumbnails(self, dtype):
        notice.cache_clear()
        page = (FULL.astype(dtype), {})
        data = tiff_file(page, page, (THUMBNAIL, {"subfiletype": 1}))
        with self.assertLogs("nst_tf", "WARNING") as logs:
            image_io.read("file", data)
        messages = [record.getMessage() for record in logs.records]
        self.assertEqual(messages, ["file: has 2 pages; the first is taken"])
        with self.assertNoLogs("nst_tf"):
            image_io.read("other", tiff_file(page, (THUMBNAIL, {"subfiletype": 1})))


if __name__ == "__main__":
    tf.test.main()
