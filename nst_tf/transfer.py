"""The coarse-to-fine loop: paint small, enlarge, paint on."""

import functools
import logging
import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf import features, frequency, memory, precision, tiled
from nst_tf.errors import InputError
from nst_tf.image import resize
from nst_tf.losses import Losses
from nst_tf.objective import Objective
from nst_tf.optimizers import Adam, Lbfgs
from nst_tf.scales import SHORTEST, Size, painting_size, scale_sizes, scale_steps
from nst_tf.settings import Settings
from nst_tf.step import Step

_LOG = logging.getLogger(__name__)
# L-BFGS's first guess of the inverse Hessian. The curvature met along its moves grew with
# frequency^0.8 or so; between exponents of 0.7 and 0.85, and boldness of 1 to 3, little changes.
FREQUENCY_EXPONENT = 0.7
BOLDNESS = 2.0
# How far a total may be off, relatively, where the convolutions are not float32.
NOISE = 1e-3


@dataclass(frozen=True)
class Style:
    """A painting to learn from.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1].
        share: how much it counts beside the other paintings.
    """

    rgb: np.ndarray
    share: float = 1.0


@dataclass(frozen=True)
class Progress:
    """Where a run stands after a step.

    Attributes:
        scale: index of the scale, 0 is the coarsest.
        scales: (height, width) of each scale.
        step: index of the step within its scale.
        steps: steps at each scale.
        losses: the weighted losses of the picture that the step evaluated; tensors, so that
            nobody waits for the device unless they look.
        accepted: whether the optimiser kept that picture; a boolean tensor.
    """

    scale: int
    scales: list[Size]
    step: int
    steps: list[int]
    losses: Losses
    accepted: tf.Tensor
    _image: tf.Tensor

    def image(self) -> np.ndarray:
        """The picture so far, float32 sRGB [H, W, 3] in [0, 1], in its scale's size.

        Adam's is the one it has just moved to, L-BFGS's the best it has evaluated.
        """
        return self._image[0].numpy()

    @property
    def done(self) -> float:
        """The share of the run's work that is done; a step's work is its number of pixels."""
        pixels = [height * width for height, width in self.scales]
        taken = [*self.steps[: self.scale], self.step + 1]
        return _work(taken, pixels) / _work(self.steps, pixels)


def _work(steps: Sequence[int], pixels: Sequence[int]) -> int:
    return sum(map(operator.mul, steps, pixels))


