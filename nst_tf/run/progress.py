"""Progress: what the coarse-to-fine loop yields after each step, and the state it resumes from."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses.terms import Losses
from nst_tf.optimizers.base import Evaluation
from nst_tf.run.memory_plan import ScalePlan


class RunPlan(NamedTuple):
    """What a run resolves by itself before its first step.

    Attributes:
        precision: of the convolutions, no longer `auto`.
        scales: tiles and history of each scale; none until they are planned.
    """

    precision: str
    scales: tuple[ScalePlan, ...] = ()


class State(NamedTuple):
    """All that the rest of a run depends on, besides its images and settings.

    Attributes:
        scale: index of the scale, 0 is the coarsest.
        step: how many steps have been taken there.
        plan: the plan now; it changes where float16 fails or memory runs out.
        initial_plan: the plan before the first step.
        tensors: of the optimizer's state, flattened; none before the first step.
        evaluation: of the last step.
    """

    scale: int
    step: int
    plan: RunPlan
    initial_plan: RunPlan
    tensors: Sequence[Any] = ()
    evaluation: Evaluation | None = None


class StateHolder(Protocol):
    """A run: it holds the state after its last step, so that a Progress keeps none alive."""

    state: State

    def finish(self, image: tf.Tensor, size: Size) -> tf.Tensor:
        """The picture of (height, width) for the optimizer's canvas, float32 [1, H, W, 3]."""


@dataclass(frozen=True, repr=False)
class Progress:
    """Where a run stands after a step.

    Attributes:
        scale: index of the scale, 0 is the coarsest.
        scales: (height, width) of each scale.
        step: index of the step within its scale.
        steps: steps at each scale.
        losses: the weighted losses of the image that the step evaluated, float32 scalars.
        accepted: whether the optimizer kept that image; a boolean tensor.
        seconds: that the step took.
    """

    scale: int
    scales: list[Size]
    step: int
    steps: list[int]
    losses: Losses
    accepted: tf.Tensor
    seconds: float
    _image: tf.Tensor
    _run: StateHolder

    def image(self) -> np.ndarray:
        """The picture so far, float32 sRGB [H, W, 3] in [0, 1], in its scale's size.

        Adam's is the one it has just moved to, L-BFGS's the best it has evaluated, to within the
        rounding of convolutions that are not float32.
        """
        return self._run.finish(self._image, self.scales[self.scale])[0].numpy()

    def state(self) -> State:
        """What `optimize(..., resume=)` continues from: the state after the run's last step.

        It is this Progress's until the run continues; the states before are not kept.
        """
        return self._run.state

    @property
    def done(self) -> float:
        """The fraction of the run's work that is done; a step's work is its number of pixels."""
        pixels = [height * width for height, width in self.scales]
        taken = [*self.steps[: self.scale], self.step + 1]
        return _work(taken, pixels) / _work(self.steps, pixels)

    def __repr__(self) -> str:
        height, width = self.scales[self.scale]
        return (
            f"Progress(scale {self.scale + 1}/{len(self.scales)}, {width} x {height} px, "
            f"step {self.step + 1}/{self.steps[self.scale]})"
        )


def seconds_left(seconds: float, before: float, done: float) -> float | None:
    """The time left where a fraction of the work, from `before` to `done`, took so many seconds."""
    return None if done == before else seconds * (1 - done) / (done - before)


def _work(steps: Sequence[int], pixels: Sequence[int]) -> int:
    return sum(map(operator.mul, steps, pixels))
