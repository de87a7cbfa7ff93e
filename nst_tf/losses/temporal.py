"""The temporal loss of films: how far a frame is from those before it, carried along the motion."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.losses.constraints import Evaluable
from nst_tf.losses.terms import Losses


class TemporalTarget(NamedTuple):
    """What a frame is held to.

    Attributes:
        rgb: the frames before, carried along the motion, float32 sRGB [H, W, 3] in [0, 1].
        trust: how far each pixel of that counts, float32 [H, W] in [0, 1].
        weight: of the temporal loss beside the objective's other terms, from 0.
    """

    rgb: np.ndarray
    trust: np.ndarray
    weight: float


def temporal_loss(
    image: tf.Tensor, carried: tf.Tensor, trust: tf.Tensor, norm: tf.Tensor
) -> tf.Tensor:
    """The squared error of trusted pixels.

    Ruder, Dosovitskiy & Brox 2016, "Artistic style transfer for videos", equation 7; there the norm
    is the number of values.

    Args:
        image: [1, H, W, 3].
        carried: what it is held to, [1, H, W, 3].
        trust: [1, H, W, 1].
        norm: a float32 scalar, of `terms.mse_norms` or `terms.target_energies`.

    Returns:
        float32 scalar.
    """
    difference = trust * tf.math.squared_difference(image, carried)
    return tf.math.divide_no_nan(tf.reduce_sum(difference), norm)


class TemporalObjective:
    """An objective with the temporal loss of an image beside its other terms, in the total."""

    def __init__(
        self,
        objective: Evaluable,
        carried: tf.Tensor,
        trust: tf.Tensor,
        norm: tf.Tensor,
        weight: tf.Tensor,
    ):
        """All but the weight, a float32 scalar, are as of `temporal_loss`."""
        self._objective = objective
        self.targets = (objective.targets, carried, trust, norm, weight)
        self.tiled = objective.tiled

    def with_targets(self, targets: Any) -> "TemporalObjective":
        """A copy with the targets of other images."""
        whole, *own = targets
        return TemporalObjective(self._objective.with_targets(whole), *own)

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The losses of an image float32 [1, H, W, 3], and their total's gradient."""
        _, carried, trust, norm, weight = self.targets
        losses, gradient = self._objective.value_and_grad(image)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            loss = weight * temporal_loss(image, carried, trust, norm)
        gradient += tape.gradient(loss, image)
        return losses._replace(total=losses.total + loss), gradient
