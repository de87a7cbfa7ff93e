"""What decoders find in a file, how large it may be, and its reduction while decoding."""

import functools
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst_tf.errors import InputError

_LOG = logging.getLogger(__name__)

# What a picture may take in memory: 300 megapixels in float32.
MAX_BYTES = 3_600_000_000
_FLOAT_BYTES = 12
# The short side is not reduced below this, so that the ratio of the sides stays.
_MIN_SHORT_SIDE = 256
# Rows of the reduced picture that are worked on at a time.
_STRIP = 16


class Samples(NamedTuple):
    """What a decoder finds in a file: neither turned upright nor converted to sRGB."""

    mode: str  # "L" (grey), "RGB" or "CMYK"
    colors: np.ndarray  # uint8 or uint16 [H, W, 1, 3 or 4]
    alpha: np.ndarray | None  # of the same dtype, [H, W]
    profile: bytes | None = None  # the embedded ICC profile
    orientation: int = 1  # EXIF, 1 to 8
    color_space: Any = None  # png_color.ColorSpace, of a PNG that names one without a profile
    metadata: Any = None  # metadata.Metadata
    notices: tuple[str, ...] = ()  # what of the file was left out


@functools.lru_cache(maxsize=1000)  # once, though a picture may be read for each painting
def notice(path: Path, message: str) -> None:
    """Say what of a file was left out."""
    _LOG.warning("%s: %s", path, message)


def frames_notice(count: int) -> tuple[str, ...]:
    """What to say of a picture that is animated, if it is."""
    if count < 2:
        return ()
    return (f"has {count} frames, the first is taken; scripts/video.py paints all",)


def pages_notice(count: int) -> tuple[str, ...]:
    """What to say of a file of several pages, if it has."""
    return (f"has {count} pages; the first is taken",) if count > 1 else ()


def reduction(width: int, height: int, long_side: int) -> int:
    """The factor by which a picture is reduced while decoding; 1 for `long_side` 0.

    Twice the long side that is needed remains, so that the resizing that follows decides how the
    picture looks; and as much of the short side, of which the squares of a scroll are cut.
    """
    if not 0 < 4 * long_side <= max(width, height):
        return 1
    largest = max(width, height) // (2 * long_side)
    return max(1, min(largest, min(width, height) // max(long_side, _MIN_SHORT_SIDE)))


def check_size(path: Path, width: int, height: int, pixel_bytes: int, factor: int) -> None:
    """Refuse a picture that takes too much memory in its decoder or, reduced, as floats."""
    reduced = math.ceil(width / factor) * math.ceil(height / factor)
    needed = max(width * height * pixel_bytes, reduced * _FLOAT_BYTES)
    if needed > MAX_BYTES:
        raise InputError(
            f"{path}: is {width} x {height} px, {math.ceil(needed / 10**6)} MB in memory; expected "
            f"up to {MAX_BYTES // 10**6} MB; make it smaller first, or give a smaller --size"
        )


def reduce(read_rows: Callable[[int, int], Samples], height: int, factor: int) -> Samples:
    """The samples of all rows, each `factor` x `factor` of them averaged, strip by strip.

    Args:
        read_rows: gives the samples from one row to another.
        height: number of rows.
        factor: from `reduction`.
    """
    if factor == 1:
        return read_rows(0, height)
    step = _STRIP * factor
    tops = range(0, height, step)
    strips = [_box_reduce(read_rows(top, min(top + step, height)), factor) for top in tops]
    alphas = [strip.alpha for strip in strips if strip.alpha is not None]
    return strips[0]._replace(
        colors=np.concatenate([strip.colors for strip in strips]),
        alpha=np.concatenate(alphas) if alphas else None,
    )


def _box_reduce(samples: Samples, factor: int) -> Samples:
    colors, alpha = samples.colors, samples.alpha
    height, width = colors.shape[:2]
    count = _box_sums(np.ones((height, 1, 1), np.uint8), factor)
    count = count * _box_sums(np.ones((1, width, 1), np.uint8), factor)
    if alpha is None:
        return samples._replace(colors=_rounded(_box_sums(colors, factor), count, colors.dtype))
    opacity = alpha[..., np.newaxis]
    weight = _box_sums(opacity, factor)
    # Colors that are hidden do not count.
    sums = _box_sums(colors.astype(np.uint64) * opacity, factor)
    colors = _rounded(sums, np.maximum(weight, 1), colors.dtype)
    return samples._replace(colors=colors, alpha=_rounded(weight, count, alpha.dtype)[..., 0])


def _box_sums(array: np.ndarray, factor: int) -> np.ndarray:
    """Sums over boxes of [H, W, C]; those at the right and lower border may be smaller."""
    shape = (math.ceil(array.shape[0] / factor), *array.shape[1:])
    rows = np.zeros(shape, np.result_type(array.dtype, np.uint32))
    for offset in range(min(factor, len(array))):
        part = array[offset::factor]
        rows[: len(part)] += part
    return np.add.reduceat(rows, range(0, array.shape[1], factor), axis=1, dtype=np.uint64)


def _rounded(sums: np.ndarray, counts: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return ((sums + counts // 2) // counts).astype(dtype)
