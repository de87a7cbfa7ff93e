"""What optimisers share: init, step and resize of a state, each a pure function of tensors.

A state is a NamedTuple of tensors and nothing hides outside it. So the next scale is a resize of
the state, and the same step runs eagerly, in a `tf.function` and in a `tf.while_loop`. A step is
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
    """What a step saw.

    The losses of one picture, whether the step kept that picture, and whether they, their gradient
    and the next picture are numbers.
    """

    losses: Losses
    accepted: tf.Tensor
    finite: tf.Tensor


def clip(image: tf.Tensor, bounds: tf.Tensor) -> tf.Tensor:
    """The picture within its bounds.

    Args:
        image: float32, any shape.
        bounds: float32 [2], the least and the greatest value.

    Returns:
        The nearest picture within them.
    """
    return tf.clip_by_value(image, bounds[0], bounds[1])


def all_finite(*tensors: tf.Tensor) -> tf.Tensor:
    """Whether all of these are numbers.

    Args:
        tensors: float32, any shapes.

    Returns:
        A bool tensor. A sum that overflows counts as no number.
    """
    return tf.reduce_all([tf.math.is_finite(tf.reduce_sum(tensor)) for tensor in tensors])
