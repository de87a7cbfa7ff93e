"""Decoding by Pillow: pictures of 8 bits, and 16-bit grey."""

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

from nst_tf.errors import InputError
from nst_tf.images import metadata
from nst_tf.images.samples import Samples, check_size, frames_notice, reduce, reduction

# HEIF: pillow-heif's, where it is installed.
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP", "GIF", "HEIF")
# Of pictures, not the frames of a film: what a phone puts beside a photograph is no frame.
_FILMS = ("GIF", "WEBP", "AVIF")
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1}


def open_image(file: BinaryIO) -> Image.Image:
    """Open a picture of a known kind."""
    Image.init()
    return Image.open(file, formats=[each for each in _FORMATS if each in Image.OPEN])


def decode(path: Path, file: BinaryIO, long_side: int, frame: int = 0) -> Samples:
    """Decode a frame, or page of a TIFF; reduced if at least `long_side` (0: all) remains."""
    with open_image(file) as image:
        if frame:
            image.seek(frame)
        factor = reduction(*image.size, long_side)
        if factor > 1:
            # A JPEG is reduced while it is decoded, to no less than this size.
            image.draft("", (math.ceil(image.width / factor), math.ceil(image.height / factor)))
            factor = reduction(*image.size, long_side)
        check_size(path, *image.size, _PIXEL_BYTES.get(image.mode, 4), factor)
        image.load()  # turns a TIFF upright and removes its orientation

        def rows(top: int, bottom: int) -> Samples:
            whole = bottom - top == image.height
            return _from_pillow(path, image if whole else image.crop((0, top, image.width, bottom)))

        samples = with_info(reduce(rows, image.height, factor), image)
        if image.format in _FILMS:
            samples = samples._replace(notices=samples.notices + frames_notice(_num_frames(image)))
    return samples


def with_info(samples: Samples, image: Image.Image) -> Samples:
    """The samples with what an opened image knows besides its pixels."""
    found, notices = metadata.of(image)
    return samples._replace(
        profile=image.info.get("icc_profile"),
        orientation=_orientation(image),
        metadata=found,
        notices=notices,
    )


def _num_frames(image: Image.Image) -> int:
    try:
        return getattr(image, "n_frames", 1)
    except Exception:  # the first is there, whatever follows
        return 1


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF data does not make the picture unreadable
        return 1


def _from_pillow(path: Path, image: Image.Image) -> Samples:
    alpha = None
    if image.mode.startswith("I;16"):
        mode, colors = "L", np.asarray(image).astype(np.uint16)
    elif image.mode in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"):
        mode = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK"}.get(image.mode, "RGB")
        colors = np.asarray(image if image.mode == mode else image.convert(mode))
        if image.has_transparency_data:
            alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    else:
        raise InputError(
            f"{path}: has pixels of the kind {image.mode}; expected grey, RGB or CMYK of 8 or 16 "
            "bits; convert it"
        )
    return Samples(mode, colors.reshape(*colors.shape[:2], -1), alpha)
