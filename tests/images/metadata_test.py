import io
import struct
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tifffile
from absl.testing import parameterized
from PIL import ExifTags, Image
from testing.image_files import encode_pillow, encode_tiff

from nst_tf.images import image_io
from nst_tf.images.color_profiles import srgb_profile
from nst_tf.images.metadata import Metadata

RGB = np.random.default_rng(0).integers(0, 256, (24, 16, 3), dtype=np.uint8)
FLOATS = RGB / np.float32(255)
TAG = ExifTags.Base


def photograph_exif():
    """What a phone writes: with orientation, place, thumbnail and maker's note."""
    tags = Image.Exif()
    tags[TAG.Make], tags[TAG.Model], tags[TAG.Copyright] = "Maker", "Phone 7", "(c) Ann"
    tags[TAG.Orientation] = 6
    tags.get_ifd(ExifTags.IFD.Exif).update(
        {
            TAG.ExposureTime: 0.01,
            TAG.ISOSpeedRatings: 200,
            TAG.MakerNote: b"lat 48.2082",
            0xA002: 16,
        }
    )
    tags.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 12.0, 29.5)})
    return with_thumbnail(tags.tobytes())


def with_thumbnail(exif):
    """With a second directory, which Pillow 12 cannot write."""
    header, tiff = exif[:6], bytearray(exif[6:])
    order = "<" if tiff[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    struct.pack_into(f"{order}I", tiff, first + 2 + 12 * count, len(tiff))
    compression = struct.pack(f"{order}HHIHH", TAG.Compression, 3, 1, 6, 0)
    return header + tiff + struct.pack(f"{order}H", 1) + compression + bytes(4)


EXIF = photograph_exif()


def tags_of(exif):
    tags = Image.Exif()
    tags.load(exif)
    return tags


class ReadTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
    def test_exif_is_kept_but_for_orientation_and_place(self, file_format):
        picture = image_io.read("file", encode_pillow(RGB, "RGB", file_format, exif=EXIF))
        tags = tags_of(picture.metadata.exif)
        self.assertEqual(
            dict(tags),
            {TAG.Make: "Maker", TAG.Model: "Phone 7", TAG.Copyright: "(c) Ann"}
            | {TAG.ExifOffset: tags[TAG.ExifOffset]},
        )
        self.assertNotEmpty(tags_of(EXIF).get_ifd(ExifTags.IFD.IFD1))
        exposure = tags.get_ifd(ExifTags.IFD.Exif)
        self.assertEqual(exposure, {TAG.ExposureTime: 0.01, TAG.ISOSpeedRatings: 200})
        self.assertEmpty(tags.get_ifd(ExifTags.IFD.GPSInfo))
        self.assertEmpty(tags.get_ifd(ExifTags.IFD.IFD1))
        self.assertNotIn(b"48.2082", picture.metadata.exif)

    @parameterized.parameters("JPEG", "PNG", "TIFF")
    def test_resolution(self, file_format):
        data = encode_pillow(RGB, "RGB", file_format, dpi=(300, 200))
        metadata = image_io.read("file", data).metadata
        self.assertAllClose(metadata.dpi, (300, 200), atol=0.02)
        self.assertEqual(metadata.exif, b"")

    def test_resolution_of_16_bits(self):
        options = {"photometric": "rgb", "software": False, "resolution": (120, 120)}
        inch, centimeter = Metadata((120.0, 120.0)), Metadata((304.8, 304.8))
        for unit, expected in (("INCH", inch), ("CENTIMETER", centimeter), ("NONE", None)):
            data = encode_tiff(RGB.astype(np.uint16), resolutionunit=unit, **options)
            self.assertEqual(image_io.read("file", data).metadata, expected)

    def test_files_without_have_none(self):
        for file_format in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
            data = encode_pillow(RGB[..., :1], "L", file_format)
            self.assertIsNone(image_io.read("file", data).metadata, file_format)

    @parameterized.parameters(b"Exif\0\0garbage in place of a header", EXIF[:60], EXIF[:90])
    def test_broken_exif_is_left_out(self, exif):
        found = image_io.read("file", encode_pillow(RGB, "RGB", "PNG", exif=exif))
        self.assertIn(found.rgb.shape, ((24, 16, 3), (16, 24, 3)))

    def test_what_is_left_out_is_said(self):
        tags = Image.Exif()
        tags[TAG.ImageDescription] = "x" * 70_000
        garbage = b"Exif\0\0garbage in place of a header"
        for name, exif, message in (
            ("long", tags.tobytes(), "its EXIF data have more than 65000 bytes and are left out"),
            ("broken", garbage, "its EXIF data are broken and are left out"),
        ):
            data = encode_pillow(RGB, "RGB", "PNG", exif=exif, dpi=(300, 300))
            with self.assertLogs("nst_tf", "WARNING") as logs:
                metadata = image_io.read(name, data).metadata
            self.assertEqual(metadata.exif, b"")
            self.assertAllClose(metadata.dpi, (300, 300), atol=0.02)
            found = [record.getMessage() for record in logs.records]
            self.assertEqual(found, [f"{name}: {message}"])


class WriteTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory()))
        source = encode_pillow(RGB, "RGB", "JPEG", exif=EXIF, dpi=(300, 300))
        self.metadata = image_io.read("file", source).metadata

    @parameterized.parameters(
        ("a.png", 8), ("a.png", 16), ("a.jpg", 8), ("a.webp", 8), ("a.tif", 8), ("a.tif", 16)
    )
    def test_round_trip(self, name, bits):
        path = self.folder / name
        image_io.write(path, FLOATS, bits=bits, metadata=self.metadata)
        found = image_io.read(path)
        self.assertEqual(found.rgb.shape, (24, 16, 3))
        self.assertAllClose(found.metadata.dpi, (300, 300), atol=0.02)
        tags = tags_of(found.metadata.exif)
        self.assertEqual((tags[TAG.Make], tags[TAG.Copyright]), ("Maker", "(c) Ann"))
        if name != "a.tif":  # which has room for the texts only
            self.assertEqual(tags.get_ifd(ExifTags.IFD.Exif)[TAG.ISOSpeedRatings], 200)
        self.assertEmpty(tags.get_ifd(ExifTags.IFD.GPSInfo))

    @parameterized.parameters(8, 16)
    def test_png_is_marked_as_srgb(self, bits):
        data = image_io.encode(FLOATS, "a.png", bits=bits, metadata=self.metadata)
        with Image.open(io.BytesIO(data)) as image:
            self.assertEqual(image.info["srgb"], 0)
        self.assertLess(data.index(b"sRGB"), data.index(b"IDAT"))

    @parameterized.parameters(("a.jpg", 8), ("a.webp", 8), ("a.tif", 8), ("a.tif", 16))
    def test_other_files_have_a_profile(self, name, bits):
        data = image_io.encode(FLOATS, name, bits=bits)
        if name == "a.tif":
            with tifffile.TiffFile(io.BytesIO(data)) as tiff:
                self.assertEqual(tiff.pages[0].tags.valueof(34675), srgb_profile())
        else:
            with Image.open(io.BytesIO(data)) as image:
                self.assertEqual(image.info["icc_profile"], srgb_profile())
        self.assertLess(len(srgb_profile()), 1000)

    @parameterized.parameters("a.png", "a.jpg", "a.webp", "a.tif")
    def test_same_bytes_each_time(self, name):
        first = image_io.encode(FLOATS, name, metadata=self.metadata)
        self.assertEqual(image_io.encode(FLOATS, name, metadata=self.metadata), first)

    @parameterized.product(
        name=("a.png", "a.jpg", "a.webp", "a.tif"), text=("J\xfcrgen", "J\xc3\xbcrgen")
    )
    def test_text_outside_ascii(self, name, text):  # in Latin-1 and, read as that, UTF-8
        tags = Image.Exif()
        ascii_text = text.encode("ascii", "replace").decode()
        tags[TAG.Artist] = tags.get_ifd(ExifTags.IFD.Exif)[TAG.LensModel] = ascii_text
        exif = tags.tobytes().replace(ascii_text.encode(), text.encode("latin-1"))
        source = encode_pillow(RGB, "RGB", "JPEG", exif=exif)
        metadata = image_io.read("file", source).metadata
        image_io.write(self.folder / name, FLOATS, metadata=metadata)
        found = tags_of(image_io.read(self.folder / name).metadata.exif)
        self.assertEqual(found[TAG.Artist], text)
        if name != "a.tif":
            self.assertEqual(found.get_ifd(ExifTags.IFD.Exif)[TAG.LensModel], text)

    @parameterized.parameters("a.png", "a.jpg", "a.webp", "a.tif")
    def test_what_is_not_known_is_not_invented(self, name):
        tags = Image.Exif()
        tags[TAG.Make] = "Maker"
        source = encode_pillow(RGB, "RGB", "JPEG", exif=tags.tobytes())
        metadata = image_io.read("file", source).metadata
        self.assertIsNone(metadata.dpi)
        for each, known in ((metadata, True), (None, False)):
            image_io.write(self.folder / name, FLOATS, metadata=each)
            found = image_io.read(self.folder / name).metadata
            self.assertEqual(found is not None, known)
            if known:
                self.assertIsNone(found.dpi)


if __name__ == "__main__":
    tf.test.main()