def stylize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings,
    *,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Repaint a photograph in the manner of one or more paintings.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: a picture to start from, in place of what `settings.init` says.

    Returns:
        The picture, float32 sRGB in [0, 1], its long side `settings.size` pixels.

    Raises:
        InputError: as `optimize`.
    """
    for progress in optimize(content, styles, settings, start=start):
        last = progress
    return last.image()


def optimize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings,
    *,
    start: np.ndarray | None = None,
) -> Iterator[Progress]:
    """Paint step by step; leave the loop whenever the picture is good enough.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: a picture to start from, in place of what `settings.init` says; it is stretched to
            the photograph's sides.

    Returns:
        An iterator with a Progress after each step; the last holds the finished picture.

    Raises:
        InputError: a size the network cannot see, an unknown layer, weights that do not load,
            too little memory allowed, an array that is no picture. It is raised by the call,
            before the first step.
    """
    _check(content, styles, start)
    if start is None and settings.init not in ("content", "noise"):
        raise InputError(f"init={settings.init}: give the picture itself as start=")
    scales = scale_sizes(content.shape[0], content.shape[1], settings)
    settings = replace(settings, precision=precision.resolve(settings.precision))
    network = features.of(settings, settings.precision)
    plans = memory.plan(scales, network, settings)
    _LOG.info(memory.describe(plans, settings))
    return _paint(content, styles, settings, start, scales, network, plans)


def _paint(content, styles, settings, start, scales, network, plans) -> Iterator[Progress]:
    steps = scale_steps(scales, settings)
    most = math.inf
    state: Any = None
    for scale, (size, plan) in enumerate(zip(scales, plans, strict=True)):
        optimizer = optimizer_of(settings, plan.history)
        if state is None:
            first = first_image(content, settings, *size) if start is None else _at(start, size)
            state = optimizer.init(first, bounds=(0.0, 1.0))
            del first
        else:
            state = optimizer.resize(state, resize(state.image, *size))
        build = functools.partial(_objective, network, content, styles, settings, size)
        step = Step(optimizer, build, min(most, plan.most), settings.jit)
        for index in range(steps[scale]):
            state, (losses, accepted) = step(state)
            yield Progress(scale, scales, index, steps, losses, accepted, state.image)
        most = step.most


def _objective(network, content, styles, settings: Settings, size: Size, most: float) -> Objective:
    photograph = _at(content, size)
    paintings = ((_fit(style.rgb, max(size)), style.share) for style in styles)
    return tiled.objective(network, photograph, paintings, settings, most=most)


def _check(content: np.ndarray, styles: Sequence[Style], start: np.ndarray | None) -> None:
    """Refuse what is no picture and no painting."""
    _check_picture("content", content)
    if start is not None:
        _check_picture("start", start)
    listed = isinstance(styles, (list, tuple)) and len(styles) > 0
    if not listed or not all(isinstance(style, Style) for style in styles):
        raise InputError("styles: expected a list of at least one Style(picture)")
    for style in styles:
        _check_picture("style", style.rgb)
        painting_size(style.rgb.shape[0], style.rgb.shape[1], long_side=SHORTEST)
    shares = [style.share for style in styles]
    if not (all(0 <= share < np.inf for share in shares) and sum(shares) > 0):
        raise InputError(f"share: expected numbers from 0, not all 0, got {shares}")


def _check_picture(name: str, rgb: np.ndarray) -> None:
    expected = f"{name}: expected a float array [height, width, 3] in [0, 1], got"
    if not isinstance(rgb, np.ndarray):
        raise InputError(f"{expected} a {type(rgb).__name__}; of a Picture give its rgb")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise InputError(f"{expected} the shape {rgb.shape}")
    if rgb.dtype.kind != "f":
        raise InputError(f"{expected} {rgb.dtype}; divide by 255 if it is a picture in 8 bits")
    least, most = rgb.min(), rgb.max()
    if not (0 <= least and most <= 1):
        raise InputError(f"{expected} values from {least} to {most}")


def _fit(painting: np.ndarray, long_side: int) -> tf.Tensor:
    """A painting at a scale, [1, h, w, 3]."""
    return _at(painting, painting_size(painting.shape[0], painting.shape[1], long_side))


def _at(picture: np.ndarray, size: Size) -> tf.Tensor:
    """A picture in another size, [1, H, W, 3]."""
    return resize(picture, *size)[tf.newaxis]


def first_image(content: Any, settings: Settings, height: Any, width: Any) -> tf.Tensor:
    """The picture to start from; also inside a graph.

    Args:
        content: the photograph, float32 [H, W, 3] or [1, H, W, 3] in [0, 1].
        settings: `init`, content or noise, and `seed`.
        height: of the coarsest scale, whose size the noise is made in.
        width: of the coarsest scale.

    Returns:
        float32 [1, height, width, 3] in [0, 1].
    """
    if settings.init == "noise":
        shape = [1, height, width, 3]
        noise = tf.random.stateless_normal(shape, seed=(settings.seed, 0), stddev=0.1)
        return tf.clip_by_value(0.5 + noise, 0.0, 1.0)
    return tf.reshape(resize(content, height, width), [1, height, width, 3])


def optimizer_of(settings: Settings, history: int) -> Any:
    """The optimiser that settings describe.

    Args:
        settings: optimizer, its knobs, and precision, no longer `auto`.
        history: how many moves L-BFGS remembers.

    Returns:
        An `Adam` or `Lbfgs`.
    """
    if settings.optimizer == "adam":
        return Adam(settings.learning_rate, settings.beta_1, settings.beta_2, settings.epsilon)
    damp = functools.partial(frequency.damp, exponent=FREQUENCY_EXPONENT)
    noise = 0.0 if settings.precision == "float32" else NOISE
    return Lbfgs(history, damp, boldness=BOLDNESS, noise=noise)
