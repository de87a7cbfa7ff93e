"""The painted frames of a shot so far, carried along the motion to the frame at hand."""

from collections import deque
from typing import NamedTuple

import numpy as np

from nst_tf.images.pixels import to_float, to_uint
from nst_tf.video import optical_flow
from nst_tf.video.shots import color_histogram, is_cut

# Frames back. The closest comes first; one further back counts where no closer one is trusted, as
# for what comes back from behind something.
DISTANCES = (1, 2, 4, 8, 16)
# Of a frame: where no more than this is left, further ones are not looked at.
_NEGLIGIBLE = 0.002


class Carried(NamedTuple):
    """The frames before, carried along the motion to a frame.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1]; it means nothing where it is not trusted.
        trust: where it can be trusted, float32 [H, W] in [0, 1].
    """

    rgb: np.ndarray
    trust: np.ndarray


class _Past(NamedTuple):
    """A frame's content in gray, uint8 [H, W], and the painted frame, uint8 [H, W, 3]."""

    gray: np.ndarray
    painted: np.ndarray


class History:
    """The last frames of the shot that a frame belongs to."""

    def __init__(self) -> None:
        self._frames: deque[_Past] = deque(maxlen=max(DISTANCES))
        self._gray = self._histogram = np.empty(0)
        self._motion: optical_flow.Motion | None = None

    def begins_shot(self, content: np.ndarray) -> bool:
        """Look at the next frame, float32 sRGB [H, W, 3] in [0, 1]; at a cut, forget the others."""
        before = self._histogram
        self._gray, self._histogram = optical_flow.gray(content), color_histogram(content)
        if self._frames:
            self._motion = optical_flow.motion(self._gray, self._frames[-1].gray)
            if is_cut(before, self._histogram, self._motion.trust):
                self._frames.clear()
        return not self._frames

    def add(self, painted: np.ndarray) -> None:
        """Take the painted frame, float32 sRGB [H, W, 3] in [0, 1], whose content was looked at."""
        self._frames.append(_Past(self._gray, to_uint(painted, np.uint8)))

    def carried(self) -> Carried:
        """The frames of the shot carried to the frame at hand, each pixel from the closest trusted.

        Ruder et al. 2016, "Artistic style transfer for videos", equation 9.
        """
        shape = self._gray.shape
        rgb, trust = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
        motion = self._motion
        for distance in DISTANCES:
            if distance > len(self._frames) or 1 - trust.mean() <= _NEGLIGIBLE:
                break
            past = self._frames[-distance]
            if motion is None or distance > 1:
                motion = optical_flow.motion(self._gray, past.gray)
            warped = optical_flow.warp(to_float(past.painted), motion.flow)
            new = (motion.trust > trust)[..., np.newaxis]
            rgb = np.where(new, np.clip(warped, 0.0, 1.0), rgb)
            trust = np.maximum(trust, motion.trust)
        return Carried(rgb, trust)
