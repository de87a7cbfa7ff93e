"""Optimisers as pure tensor functions: init, step and resize of a state.

A state is a NamedTuple of tensors and nothing hides outside it. So the next scale is a resize of
the state, and the same step runs eagerly, in a `tf.function` and in a `tf.while_loop`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from nst_tf.losses import Losses

ValueAndGrad = Callable[[tf.Tensor], tuple[Losses, tf.Tensor]]


class AdamState(NamedTuple):
    """The picture, the means of its gradient and squared gradient, and the steps taken."""

    image: tf.Tensor
    mean: tf.Tensor
    square: tf.Tensor
    count: tf.Tensor


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.

    Written in the order of work of section 2's end, as Keras has it, so epsilon means the same.
    After each step the picture is clipped to its bounds.
    """

    learning_rate: float
    beta_1: float
    beta_2: float
    epsilon: float
    bounds: tuple[float, float] | None = (0.0, 1.0)

    def init(self, image: tf.Tensor) -> AdamState:
        """Start from a picture.

        Args:
            image: float32, any shape.

        Returns:
            The state before the first step.
        """
        zeros = tf.zeros_like(image)
        return AdamState(image, zeros, zeros, tf.constant(0))

    def step(self, state: AdamState, value_and_grad: ValueAndGrad) -> tuple[AdamState, Losses]:
        """Evaluate once and move once.

        Args:
            state: the state before the step.
            value_and_grad: the objective: picture -> (losses, gradient).

        Returns:
            The state after the step, and the losses of the picture before it.
        """
        losses, gradient = value_and_grad(state.image)
        count = state.count + 1
        mean = state.mean + (gradient - state.mean) * (1 - self.beta_1)
        square = state.square + (tf.square(gradient) - state.square) * (1 - self.beta_2)
        t = tf.cast(count, tf.float32)
        rate = self.learning_rate * tf.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        image = state.image - rate * mean / (tf.sqrt(square) + self.epsilon)
        if self.bounds is not None:
            image = tf.clip_by_value(image, *self.bounds)
        return AdamState(image, mean, square, count), losses

    def resize(self, state: AdamState, image: tf.Tensor) -> AdamState:
        """Carry what was learnt over to the next scale.

        Args:
            state: the state at the end of a scale, of a picture [1, h, w, 3].
            image: the picture at the next scale, float32 [1, H, W, 3].

        Returns:
            A state at that picture. With k times the pixels each pixel's share of a mean loss is
            k times smaller, and so is its gradient.
        """
        size = image.shape[1:3]
        ratio = state.image.shape[1] * state.image.shape[2] / (size[0] * size[1])
        # Bilinear, because the squares must stay positive.
        mean = tf.image.resize(state.mean, size) * ratio
        square = tf.image.resize(state.square, size) * ratio**2
        return AdamState(image, mean, square, state.count)
