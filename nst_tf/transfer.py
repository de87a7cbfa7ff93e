"""The coarse-to-fine loop: paint small, enlarge, paint on."""

import functools
import logging
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf import features, frequency, memory, precision
from nst_tf.errors import InputError
from nst_tf.image import resize
from nst_tf.losses import Losses
from nst_tf.optimizers import Adam, Lbfgs
from nst_tf.scales import Size, scale_sizes, scale_steps
from nst_tf.settings import Settings
from nst_tf.step import Step
from nst_tf.style import Style, check
from nst_tf.task import Task

_LOG = logging.getLogger(__name__)
# L-BFGS's first guess of the inverse Hessian. The curvature met along its moves grew with
# frequency^0.8 or so; between exponents of 0.7 and 0.85, and boldness of 1 to 3, little changes.
FREQUENCY_EXPONENT = 0.7
BOLDNESS = 2.0
# How far a total may be off, relatively, where the convolutions are not float32.
NOISE = 1e-3


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
    _finish: Callable[[tf.Tensor], tf.Tensor] = tf.identity

    def image(self) -> np.ndarray:
        """The picture so far, float32 sRGB [H, W, 3] in [0, 1], in its scale's size.

        Adam's is the one it has just moved to, L-BFGS's the best it has evaluated.
        """
        return self._finish(self._image)[0].numpy()

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
    keep: np.ndarray | None = None,
) -> np.ndarray:
    """Repaint a photograph in the manner of one or more paintings.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: a picture to start from, in place of what `settings.init` says.
        keep: as of `optimize`.

    Returns:
        The picture, float32 sRGB in [0, 1], its long side `settings.size` pixels.

    Raises:
        InputError: as `optimize`.
    """
    for progress in optimize(content, styles, settings, start=start, keep=keep):
        last = progress
    return last.image()


def optimize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings,
    *,
    start: np.ndarray | None = None,
    keep: np.ndarray | None = None,
) -> Iterator[Progress]:
    """Paint step by step; leave the loop whenever the picture is good enough.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: a picture to start from, in place of what `settings.init` says; it is stretched to
            the photograph's sides.
        keep: where the photograph must stay as it is, float32 [h, w] in [0, 1] of the photograph's
            shape, in any size; paintings count in the rest only.

    Returns:
        An iterator with a Progress after each step; the last holds the finished picture.

    Raises:
        InputError: a size the network cannot see, an unknown layer, weights that do not load,
            too little memory allowed, an array that is no picture. It is raised by the call,
            before the first step.
    """
    check(content, styles, start, keep, settings)
    if start is None and settings.init not in ("content", "noise"):
        raise InputError(f"init={settings.init}: give the picture itself as start=")
    scales = scale_sizes(content.shape[0], content.shape[1], settings)
    settings = replace(settings, precision=precision.resolve(settings.precision))
    network = features.of(settings, settings.precision)
    plans = memory.plan(scales, network, settings)
    _LOG.info(memory.describe(plans, settings))
    job = Task(content, styles, settings, keep)
    return _paint(job, start, scales, network, plans)


def _paint(job: Task, start, scales, network, plans) -> Iterator[Progress]:
    settings = job.settings
    steps = scale_steps(scales, settings)
    most = math.inf
    state: Any = None
    for scale, (size, plan) in enumerate(zip(scales, plans, strict=True)):
        optimizer = optimizer_of(settings, plan.history)
        if state is None:
            first = job.first(start, size)
            state = optimizer.init(first, bounds=(0.0, 1.0))
            del first
        else:
            state = optimizer.resize(state, resize(state.image, *size))
        build = functools.partial(job.objective, network, size)
        step = Step(optimizer, build, min(most, plan.most), settings.jit)
        for index in range(steps[scale]):
            state, (losses, accepted) = step(state)
            yield Progress(scale, scales, index, steps, losses, accepted, state.image, job.finish)
        most = step.most


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
