"""Image files in memory for the tests, as other programs write them."""

import io
import struct
import zlib

import numpy as np
import tensorflow as tf
import tifffile
from PIL import Image, ImageCms

from nst_tf.images import image_io
from nst_tf.images.samples import notice

EXIF_HEADER = b"Exif\0\0"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Its red is sRGB's green, and the reverse.
SWAPPED = SRGB.replace(b"rXYZ", b"xXYZ").replace(b"gXYZ", b"rXYZ").replace(b"xXYZ", b"gXYZ")


def read_with_notices(case, data, *notices):
    """Read a file as `file`, and check that these notices, and no others, are logged."""
    notice.cache_clear()
    if not notices:
        with case.assertNoLogs("nst_tf"):
            return image_io.read("file", data)
    with case.assertLogs("nst_tf", "WARNING") as logs:
        found = image_io.read("file", data)
    messages = [record.getMessage() for record in logs.records]
    case.assertEqual(messages, [f"file: {each}" for each in notices])
    return found


def encode_pillow(pixels, mode, file_format, palette=None, **options):
    """A file from uint8 [H, W] or [H, W, C]; mode "1" and "P" take [H, W]."""
    planes = pixels.reshape(*pixels.shape[:2], -1)
    planes = [Image.fromarray(planes[..., i].copy()) for i in range(planes.shape[-1])]
    image = planes[0] if mode in ("1", "P", "I;16") else Image.merge(mode, planes)
    if mode == "1":
        image = image.convert("1", dither=Image.Dither.NONE)
    if mode == "P":
        image.putpalette(palette.tobytes())
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def encode_tiff(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


def encode_png16(pixels, *chunks):
    """A PNG from uint16 [H, W, C], with further chunks (name, data) behind its header."""
    png = tf.io.encode_png(pixels).numpy()
    return png[:33] + b"".join(png_chunk(*chunk) for chunk in chunks) + png[33:]


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(height, width, bits):
    """The beginning of an RGB PNG whose pixels are missing."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", b"x")


def exif(orientation):
    data = Image.Exif()
    data[274] = orientation
    return data.tobytes()


def with_metadata(pixels, file_format, orientation, profile):
    """A file of uint8 [H, W, 4] with EXIF orientation and ICC profile; ...16 has 16 bits."""
    words = pixels.astype(np.uint16) * 257
    if file_format == "PNG16":
        data = zlib.compress(profile)
        chunks = (b"iCCP", b"name\0\0" + data), (b"eXIf", exif(orientation)[len(EXIF_HEADER) :])
        return encode_png16(words, *chunks)
    if file_format == "TIFF16":
        tags = {"iccprofile": profile, "extratags": [(274, "H", 1, orientation, True)]}
        return encode_tiff(words, photometric="rgb", extrasamples=["unassalpha"], **tags)
    options = {"exif": exif(orientation), "icc_profile": profile}
    if file_format == "JPEG":
        return encode_pillow(pixels[..., :3], "RGB", "JPEG", **options)
    return encode_pillow(pixels, "RGBA", file_format, **options)
