"""Measures of how calm a painted clip is. Frames are float32 sRGB [N, H, W, 3] in [0, 1]."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from nst_tf.images.color_transfer import to_oklab
from nst_tf.video.optical_flow import Motion, warp

# What two equal pictures differ by (RMS) where each was rounded to 8 bits by itself.
ROUNDING = (1 / 6) ** 0.5 / 255


class Uncovered(NamedTuple):
    """How a background comes back from behind an object.

    Attributes:
        error: RMS difference of the background in the first frame in which it is seen again to the
            last one before it was hidden.
        elsewhere: the same between the same frames, of background that was never hidden.
        remains: how much of the object is left on it: the painted background as a mixture of what
            it was before and the object that hid it, whose part this is by least squares. 0:
            nothing; 1: all of it.
    """

    error: float
    elsewhere: float
    remains: float

    @property
    def ratio(self) -> float:
        """The error over that elsewhere, which counts as no less than that of rounding."""
        return self.error / max(self.elsewhere, ROUNDING)


def warping_error(
    frames: np.ndarray,
    motion: Callable[[int, int], Motion],
    gap: int = 1,
    numbers: Sequence[int] = (),
) -> float:
    """E_warp: the mean squared difference to an earlier frame, warped, where both are seen.

    Lai, Huang, Wang, Shechtman, Yumer & Yang 2018, "Learning Blind Video Temporal Consistency",
    section 4.2; the mean over frames of the mean over pixels and channels.

    Args:
        frames: the painted clip.
        motion: of the source, as `Clip.motion`.
        gap: how many frames back the earlier one is.
        numbers: the frames that are compared with an earlier one; all if none are given.

    Returns:
        The error, 0 for a clip whose pixels move with its source's; NaN where nothing is seen in
        both frames of any pair.
    """
    errors = []
    for number in numbers or range(gap, len(frames)):
        flow, trust = motion(number, number - gap)
        squares = np.square(frames[number] - warp(frames[number - gap], flow)).mean(axis=-1)
        if trust.any():
            errors.append(np.average(squares, weights=trust))
    return float(np.mean(errors)) if errors else float("nan")


def frame_difference(frames: np.ndarray, source: np.ndarray, numbers: Sequence[int] = ()) -> float:
    """FDB: how far the changes from frame to frame are from the source's, mean squared.

    Xu, Xiong & Hu 2021, "Frame Difference-Based Temporal Loss for Video Stylization"
    (arXiv 2102.05822): the loss in pixels, P-FDB. `numbers` are the frames that are compared with
    the one before; all if none are given.
    """
    later = np.array(numbers or range(1, len(frames)))
    changes = (each[later] - each[later - 1] for each in (frames, source))
    return float(np.mean(np.square(np.subtract(*changes))))


def flicker(frames: np.ndarray) -> float:
    """Standard deviation of samples over time, RMS over all, of a clip that does not move."""
    return float(np.sqrt(frames.var(axis=0, ddof=1, dtype=np.float64).mean()))


def drift(frames: np.ndarray) -> float:
    """The mean lightness (Oklab's L) of the last frame over the first's."""
    first, last = (float(np.mean(to_oklab(frames[index])[..., 0])) for index in (0, -1))
    return last / first


def uncovered(frames: np.ndarray, hidden: np.ndarray, reach: int = 0) -> Uncovered:
    """How the background comes back that an object has hidden.

    Args:
        frames: the painted clip, whose background does not move.
        hidden: where the object is, bool [N, H, W].
        reach: the background counts as seen where the object is further than this, in pixels. 0
            finds what is left on it at once; more, what stays, and not the paint around the object,
            which is part of any painting of it.

    Raises:
        ValueError: no background comes back, or there is none that was never hidden.
    """
    near = _dilated(hidden, reach)
    never = ~near.any(axis=0)
    error = elsewhere = product = square = count = 0.0
    for before, after, pixels in _uncoverings(near):
        middle = (before + after) // 2
        pixels &= hidden[middle]
        background = frames[before][pixels].astype(np.float64)
        change, object_ = frames[after][pixels] - background, frames[middle][pixels] - background
        error += np.square(change).sum()
        elsewhere += change.size * np.square(frames[after][never] - frames[before][never]).mean()
        product += (change * object_).sum()
        square += np.square(object_).sum()
        count += change.size
    if not count or not never.any():
        raise ValueError("hidden: expected pixels that come back, and others never hidden")
    remains = product / square if square else 0.0
    return Uncovered(
        float(np.sqrt(error / count)), float(np.sqrt(elsewhere / count)), float(remains)
    )


def _dilated(masks: np.ndarray, reach: int) -> np.ndarray:
    """Masks bool [N, H, W], grown by a square's half side in pixels."""
    kernel = np.ones((2 * reach + 1, 2 * reach + 1))
    return np.stack([cv2.dilate(mask.astype(np.uint8), kernel) for mask in masks]) > 0


def _uncoverings(hidden: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """The frame before pixels were hidden, the first in which they are seen again, the pixels."""
    last = np.full(hidden.shape[1:], -1)
    for number, now in enumerate(hidden):
        returned = ~now & (last >= 0) & (last < number - 1)
        for before in np.unique(last[returned]):
            yield int(before), number, returned & (last == before)
        last[~now] = number
