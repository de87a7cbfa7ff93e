"""The pyramid: the size of each scale, the steps to take there, the size of the style images.

`pyramid`, `schedule` and `fit_style_size` are tensor functions, which an exported graph computes,
too; the others check their arguments and return plain numbers.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.images.pixels import Size
from nst_tf.settings import Settings

# VGG halves an image five times; below this nothing is left of it.
MIN_SIDE = 32
# A style image of fewer pixels has colors at most, no strokes.
MIN_STYLE_SIDE = 8
# The coarsest scale's long side is the nearest to this that halving gives.
REFERENCE_SIZE = 128
# Long side over short side.
MAX_ASPECT_RATIO = 16
# An integer, or a scalar tensor in a graph.
Scalar: TypeAlias = int | tf.Tensor
# More than any image takes.
_MAX_HALVINGS = 32


def scale_sizes(height: int, width: int, settings: Settings) -> list[Size]:
    """The (height, width) of each scale, from coarse to fine by factors of two.

    The last has `settings.size` as its long side. InputError: the content image of (height, width)
    is too narrow, or it or its coarsest scale would be too small for the network.
    """
    long, short = _checked_sides("content: a photograph", height, width)
    size, smallest = settings.size or long, _min_size(long, short)
    if size < smallest:
        raise InputError(
            f"size={settings.size}: the short side would be {_side(short, long, size)} px and the "
            f"network needs {MIN_SIDE}; give --size={smallest} or more"
        )
    sizes = [(h, w) for h, w in pyramid(height, width, settings).numpy().tolist()]
    if max(sizes[0]) < smallest:
        raise InputError(
            f"scales={settings.scales}: the coarsest would be {max(sizes[0])} px long and the "
            f"network needs {smallest}; give fewer scales or a larger --size"
        )
    return sizes


def pyramid(height: Scalar, width: Scalar, settings: Settings) -> tf.Tensor:
    """`scale_sizes` as int32 [scales, 2] of integers or scalar tensors."""
    height, width = tf.cast(height, tf.int64), tf.cast(width, tf.int64)
    long, short = tf.maximum(height, width), tf.minimum(height, width)
    size = tf.cast(settings.size, tf.int64) if settings.size else long
    factors = 2 ** tf.range(1, _MAX_HALVINGS, dtype=tf.int64)
    # Nearest by ratio, so down to REFERENCE_SIZE / √2, but not below what the network needs.
    halved = tf.cast(REFERENCE_SIZE * factors, tf.float64) <= math.sqrt(2) * tf.cast(
        size, tf.float64
    )
    halved &= _min_size(long, short) * factors <= size
    halvings = tf.reduce_sum(tf.cast(halved, tf.int64))
    if settings.scales:
        halvings = tf.constant(settings.scales - 1, tf.int64)
    longs = _side(1, 2 ** tf.range(halvings, -1, -1), size)
    return tf.cast(tf.stack([_side(height, long, longs), _side(width, long, longs)], 1), tf.int32)


def scale_steps(sizes: Sequence[Size], settings: Settings) -> list[int]:
    """`settings.steps` at the coarsest scale, three fifths as many at each finer one, from 1."""
    return schedule(len(sizes), settings.steps).numpy().tolist()


def schedule(scales: Scalar, steps: Scalar) -> tf.Tensor:
    """`scale_steps` as int32 [scales] of integers or scalar tensors."""
    finer = tf.range(tf.cast(scales, tf.int64))
    counts = tf.cast(steps, tf.int64) * 3**finer // 5**finer
    return tf.cast(tf.maximum(counts, 1), tf.int32)


def style_image_size(height: int, width: int, long_side: int) -> Size:
    """The (height, width) of a style image where the image has that long side.

    Its long side is the same, or longer where it would be too narrow for the network. A style image
    that is too narrow at any size raises an InputError.
    """
    _checked_sides("style: a painting", height, width)
    fitted = fit_style_size(height, width, long_side).numpy().tolist()
    return fitted[0], fitted[1]


def style_long_side(settings: Settings, content_long_side: int = 0) -> int:
    """The long side that a run needs of a style image; 0 where the content image decides it."""
    size = settings.size or content_long_side
    return size and max(round(settings.style_scale * size), MIN_SIDE * MAX_ASPECT_RATIO)


def fit_style_size(height: Scalar, width: Scalar, long_side: Scalar) -> tf.Tensor:
    """`style_image_size` as int32 [2] of integers or scalar tensors."""
    sides = tf.cast(tf.stack([height, width]), tf.int64)
    long, short = tf.reduce_max(sides), tf.reduce_min(sides)
    size = tf.maximum(tf.cast(long_side, tf.int64), ceil_div(MIN_SIDE * long, short))
    return tf.cast(_side(sides, long, size), tf.int32)


def _checked_sides(what: str, height: int, width: int) -> tuple[int, int]:
    """The long and the short side."""
    long, short = max(height, width), min(height, width)
    if long > MAX_ASPECT_RATIO * short:
        raise InputError(
            f"{what} of {width} x {height} px is too narrow; crop it so that its sides are at "
            f"most 1 to {MAX_ASPECT_RATIO}"
        )
    return long, short


def _min_size(long: Scalar, short: Scalar) -> Scalar:
    """The smallest n with `_side(short, long, n) >= MIN_SIDE`."""
    return ceil_div((2 * MIN_SIDE - 1) * long, 2 * short)


def _side(side: Scalar, long: Scalar, size: Scalar) -> Scalar:
    """A side of an image whose long side is resized to `size`, rounded to nearest."""
    return (2 * side * size + long) // (2 * long)


def ceil_div(a: Scalar, b: Scalar) -> Scalar:
    """The quotient, rounded up."""
    return -(-a // b)
