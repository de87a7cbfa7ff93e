"""Image files to integer samples and back.

Pillow does most of it. It would halve the bits of 16-bit colours and cannot write them, so
TensorFlow decodes and encodes 16-bit PNG, and tifffile 16-bit TIFF.
"""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import tensorflow as tf
import tifffile
from PIL import ExifTags, Image, UnidentifiedImageError

from nst_tf.errors import InputError

MAX_PIXELS = 300_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION_TAG = 274
_PROFILE_TAG = 34675
_ASSOCIATED, _UNASSOCIATED = 1, 2
# TIFF's photometric interpretation: our mode and the number of colour samples.
_TIFF_COLORS = {0: ("L", 1), 1: ("L", 1), 2: ("RGB", 3), 5: ("CMYK", 4)}
_PILLOW_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},  # exact: keep the colours under transparent pixels
}
_lock = threading.Lock()


class Samples(NamedTuple):
    """What a decoder finds in a file: neither turned upright nor converted to sRGB."""

    mode: str  # "L" (grey), "RGB" or "CMYK"
    colors: np.ndarray  # uint8 or uint16 [H, W, 1, 3 or 4]
    alpha: np.ndarray | None  # of the same dtype, [H, W]
    profile: bytes | None = None  # the embedded ICC profile
    orientation: int = 1  # EXIF, 1 to 8


def decode(path: Path, file: BinaryIO) -> Samples:
    """Decode the first frame or page; an InputError names `path` if the file is unfit."""
    try:
        with _decoder_settings():
            return _decode(path, file)
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path}: is not a picture of a known kind; expected JPEG, PNG, WebP, TIFF, BMP "
            "or GIF; convert it to one of these"
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except Exception as error:  # a damaged file can make a decoder raise anything at all
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: is damaged or cut short ({reason}); expected a whole picture; "
            "save or download it again"
        ) from error


def encode(samples: np.ndarray, file_format: str) -> bytes:
    """Encode uint8 or, as PNG or TIFF, uint16 [H, W, 3 or 4]; TIFF is compressed without loss."""
    file = io.BytesIO()
    if file_format == "TIFF":
        tifffile.imwrite(
            file,
            samples,
            photometric="rgb",
            extrasamples=["unassalpha"] if samples.shape[-1] == 4 else None,
            compression="zlib",
            predictor=True,
            metadata=None,
            software=False,
        )
    elif samples.dtype == np.uint16:
        return tf.io.encode_png(samples).numpy()
    else:
        Image.fromarray(samples).save(file, file_format, **_PILLOW_OPTIONS[file_format])
    return file.getvalue()


@contextlib.contextmanager
def _decoder_settings() -> Iterator[None]:
    """Keep the decoders silent, and have Pillow refuse what is over MAX_PIXELS and nothing else.

    Warnings, log and limit belong to the whole process, so one thread at a time changes them and
    restores them.
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


def _too_large(path: Path) -> InputError:
    return InputError(
        f"{path}: has too many pixels; expected up to {MAX_PIXELS // 10**6} megapixels; "
        "make it smaller first"
    )


def _decode(path: Path, file: BinaryIO) -> Samples:
    file.seek(0)
    header = file.read(26)
    file.seek(0)
    if header[:4] in _TIFF_SIGNATURES:
        samples = _decode_tiff16(path, file)
        if samples is not None:
            return samples
        file.seek(0)
    with Image.open(file, formats=_FORMATS) as image:
        image.load()  # turns a TIFF upright and removes its orientation
        profile, orientation = image.info.get("icc_profile"), _orientation(image)
        if image.format == "PNG" and header[24] == 16:
            file.seek(0)
            samples = _decode_png16(file.read(), image.info.get("transparency"))
        else:
            samples = _from_pillow(path, image)
    return samples._replace(profile=profile, orientation=orientation)


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
        colors = np.asarray(image.convert(mode))
        if image.has_transparency_data:
            alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    else:
        raise InputError(
            f"{path}: has pixels of the kind {image.mode}; expected grey, RGB or CMYK of 8 or 16 "
            "bits; convert it"
        )
    return Samples(mode, colors.reshape(*colors.shape[:2], -1), alpha)


def _decode_png16(data: bytes, transparent: Any) -> Samples:
    """Decode a PNG; `transparent` is the one transparent colour (tRNS): a grey, three or None."""
    # TensorFlow would find that out too, but say so on stderr as well.
    if b"IEND" not in data:
        raise ValueError("its end is missing")
    samples = tf.io.decode_png(data, dtype=tf.uint16).numpy()
    mode, count = ("L", 1) if samples.shape[-1] < 3 else ("RGB", 3)
    colors, alpha = samples[..., :count], None
    if samples.shape[-1] > count:
        alpha = samples[..., count]
    elif transparent is not None:
        alpha = np.where((colors == transparent).all(axis=-1), 0, 65535).astype(np.uint16)
    return Samples(mode, colors, alpha)


def _decode_tiff16(path: Path, file: BinaryIO) -> Samples | None:
    """Decode a TIFF of 16 bits; None if Pillow has to: up to 8 bits, or a foreign compression."""
    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        if page.bitspersample <= 8:
            return None
        if page.dtype != np.uint16 or page.bitspersample != 16:
            raise InputError(
                f"{path}: has samples of {page.bitspersample} bits ({page.dtype or 'unknown'}); "
                "expected unsigned integers of 8 or 16 bits; convert it"
            )
        if page.imagewidth * page.imagelength > MAX_PIXELS:
            raise _too_large(path)
        # Pillow's libtiff knows more compressions, and keeps the 16 bits at least of grey.
        if (
            page.compression not in tifffile.TIFF.DECOMPRESSORS
            or page.predictor not in tifffile.TIFF.UNPREDICTORS
        ):
            return None
        return _from_tifffile(path, page)


def _from_tifffile(path: Path, page: Any) -> Samples:
    mode, count = _TIFF_COLORS.get(page.photometric, ("", 0))
    planes, depth, height, width, contiguous = page.shaped
    if not mode or depth != 1 or planes * contiguous < count:
        raise InputError(
            f"{path}: has {planes * contiguous} samples to a pixel, {page.photometric!r}, depth "
            f"{depth}; expected grey, RGB or CMYK, depth 1; convert it"
        )
    # One of `planes` (planar layout) and `contiguous` is 1.
    samples = page.asarray().reshape(planes, height, width, contiguous)
    samples = samples.transpose(1, 2, 0, 3).reshape(height, width, -1)
    colors, alpha = samples[..., :count], None
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        colors = 65535 - colors
    if page.extrasamples and page.extrasamples[0] in (_ASSOCIATED, _UNASSOCIATED):
        alpha = samples[..., count]
        if page.extrasamples[0] == _ASSOCIATED:
            # Colours multiplied by alpha already: divide it out.
            straight = colors * (65535.0 / np.maximum(alpha, 1)[..., np.newaxis])
            colors = np.minimum(straight + 0.5, 65535).astype(np.uint16)
    profile = page.tags.valueof(_PROFILE_TAG)
    return Samples(mode, colors, alpha, profile, page.tags.valueof(_ORIENTATION_TAG, 1))
