"""Clips made of photographs, whose motion is known, and a film's, whose motion is estimated."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nst_tf.images.pixels import Size, resize, to_float, to_uint
from nst_tf.video import optical_flow
from nst_tf.video.optical_flow import Motion

FRAMES = 24
# Pixels a frame, x and y; whole ones, so that a clip warped by its motion is exact.
_PAN = (3, 1)
# Of the noise of each sample of the still clip.
SIGMA = 2 / 255
# The object's speed is this part of the long side a frame; its width, in frames of its way; its
# height, of the clip's. A superellipse of this exponent hides most of its rows equally long.
_SPEED, _WIDTH, _HEIGHT, _EXPONENT = 1 / 32, 9, 0.6, 4
# Of the object's edge, in pixels.
_SOFT = 1


class Clip(NamedTuple):
    """A clip and its motion.

    Attributes:
        frames: float32 sRGB [N, H, W, 3], of 8 bits; H and W are even.
        motion: of two numbers of frames, `motion(frame, earlier)` is where each pixel of the frame
            was in the earlier one, trusted where it is seen in both.
        hidden: where an object hides a background that does not move, bool [N, H, W]; None if
            there is none.
    """

    frames: np.ndarray
    motion: Callable[[int, int], Motion]
    hidden: np.ndarray | None = None


def pan(photograph: np.ndarray, long_side: int) -> Clip:
    """A window that moves over a photograph, to the right and down."""
    height, width = _size(photograph, long_side)
    x, y = (each * (FRAMES - 1) for each in _PAN)
    scene = _cover(photograph, (height + y, width + x))
    corners = [(each * _PAN[1], each * _PAN[0]) for each in range(FRAMES)]
    frames = [scene[top : top + height, left : left + width] for top, left in corners]

    def motion(frame: int, earlier: int) -> Motion:
        flow = np.array(_PAN, np.float32) * (frame - earlier)
        flow = np.broadcast_to(flow, (height, width, 2)).copy()
        return Motion(flow, _inside(flow))

    return Clip(np.stack(frames), motion)


def still(photograph: np.ndarray, long_side: int) -> Clip:
    """A photograph that does not move, with a sensor's noise of its own in each frame."""
    size = _size(photograph, long_side)
    scene = _cover(photograph, size)
    noise = np.random.default_rng(0).normal(0, SIGMA, (FRAMES, *scene.shape))
    frames = _rounded((scene + noise).astype(np.float32))
    nowhere = Motion(np.zeros((*size, 2), np.float32), np.ones(size, np.float32))
    return Clip(frames, lambda frame, earlier: nowhere)


def passing(photograph: np.ndarray, texture: np.ndarray, long_side: int) -> Clip:
    """An object passes before a photograph that does not move, from left to right.

    Args:
        photograph: the background, float32 sRGB [H, W, 3] in [0, 1].
        texture: what the object is cut from, of the same type.
        long_side: of the frames, in pixels.

    Returns:
        A clip in which the object hides pixels of the background for up to 9 frames, and shows
        them again. Its motion is not trusted on the object's soft edge.
    """
    height, width = _size(photograph, long_side)
    speed = max(1, round(_SPEED * long_side))
    background = _cover(photograph, (height, width))
    skin = _cover(texture, (round(_HEIGHT * height), _WIDTH * speed))
    opacity = _superellipse(*skin.shape[:2])
    # Half of it is there in the first frame.
    lefts = [each * speed - skin.shape[1] // 2 for each in range(FRAMES)]
    top = (height - skin.shape[0]) // 2
    alphas = np.stack([_placed(opacity, (height, width), top, left) for left in lefts])
    skins = np.stack([_placed(skin, (height, width), top, left) for left in lefts])
    frames = background + alphas[..., np.newaxis] * (skins - background)

    def motion(frame: int, earlier: int) -> Motion:
        flow = np.zeros((height, width, 2), np.float32)
        solid, hidden = alphas[frame] == 1, alphas[frame] > 0
        flow[hidden, 0] = -speed * (frame - earlier)
        shown = ~hidden & (alphas[earlier] == 0)
        return Motion(flow, _inside(flow) * (solid | shown))

    return Clip(_rounded(frames), motion, alphas > 0)


def film(frames: np.ndarray) -> Clip:
    """The clip of a film's frames float32 sRGB [N, H, W, 3], by estimated motion."""
    grays = [optical_flow.gray(each) for each in frames]

    @functools.cache
    def motion(frame: int, earlier: int) -> Motion:
        return optical_flow.motion(grays[frame], grays[earlier])

    return Clip(frames, motion)


def _size(photograph: np.ndarray, long_side: int) -> Size:
    """The size of frames in a photograph's shape, even."""
    height, width = (each * long_side / max(photograph.shape[:2]) for each in photograph.shape[:2])
    return 2 * round(height / 2), 2 * round(width / 2)


def _cover(photograph: np.ndarray, size: Size) -> np.ndarray:
    """The middle of a photograph scaled to fill a size, of 8 bits."""
    height, width = photograph.shape[:2]
    scale = max(size[0] / height, size[1] / width)
    scaled = (max(size[0], round(scale * height)), max(size[1], round(scale * width)))
    top, left = ((scaled[axis] - size[axis]) // 2 for axis in (0, 1))
    image = resize(photograph, *scaled).numpy()
    return _rounded(image[top : top + size[0], left : left + size[1]])


def _rounded(images: np.ndarray) -> np.ndarray:
    return to_float(to_uint(images, np.uint8))


def _superellipse(height: int, width: int) -> np.ndarray:
    """The opacity of the object, float32 [height, width]."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in (height, width))
    radius = (np.abs(y[:, np.newaxis]) ** _EXPONENT + np.abs(x) ** _EXPONENT) ** (1 / _EXPONENT)
    return np.clip((1 - radius) * min(height, width) / 2 / _SOFT, 0, 1)


def _placed(image: np.ndarray, size: Size, top: int, left: int) -> np.ndarray:
    """An image [h, w, ...] on a ground of zeros of a size, at a place that may be outside."""
    ground = np.zeros((*size, *image.shape[2:]), np.float32)
    start, stop = max(0, left), min(size[1], left + image.shape[1])
    if start < stop:
        ground[top : top + image.shape[0], start:stop] = image[:, start - left : stop - left]
    return ground


def _inside(flow: np.ndarray) -> np.ndarray:
    """1 where a flow leads into the frame, float32 [H, W]."""
    height, width = flow.shape[:2]
    y, x = np.indices((height, width))
    x, y = x + flow[..., 0], y + flow[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return inside.astype(np.float32)
