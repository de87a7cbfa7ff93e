"""What optimizers share: init, step and resize of a state, each a pure function of tensors.

A state is a NamedTuple of tensors and nothing is hidden outside it. So the next scale is a resize
of the state, and the same step runs eagerly, in a `tf.function` and in a `tf.while_loop`. A step is
one evaluation of loss and gradient.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from nst_tf.losses.terms import Losses

ValueAndGrad = Callable[[tf.Tensor], tuple[Losses, tf.Tensor]]
Bounds = tuple[float, float]
UNBOUNDED = (-float("inf"), float("inf"))


class Evaluation(NamedTuple):
    """What a step evaluated.

    Attributes:
        losses: of one image.
        accepted: whether the optimizer kept that image.
        finite: whether losses, gradient and the next image are free of NaN and infinity.
    """

    losses: Losses
    accepted: tf.Tensor
    finite: tf.Tensor


def clip(image: tf.Tensor, bounds: tf.Tensor) -> tf.Tensor:
    """The nearest image within bounds, float32 [2]."""
    return tf.clip_by_value(image, bounds[0], bounds[1])


def all_finite(*tensors: tf.Tensor) -> tf.Tensor:
    """Whether all values are finite; a sum that overflows counts as infinite."""
    return tf.reduce_all([tf.math.is_finite(tf.reduce_sum(tensor)) for tensor in tensors])
