"""The sizes that photograph and paintings are brought to, from coarse to fine."""

import math
from collections.abc import Sequence

from nst_tf.errors import InputError
from nst_tf.settings import Settings

# VGG halves a picture five times; below this nothing is left to look at.
SHORTEST = 32
# Scales are added while the long side stays at least this long.
COARSEST = 256
# The long side at which most steps are taken: there the strokes form.
MIDDLE = 512
# How many times longer than wide a picture may be.
NARROWEST = 16

Size = tuple[int, int]


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
    size = settings.size or long
    # The least n with _side(short, long, n) >= SHORTEST.
    smallest = -(-(2 * SHORTEST - 1) * long // (2 * short))
    if size < smallest:
        raise InputError(
            f"size={settings.size}: the short side would be {_side(short, long, size)} px and the "
            f"network needs {SHORTEST}; give --size={smallest} or more"
        )
    count = settings.scales or 1 + max(0, int(math.log2(size / max(COARSEST, smallest))))
    longs = [_side(1, 2**k, size) for k in reversed(range(count))]
    if longs[0] < smallest:
        raise InputError(
            f"scales={count}: the coarsest would be {longs[0]} px long and the network needs "
            f"{smallest}; give fewer scales or a larger --size"
        )
    return [(_side(height, long, n), _side(width, long, n)) for n in longs]


def scale_steps(sizes: Sequence[Size], settings: Settings) -> list[int]:
    """The steps to take at each scale.

    Args:
        sizes: (height, width) of each scale, of `scale_sizes`.
        settings: `steps`.

    Returns:
        `settings.steps` at the scale whose long side is nearest to `MIDDLE`; half as many with
        each scale away from there, and at least 1.
    """
    away = [abs(math.log2(max(size) / MIDDLE)) for size in sizes]
    middle = away.index(min(away))
    return [max(1, settings.steps >> abs(index - middle)) for index in range(len(sizes))]


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
    long, short = _checked_sides("style: a painting", height, width)
    size = max(long_side, -(-SHORTEST * long // short))
    return _side(height, long, size), _side(width, long, size)


def _checked_sides(what: str, height: int, width: int) -> tuple[int, int]:
    """The long and the short side."""
    long, short = max(height, width), min(height, width)
    if long > NARROWEST * short:
        raise InputError(
            f"{what} of {width} x {height} px is too narrow; crop it so that its sides are at "
            f"most 1 to {NARROWEST}"
        )
    return long, short


def _side(side: int, long: int, size: int) -> int:
    """A side of a picture whose long side is brought to `size`, rounded to nearest."""
    return (2 * side * size + long) // (2 * long)
