"""Adam, the optimizer of the TensorFlow tutorial."""

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from nst_tf.optimizers.base import UNBOUNDED, Bounds, Evaluation, ValueAndGrad, all_finite, clip


class AdamState(NamedTuple):
    """The image, its bounds [2], the moments m and v of its gradient, and the step t."""

    image: tf.Tensor
    bounds: tf.Tensor
    m: tf.Tensor
    v: tf.Tensor
    t: tf.Tensor


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.

    In the order of work of the end of section 2, as Keras has it, so epsilon means the same.
    After each step the image is clipped to its bounds.
    """

    learning_rate: float
    beta_1: float
    beta_2: float
    epsilon: float

    def init(self, image: tf.Tensor, bounds: Bounds = UNBOUNDED) -> AdamState:
        """The state before the first step, for an image float32 of any shape."""
        zeros = tf.zeros_like(image)
        return AdamState(image, tf.constant(bounds, tf.float32), zeros, zeros, tf.constant(0))

    def step(self, state: AdamState, value_and_grad: ValueAndGrad) -> tuple[AdamState, Evaluation]:
        """Evaluate the image and move it; the evaluation is of the image before the move."""
        losses, gradient = value_and_grad(state.image)
        t = state.t + 1
        m = state.m + (gradient - state.m) * (1 - self.beta_1)
        v = state.v + (tf.square(gradient) - state.v) * (1 - self.beta_2)
        power = tf.cast(t, tf.float32)
        rate = self.learning_rate * tf.sqrt(1 - self.beta_2**power) / (1 - self.beta_1**power)
        image = clip(state.image - rate * m / (tf.sqrt(v) + self.epsilon), state.bounds)
        finite = all_finite(losses.total, gradient, image)
        after = AdamState(image, state.bounds, m, v, t)
        return after, Evaluation(losses, tf.constant(True), finite)

    def resize(self, state: AdamState, image: tf.Tensor) -> AdamState:
        """The state at the next scale's image, with the moments resized.

        With n times the pixels the gradient of a mean loss is n times smaller at each pixel.
        """
        ratio = tf.cast(tf.size(state.image) / tf.size(image), tf.float32)
        size = tf.shape(image)[1:3]
        # Bilinear, because v must stay positive.
        m = tf.image.resize(state.m, size) * ratio
        v = tf.image.resize(state.v, size) * ratio**2
        return AdamState(image, state.bounds, m, v, state.t)
