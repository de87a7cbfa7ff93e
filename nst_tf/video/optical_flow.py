"""Optical flow: where each pixel was in another frame, and where that can be trusted.

A flow is float32 [H, W, 2] in pixels, (x, y): pixel p of one frame is at p + flow[p] in the other.
"""

from typing import NamedTuple

import cv2
import numpy as np

from nst_tf.images.pixels import to_uint

# Ruder, Dosovitskiy & Brox 2016, "Artistic style transfer for videos" (arXiv 1604.08610), section
# 3.3: what two flows may differ by, relative to their squares and in all, and how steep a flow is
# that is not a motion boundary.
_RELATIVE, _ABSOLUTE = 0.01, 0.5
_STEEP_RELATIVE, _STEEP_ABSOLUTE = 0.01, 0.002
# Of 255, what a gray may change by from one frame to another, averaged over 3 x 3 pixels. DIS finds
# no motion, there and back, where something has gone and what was behind it has no motion.
_MAX_CHANGE = 16


class Motion(NamedTuple):
    """The motion between a frame and an earlier one.

    Attributes:
        flow: from the frame to the earlier one.
        trust: 1 where the flow can be trusted, float32 [H, W].
    """

    flow: np.ndarray
    trust: np.ndarray


def gray(rgb: np.ndarray) -> np.ndarray:
    """A frame float32 [H, W, 3] in [0, 1] as `motion` takes it, uint8 [H, W]."""
    return cv2.cvtColor(to_uint(rgb, np.uint8), cv2.COLOR_RGB2GRAY)


def motion(frame: np.ndarray, earlier: np.ndarray) -> Motion:
    """The motion from a frame to an earlier one, both of `gray`."""
    flow = _dis(frame, earlier)
    return Motion(flow, trust(flow, _dis(earlier, frame)) * _is_alike(frame, warp(earlier, flow)))


def trust(flow: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Where a flow can be trusted: the flow back agrees with it, and no motion boundary is near.

    Ruder et al. 2016, section 3.3. There, ŵ is the flow and w̃ the flow back, at where ŵ leads; a
    pixel is disoccluded where |w̃ + ŵ|² > 0.01 (|w̃|² + |ŵ|²) + 0.5, and on a motion boundary where
    |∇û|² + |∇v̂|² > 0.01 |ŵ|² + 0.002.

    Args:
        flow: from a frame to another.
        back: from the other to the frame.

    Returns:
        float32 [H, W], 1 where it can be trusted and 0 elsewhere, also where it leads outside.
    """
    returned = warp(back, flow)
    squares = _square(returned) + _square(flow)
    agrees = _square(returned + flow) <= _RELATIVE * squares + _ABSOLUTE
    slopes = sum(_square(np.gradient(flow, axis=axis)) for axis in (0, 1))
    is_smooth = slopes <= _STEEP_RELATIVE * _square(flow) + _STEEP_ABSOLUTE
    return (agrees & is_smooth & _inside(flow)).astype(np.float32)


def warp(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """An image [H, W, C] or [H, W] sampled where a flow leads; its edge goes on outside of it.

    By cubic interpolation: linear would soften the image a little in each frame.
    """
    x, y = _positions(flow)
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _dis(frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search"."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return dis.calc(frame, other, None)  # type: ignore[call-overload]


def _is_alike(frame: np.ndarray, warped: np.ndarray) -> np.ndarray:
    """Where a frame looks as the flow says, bool [H, W]; both gray, uint8 [H, W]."""
    difference = frame.astype(np.float32) - warped
    return np.abs(cv2.blur(difference, (3, 3))) <= _MAX_CHANGE


def _positions(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, np.newaxis] + flow[..., 1]
    return x, y


def _inside(flow: np.ndarray) -> np.ndarray:
    height, width = flow.shape[:2]
    x, y = _positions(flow)
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def _square(vectors: np.ndarray) -> np.ndarray:
    return np.square(vectors).sum(axis=-1)
