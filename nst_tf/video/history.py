"""The painted frames of a shot so far, carried along the motion to the frame at hand."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from nst_tf.images.pixels import to_float, to_uint
from nst_tf.video import optical_flow
from nst_tf.video.shots import color_histogram, is_cut

# Of a frame: where no more than this is left, further ones are not looked at.
_NEGLIGIBLE = 0.002
# Of 255: how far a color may go from the one that its paint was made for, and over what more the
# trust fades. Otherwise a film that fades in would keep what was painted on black.
_MAX_DRIFT, _DRIFT_FADE = 12, 16
# By how much more an earlier frame must be trusted to count in place of a later one.
_BETTER = 0.05
# In pixels: how far strokes reach beyond an object's outline, and over what the trust fades there.
_REACH, _FADE = 3, 5


class Carried(NamedTuple):
    """The frames before, carried along the motion to a frame.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1]; it means nothing where it is not trusted.
        trust: where it can be trusted, float32 [H, W] in [0, 1].
    """

    rgb: np.ndarray
    trust: np.ndarray


class _Past(NamedTuple):
    """A frame of the shot.

    Attributes:
        gray: its content, uint8 [H, W].
        painted: the painted frame, uint8 [H, W, 3].
        origin: the content that each pixel's paint was made for, uint8 [H, W, 3].
    """

    gray: np.ndarray
    painted: np.ndarray
    origin: np.ndarray


class History:
    """The last frames of the shot that a frame belongs to."""

    def __init__(self, distances: Sequence[int]):
        """Look so many frames back, the closest first."""
        self._distances = distances
        self._frames: deque[_Past] = deque(maxlen=max(distances))
        self._gray = self._origin = self._histogram = np.empty(0)
        self._motion: optical_flow.Motion | None = None

    def begins_shot(self, content: np.ndarray) -> bool:
        """Look at the next frame, float32 sRGB [H, W, 3] in [0, 1]; at a cut, forget the others."""
        before = self._histogram
        self._gray, self._histogram = optical_flow.gray(content), color_histogram(content)
        self._origin = to_uint(content, np.uint8)
        if self._frames:
            self._motion = optical_flow.motion(self._gray, self._frames[-1].gray)
            if is_cut(before, self._histogram, self._motion.trust):
                self._frames.clear()
        return not self._frames

    def add(self, painted: np.ndarray) -> None:
        """Take the painted frame, float32 sRGB [H, W, 3] in [0, 1], whose content was looked at."""
        self._frames.append(_Past(self._gray, to_uint(painted, np.uint8), self._origin))

    def carried(self) -> Carried:
        """The frames of the shot carried to the frame at hand, each pixel from the closest trusted.

        Ruder et al. 2016, "Artistic style transfer for videos", equation 9. To be called for each
        frame of a shot but the first.
        """
        content = self._origin.astype(np.float32)
        rgb, trust = np.zeros_like(content), np.zeros(content.shape[:2], np.float32)
        origin = content
        motion = self._motion
        # Of a shot that has not lasted so long, its first frame.
        for distance in dict.fromkeys(min(each, len(self._frames)) for each in self._distances):
            if 1 - trust.mean() <= _NEGLIGIBLE:
                break
            past = self._frames[-distance]
            if motion is None or distance > 1:
                motion = optical_flow.motion(self._gray, past.gray)
            made_for = optical_flow.warp(past.origin, motion.flow).astype(np.float32)
            # Each by itself, so that neighbors come from one frame, and what comes back from behind
            # something comes from before it was hidden, not from the paint at the outline.
            trusted = _fade(motion.trust * _fidelity(content - made_for))
            better = trusted > trust + _BETTER
            warped = optical_flow.warp(to_float(past.painted), motion.flow)
            rgb = np.where(better[..., np.newaxis], np.clip(warped, 0.0, 1.0), rgb)
            origin = np.where(better[..., np.newaxis], made_for, origin)
            trust = np.where(better, trusted, trust)
        alpha = trust[..., np.newaxis]
        self._origin = np.rint(alpha * origin + (1 - alpha) * content).astype(np.uint8)
        return Carried(rgb, trust)


def _fade(trust: np.ndarray) -> np.ndarray:
    """Less trust near what is not trusted, where seams and strokes of what has moved would stay."""
    eroded = cv2.erode(trust, np.ones([_REACH, _REACH]))
    return trust * cv2.blur(eroded, (_FADE, _FADE))


def _fidelity(drift: np.ndarray) -> np.ndarray:
    """How far paint still fits its content, whose color has changed by so much since."""
    drift = np.abs(cv2.blur(drift, (3, 3))).max(axis=-1)
    return np.clip(1 - (drift - _MAX_DRIFT) / _DRIFT_FADE, 0.0, 1.0)
