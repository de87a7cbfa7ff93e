"""PNG and TIFF of 16 bits, which Pillow reads as 8 bits without a word and cannot write."""

import io
import os
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf
import tifffile

from nst_tf.errors import InputError
from nst_tf.images.pixels import Samples

_ORIENTATION_TAG = 274
_PROFILE_TAG = 34675
_ASSOCIATED, _UNASSOCIATED = 1, 2
# TIFF's photometric interpretation: our mode and the number of colour samples.
_TIFF_COLORS = {0: ("L", 1), 1: ("L", 1), 2: ("RGB", 3), 5: ("CMYK", 4)}


def decode_png(data: bytes, transparent: Any, profile: bytes | None, orientation: int) -> Samples:
    """Decode a PNG of 16 bits.

    Args:
        data: the file.
        transparent: the one colour that is transparent (tRNS), a grey or three values, or None.
        profile: passed on.
        orientation: passed on.

    Raises:
        ValueError: the file is cut short.
    """
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
    return Samples(mode, colors, alpha, profile, orientation)


def decode_tiff(path: str | os.PathLike, file: BinaryIO, max_pixels: int) -> Samples | None:
    """Decode the first page of a TIFF if it has 16 bits.

    Args:
        path: the name for error messages.
        file: the file, open for reading.
        max_pixels: the largest picture that may be decoded.

    Returns:
        The samples; None if the file is one for Pillow: of up to 8 bits, or compressed in a way
        that tifffile cannot undo by itself.

    Raises:
        InputError: samples that are not 8 or 16 bits of unsigned integer, or an unknown layout.
    """
    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        if page.bitspersample <= 8:
            return None
        if page.dtype != np.uint16 or page.bitspersample != 16:
            kind = page.dtype or "unknown"
            raise InputError(
                f"{path}: has samples of {page.bitspersample} bits ({kind}); expected unsigned "
                "integers of 8 or 16 bits; convert it"
            )
        if page.imagewidth * page.imagelength > max_pixels:
            raise too_large(path, max_pixels)
        # Pillow's libtiff knows more compressions, and keeps the 16 bits at least of grey.
        if (
            page.compression not in tifffile.TIFF.DECOMPRESSORS
            or page.predictor not in tifffile.TIFF.UNPREDICTORS
        ):
            return None
        return _samples(path, page)


def _samples(path: str | os.PathLike, page: Any) -> Samples:
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
            whole = colors * (65535.0 / np.maximum(alpha, 1)[..., np.newaxis])
            colors = np.minimum(whole + 0.5, 65535).astype(np.uint16)
    profile = page.tags.valueof(_PROFILE_TAG)
    return Samples(mode, colors, alpha, profile, page.tags.valueof(_ORIENTATION_TAG, 1))


def too_large(path: str | os.PathLike, max_pixels: int) -> InputError:
    """The error for a picture of more than `max_pixels`."""
    return InputError(
        f"{path}: has too many pixels; expected up to {max_pixels // 10**6} megapixels; "
        "make it smaller first"
    )


def encode_png(samples: np.ndarray) -> bytes:
    """Encode uint16 [H, W, 3 or 4] as PNG."""
    return tf.io.encode_png(samples).numpy()


def encode_tiff(samples: np.ndarray) -> bytes:
    """Encode uint8 or uint16 [H, W, 3 or 4] as TIFF, compressed without loss."""
    file = io.BytesIO()
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
    return file.getvalue()
