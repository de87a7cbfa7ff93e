"""Cuts: where a film goes on with another shot."""

import cv2
import numpy as np

# Bins of each channel.
_BINS = 8
# Of the pixels of two frames, what must have the same colors for them to be of one shot.
_MIN_COMMON = 0.4
# Of a frame, what must be trusted of the motion from the last one.
_MIN_TRUSTED = 0.2


def is_cut(before: np.ndarray, after: np.ndarray, trust: np.ndarray) -> bool:
    """Whether two consecutive frames are of two shots.

    Args:
        before: `color_histogram` of a frame.
        after: that of the next.
        trust: where the motion between them can be trusted, float32 [H, W].
    """
    # Swain & Ballard 1991, "Color Indexing": histogram intersection.
    common = float(np.minimum(before, after).sum())
    return common < _MIN_COMMON or float(trust.mean()) < _MIN_TRUSTED


def color_histogram(rgb: np.ndarray) -> np.ndarray:
    """The fractions of a frame's pixels by color; float32 sRGB [H, W, 3] in [0, 1]."""
    counts = cv2.calcHist([rgb], [0, 1, 2], None, [_BINS] * 3, [0, 1.001] * 3)
    return counts / counts.sum()
