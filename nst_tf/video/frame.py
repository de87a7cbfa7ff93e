"""A frame of a film, and the size at which frames are painted."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from nst_tf.images.pixels import Size


class Frame(NamedTuple):
    """A picture and when it is shown.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1]; H and W are even.
        time: seconds since the beginning of the painted part; the first is 0.
        duration: seconds that it is shown.
    """

    rgb: np.ndarray
    time: Fraction
    duration: Fraction


def even_size(height: int, width: int, long_side: int) -> Size:
    """The nearest size with even sides, as video needs, of that long side; 0 keeps it."""
    long = max(height, width)
    size = long_side or long
    high, wide = (2 * max(1, (side * size + long - 1) // (2 * long)) for side in (height, width))
    return high, wide
