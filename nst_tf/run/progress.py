"""Where a run stands: what the loop hands out after each step, and what it would go on from."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses.terms import Losses
from nst_tf.optimizers.base import Evaluation
from nst_tf.run.memory import Plan


class Decided(NamedTuple):
    """What a run settles by itself before it begins.

    Attributes:
        precision: of the convolutions, no longer `auto`.
        plans: how each scale is painted: its tiles and its history; none until they are made.
    """

    precision: str
    plans: tuple[Plan, ...] = ()


class State(NamedTuple):
    """All that the rest of a run depends on, besides its pictures and settings.

    Attributes:
        scale: index of the scale, 0 is the coarsest.
        step: how many steps have been taken there.
        decided: how it is painted; float16 that fails and memory that runs out may change that.
        begun: what was decided before the first step.
        tensors: the optimiser's, in the order of its state; none before the first step.
        seen: what the last step evaluated.
    """

    scale: int
    step: int
    decided: Decided
    begun: Decided
    tensors: Sequence[Any] = ()
    seen: Evaluation | None = None


@dataclass
class Latest:
    """The state after a run's last good step; in one place, so that a Progress keeps none alive."""

    state: State


@dataclass(frozen=True)
class Progress:
    """Where a run stands after a step.

    Attributes:
        scale: index of the scale, 0 is the coarsest.
        scales: (height, width) of each scale.
        step: index of the step within its scale.
        steps: steps at each scale.
        losses: the weighted losses of the picture that the step evaluated, float32 scalars.
        accepted: whether the optimiser kept that picture; a boolean tensor.
        finite: whether the losses, their gradient and the next picture are numbers; a boolean
            tensor.
    """

    scale: int
    scales: list[Size]
    step: int
    steps: list[int]
    losses: Losses
    accepted: tf.Tensor
    finite: tf.Tensor
    _image: tf.Tensor
    _latest: Latest
    _finish: Callable[[tf.Tensor], tf.Tensor] = tf.identity

    def image(self) -> np.ndarray:
        """The picture so far, float32 sRGB [H, W, 3] in [0, 1], in its scale's size.

        Adam's is the one it has just moved to, L-BFGS's the best it has evaluated, to within what
        convolutions that are not float32 are off.
        """
        return self._finish(self._image)[0].numpy()

    def state(self) -> State:
        """What `optimize(..., resume=)` goes on from: the state after the run's last step.

        It is this Progress's until the run goes on; none is kept of the steps before.
        """
        return self._latest.state

    @property
    def done(self) -> float:
        """The share of the run's work that is done; a step's work is its number of pixels."""
        pixels = [height * width for height, width in self.scales]
        taken = [*self.steps[: self.scale], self.step + 1]
        return _work(taken, pixels) / _work(self.steps, pixels)


def _work(steps: Sequence[int], pixels: Sequence[int]) -> int:
    return sum(map(operator.mul, steps, pixels))
