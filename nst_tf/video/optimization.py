"""Painting frames by optimization, each from the frames before and held to them.

Ruder, Dosovitskiy & Brox 2016, "Artistic style transfer for videos" (arXiv 1604.08610).
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import tensorflow as tf

from nst_tf.coarse_to_fine import optimize
from nst_tf.images import color_transfer
from nst_tf.losses.temporal import TemporalTarget
from nst_tf.run.pyramid import MIN_SIDE
from nst_tf.run.scale_problem import DETAIL
from nst_tf.run.session import Session
from nst_tf.settings import Settings
from nst_tf.style import Style
from nst_tf.video.guided_fill import guided_fill
from nst_tf.video.history import Carried

# Steps of a frame that has frames before it.
STEPS = 10
TEMPORAL_WEIGHT = 4.0
# Of a frame, what must be new for a coarse scale to be worth its steps.
_MIN_NEW = 0.02
# How far a stroke reaches beyond what is new, in pixels at half the size.
_REACH = 5
# Of a frame's steps, what repairs one between key frames.
_REPAIR = 1 / 3


class OptimizationPainter:
    """Optimizes the first frame of a shot as a photograph, and the others from those before.

    A frame starts from what was carried to it, where that is trusted, and is held to it. What is
    new starts as `guided_fill` has it and, if there is more than a little, is painted at half the
    size first, as at a photograph's coarse scale.
    """

    # One further back counts where no closer one is trusted: for what comes back from behind
    # something.
    distances: Sequence[int] = (1, 2, 3, 4, 6, 8, 10, 12, 16, 24)

    def __init__(
        self,
        styles: Sequence[Style],
        settings: Settings,
        *,
        temporal_weight: float = TEMPORAL_WEIGHT,
        steps: int = STEPS,
        keyframes: int = 1,
        session: Session | None = None,
    ):
        """Keep what all frames share.

        Args:
            styles: the style images.
            settings: of the first frame of a shot; the size is the frames' own.
            temporal_weight: of the temporal loss, from 0.
            steps: of a frame that has frames before it.
            keyframes: every so many frames of a shot is optimized; those between are carried along
                the motion, and only what is new is painted.
            session: of earlier runs; None makes one.
        """
        self._styles, self._settings = styles, settings
        self._weight, self._steps, self._keyframes = temporal_weight, steps, keyframes
        self._session = session or Session()
        self._shot_styles, self._count = styles, 0

    def first(self, content: np.ndarray) -> np.ndarray:
        """Paint a frame as a photograph."""
        self._begin_shot(content)
        return self._optimize(content, replace(self._settings, size=max(content.shape)))

    def next(
        self, content: np.ndarray, carried: Carried, earlier: np.ndarray | None = None
    ) -> np.ndarray:
        """Paint a frame from those before, and from what an earlier pass has made of it."""
        self._count += 1
        start = self._start(content, carried) if earlier is None else _blend(earlier, carried)
        if self._count % self._keyframes:
            return self._repair(content, carried, start)
        return self._optimize(content, self._of_frame(content), start, self._target(carried))

    def skip(self, content: np.ndarray, *, first: bool) -> None:
        """Follow a frame that was painted by an earlier run."""
        if first:
            self._begin_shot(content)
        else:
            self._count += 1

    def _begin_shot(self, content: np.ndarray) -> None:
        self._count = 0
        self._shot_styles = self._styles
        if self._settings.color == "match":
            # Matched to each frame, the colors would waver.
            target = tf.constant(content[np.newaxis])
            self._shot_styles = [replace(s, rgb=_matched(s.rgb, target)) for s in self._styles]

    def _start(self, content: np.ndarray, carried: Carried) -> np.ndarray:
        """What was carried, with what is new filled, and painted at half the size."""
        filled = guided_fill(carried.rgb, carried.trust, content)
        if 1 - carried.trust.mean() <= _MIN_NEW:
            return filled
        height, width = (max(side // 2, MIN_SIDE) for side in content.shape[:2])

        def half(image: np.ndarray) -> np.ndarray:
            return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)

        def whole(image: np.ndarray) -> np.ndarray:
            return cv2.resize(image, content.shape[1::-1], interpolation=cv2.INTER_CUBIC)

        small = half(content)
        target = self._target(Carried(half(filled), half(carried.trust)))
        # The style of what is new alone: the rest has the painting's already, and outweighs it.
        mask = _dilated(half(1 - carried.trust))
        styles = [replace(style, mask=mask) for style in self._shot_styles]
        settings = self._of_frame(small)
        painted = self._optimize(small, settings, half(filled), target, styles)
        new = whole(painted) + DETAIL * (content - whole(small))
        return _composite(np.clip(new, 0.0, 1.0), carried.trust, filled)

    def _repair(self, content: np.ndarray, carried: Carried, start: np.ndarray) -> np.ndarray:
        """The start of a frame between key frames, with what is new painted by a few steps."""
        if 1 - carried.trust.mean() <= _MIN_NEW:
            return start
        steps = max(1, round(_REPAIR * self._steps))
        settings = replace(self._of_frame(content), steps=steps)
        painted = self._optimize(content, settings, start, self._target(carried))
        return _composite(painted, carried.trust, start)

    def _of_frame(self, content: np.ndarray) -> Settings:
        settings = replace(self._settings, size=max(content.shape), scales=1, steps=self._steps)
        # Noise would be new in each frame.
        return replace(settings, init="content", init_noise=0.0)

    def _target(self, carried: Carried) -> TemporalTarget:
        return TemporalTarget(carried.rgb, carried.trust, self._weight)

    def _optimize(
        self,
        content: np.ndarray,
        settings: Settings,
        start: np.ndarray | None = None,
        target: TemporalTarget | None = None,
        styles: Sequence[Style] = (),
    ) -> np.ndarray:
        if settings.color == "match":
            settings = replace(settings, color="style")
        run = optimize(
            content,
            styles or self._shot_styles,
            settings,
            start=start,
            temporal=target,
            session=self._session,
        )
        for progress in run:
            last = progress
        return last.image()


def _dilated(mask: np.ndarray) -> np.ndarray:
    """A mask with soft edges that reach a stroke further."""
    return cv2.blur(cv2.dilate(mask, np.ones((_REACH, _REACH))), (_REACH, _REACH))


def _composite(new: np.ndarray, trust: np.ndarray, carried: np.ndarray) -> np.ndarray:
    """What was carried where it is trusted, a new picture elsewhere."""
    return trust[..., np.newaxis] * carried + (1 - trust[..., np.newaxis]) * new


def _blend(earlier: np.ndarray, carried: Carried) -> np.ndarray:
    """Half of each where both are known (Ruder et al. 2016, equation 11)."""
    fraction = 0.5 * carried.trust[..., np.newaxis]
    return (1 - fraction) * earlier + fraction * carried.rgb


def _matched(style: np.ndarray, content: tf.Tensor) -> np.ndarray:
    """A style image with the colors of a frame."""
    matched = color_transfer.match(tf.constant(style[np.newaxis]), content)
    return np.clip(matched[0].numpy(), 0.0, 1.0)
