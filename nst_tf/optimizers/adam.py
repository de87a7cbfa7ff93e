"""Adam, the optimiser of the TensorFlow tutorial."""

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from nst_tf.optimizers.base import UNBOUNDED, Bounds, Evaluation, ValueAndGrad, all_finite, clip


class AdamState(NamedTuple):
    """The picture, its bounds [2], the means of its gradient and its square, the steps taken."""

    image: tf.Tensor
    bounds: tf.Tensor
    mean: tf.Tensor
    square: tf.Tensor
    count: tf.Tensor


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.

    In the order of work of the end of section 2, as Keras has it, so epsilon means the same.
    After each step the picture is clipped to its bounds.
    """

    learning_rate: float
    beta_1: float
    beta_2: float
    epsilon: float

    def init(self, image: tf.Tensor, bounds: Bounds = UNBOUNDED) -> AdamState:
        """Start from a picture.

        Args:
            image: float32, any shape.
            bounds: the least and the greatest value of a pixel.

        Returns:
            The state before the first step.
        """
        zeros = tf.zeros_like(image)
        return AdamState(image, tf.constant(bounds, tf.float32), zeros, zeros, tf.constant(0))

    def step(self, state: AdamState, value_and_grad: ValueAndGrad) -> tuple[AdamState, Evaluation]:
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
        image = clip(state.image - rate * mean / (tf.sqrt(square) + self.epsilon), state.bounds)
        after = AdamState(image, state.bounds, mean, square, count)
        return after, Evaluation(
            losses, tf.constant(True), all_finite(losses.total, gradient, image)
        )

    def resize(self, state: AdamState, image: tf.Tensor) -> AdamState:
        """Carry what was learnt over to the next scale.

        Args:
            state: the state at the end of a scale, of a picture [1, h, w, 3].
            image: the picture at the next scale, float32 [1, H, W, 3].

        Returns:
            A state at that picture. With k times the pixels each pixel's share of a mean loss is
            k times smaller, and so is its gradient.
        """
        ratio = tf.cast(tf.size(state.image) / tf.size(image), tf.float32)
        size = tf.shape(image)[1:3]
        # Bilinear, because the squares must stay positive.
        mean = tf.image.resize(state.mean, size) * ratio
        square = tf.image.resize(state.square, size) * ratio**2
        return AdamState(image, state.bounds, mean, square, state.count)
