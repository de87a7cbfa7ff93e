"""The samples of a decoded file, and the one conversion between integers and floats."""

from typing import NamedTuple

import numpy as np

# Height and width, in pixels.
Size = tuple[int, int]


class Samples(NamedTuple):
    """What a decoder finds in a file: neither turned upright nor converted to sRGB.

    Attributes:
        mode: "L" (grey), "RGB" or "CMYK".
        colors: uint8 or uint16 [H, W, 1, 3 or 4].
        alpha: of the same dtype [H, W], or None.
        profile: the embedded ICC profile, or None.
        orientation: EXIF orientation, 1 to 8.
    """

    mode: str
    colors: np.ndarray
    alpha: np.ndarray | None
    profile: bytes | None
    orientation: int


def unit(samples: np.ndarray) -> np.ndarray:
    """Integers to float32 in [0, 1]."""
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)


def quantise(floats: np.ndarray, dtype: type) -> np.ndarray:
    """Floats to integers: clamped to [0, 1], rounded half up. The only place that does so."""
    return (np.clip(floats, 0.0, 1.0) * np.iinfo(dtype).max + 0.5).astype(dtype)
