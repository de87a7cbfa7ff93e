"""Picture files to samples: Pillow for most, TensorFlow and tifffile for 16 bits."""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from PIL import ExifTags, Image, UnidentifiedImageError

from nst_tf.errors import InputError
from nst_tf.images import sixteen_bit
from nst_tf.images.pixels import Samples

MAX_PIXELS = 300_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_lock = threading.Lock()


def decode(path: Path, file: BinaryIO) -> Samples:
    """Decode a picture file of any kind that is known.

    Args:
        path: the name for error messages.
        file: the file, open for reading.

    Returns:
        The samples of its first frame or page, neither upright nor in sRGB.

    Raises:
        InputError: not a whole picture of a known kind, or one of more than 300 megapixels.
    """
    try:
        with _decoders():
            return _decode(path, file)
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path}: is not a picture of a known kind; expected JPEG, PNG, WebP, TIFF, BMP "
            "or GIF; convert it to one of these"
        ) from error
    except Image.DecompressionBombError as error:
        raise sixteen_bit.too_large(path, MAX_PIXELS) from error
    except Exception as error:  # a damaged file can make a decoder raise anything at all
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: is damaged or cut short ({reason}); expected a whole picture; "
            "save or download it again"
        ) from error


@contextlib.contextmanager
def _decoders() -> Iterator[None]:
    """Keep the decoders silent, and have Pillow refuse what is over MAX_PIXELS and nothing else.

    Warnings, log and limit belong to the whole process, so they are changed by one thread at a
    time and put back.
    """
    log = tifffile.logger()
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = Image.MAX_IMAGE_PIXELS, log.disabled
        # Pillow warns above its limit and refuses above twice its limit.
        Image.MAX_IMAGE_PIXELS, log.disabled = MAX_PIXELS // 2, True
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, log.disabled = old


def _decode(path: Path, file: BinaryIO) -> Samples:
    file.seek(0)
    header = file.read(26)
    file.seek(0)
    if header[:4] in _TIFF_MARKS:
        samples = sixteen_bit.decode_tiff(path, file, MAX_PIXELS)
        if samples is not None:
            return samples
        file.seek(0)
    with Image.open(file, formats=_FORMATS) as image:
        image.load()
        profile, orientation = image.info.get("icc_profile"), _orientation(image)
        if image.format == "PNG" and header[24] == 16:
            file.seek(0)
            transparent = image.info.get("transparency")
            return sixteen_bit.decode_png(file.read(), transparent, profile, orientation)
        return Samples(*_channels(path, image), profile, orientation)


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF data does not make the picture unreadable
        return 1


def _channels(path: Path, image: Image.Image) -> tuple[str, np.ndarray, np.ndarray | None]:
    alpha = None
    if image.mode.startswith("I;16"):
        mode, colors = "L", np.asarray(image).astype(np.uint16)
    elif image.mode in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"):
        mode = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK"}.get(image.mode, "RGB")
        colors = np.asarray(image.convert(mode))
        if image.has_transparency_data:
            alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    else:
        raise InputError(
            f"{path}: has pixels of the kind {image.mode}; expected grey, RGB or CMYK of 8 or 16 "
            "bits; convert it"
        )
    return mode, colors.reshape(*colors.shape[:2], -1), alpha
