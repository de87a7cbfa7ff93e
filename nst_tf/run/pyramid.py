"""The sizes that photograph and paintings are brought to, from coarse to fine.

`pyramid`, `schedule` and `fit` are tensor functions, which an exported graph computes, too; the
others check their arguments and give plain numbers.
"""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.images.pixels import Size
from nst_tf.settings import Settings

# VGG halves a picture five times; below this nothing is left to look at.
SHORTEST = 32
# The coarsest scale's long side is the nearest to this that halving gives.
COARSEST = 128
# How many times longer than wide a picture may be.
NARROWEST = 16

# More halvings than any picture takes.
_MOST_HALVINGS = 32


def scale_sizes(height: int, width: int, settings: Settings) -> list[Size]:
    """The sizes a picture is painted at, from coarse to fine by factors of two.

    Args:
        height: of the photograph, in pixels.
        width: of the photograph, in pixels.
        settings: `size` and `scales`.

    Returns:
        (height, width) of each scale; the last has `settings.size` as its long side.

    Raises:
        InputError: the picture is too narrow, or it or its coarsest scale would be too small for
            the network.
    """
    long, short = _checked_sides("content: a photograph", height, width)
    size, smallest = settings.size or long, _smallest(long, short)
    if size < smallest:
        raise InputError(
            f"size={settings.size}: the short side would be {_side(short, long, size)} px and the "
            f"network needs {SHORTEST}; give --size={smallest} or more"
        )
    sizes = [(h, w) for h, w in pyramid(height, width, settings).numpy().tolist()]
    if max(sizes[0]) < smallest:
        raise InputError(
            f"scales={settings.scales}: the coarsest would be {max(sizes[0])} px long and the "
            f"network needs {smallest}; give fewer scales or a larger --size"
        )
    return sizes


def pyramid(height: Any, width: Any, settings: Settings) -> tf.Tensor:
    """What `scale_sizes` computes.

    Args:
        height: of the photograph, in pixels, an integer or a scalar.
        width: of the photograph, likewise.
        settings: `size` and `scales`.

    Returns:
        int32 [scales, 2]: height and width of each.
    """
    height, width = tf.cast(height, tf.int64), tf.cast(width, tf.int64)
    long, short = tf.maximum(height, width), tf.minimum(height, width)
    size = tf.cast(settings.size, tf.int64) if settings.size else long
    times = 2 ** tf.range(1, _MOST_HALVINGS, dtype=tf.int64)
    # Nearest by ratio, so down to COARSEST / √2, but not below what the network needs.
    halved = tf.cast(COARSEST * times, tf.float64) <= math.sqrt(2) * tf.cast(size, tf.float64)
    halved &= _smallest(long, short) * times <= size
    halvings = tf.reduce_sum(tf.cast(halved, tf.int64))
    if settings.scales:
        halvings = tf.constant(settings.scales - 1, tf.int64)
    longs = _side(1, 2 ** tf.range(halvings, -1, -1), size)
    return tf.cast(tf.stack([_side(height, long, longs), _side(width, long, longs)], 1), tf.int32)


def scale_steps(sizes: Sequence[Size], settings: Settings) -> list[int]:
    """The steps to take at each scale.

    Args:
        sizes: (height, width) of each scale, of `scale_sizes`.
        settings: `steps`.

    Returns:
        `settings.steps` at the coarsest scale, three fifths as many with each finer one, and at
        least 1.
    """
    return schedule(len(sizes), settings.steps).numpy().tolist()


def schedule(count: Any, steps: Any) -> tf.Tensor:
    """What `scale_steps` computes.

    Args:
        count: of the scales, an integer or a scalar.
        steps: at the coarsest scale, likewise.

    Returns:
        int32 [count].
    """
    finer = tf.range(tf.cast(count, tf.int64))
    counts = tf.cast(steps, tf.int64) * 3**finer // 5**finer
    return tf.cast(tf.maximum(counts, 1), tf.int32)


def painting_size(height: int, width: int, long_side: int) -> Size:
    """The size a painting is brought to at a scale.

    Args:
        height: of the painting, in pixels.
        width: of the painting, in pixels.
        long_side: of the picture at that scale.

    Returns:
        (height, width) with the same long side as the picture, or a longer one where the painting
        would be too narrow to look at.

    Raises:
        InputError: the painting is too narrow at any size.
    """
    _checked_sides("style: a painting", height, width)
    fitted = fit(height, width, long_side).numpy().tolist()
    return fitted[0], fitted[1]


def fit(height: Any, width: Any, long_side: Any) -> tf.Tensor:
    """What `painting_size` computes.

    Args:
        height: of the painting, in pixels, an integer or a scalar.
        width: of the painting, likewise.
        long_side: of the picture at that scale, likewise.

    Returns:
        int32 [2]: height and width.
    """
    sides = tf.cast(tf.stack([height, width]), tf.int64)
    long, short = tf.reduce_max(sides), tf.reduce_min(sides)
    size = tf.maximum(tf.cast(long_side, tf.int64), -(-SHORTEST * long // short))
    return tf.cast(_side(sides, long, size), tf.int32)


def _checked_sides(what: str, height: int, width: int) -> tuple[int, int]:
    """The long and the short side."""
    long, short = max(height, width), min(height, width)
    if long > NARROWEST * short:
        raise InputError(
            f"{what} of {width} x {height} px is too narrow; crop it so that its sides are at "
            f"most 1 to {NARROWEST}"
        )
    return long, short


def _smallest(long: Any, short: Any) -> Any:
    """The least n with `_side(short, long, n) >= SHORTEST`."""
    return -(-(2 * SHORTEST - 1) * long // (2 * short))


def _side(side: Any, long: Any, size: Any) -> Any:
    """A side of a picture whose long side is brought to `size`, rounded to nearest."""
    return (2 * side * size + long) // (2 * long)
