"""The objective of a picture that is painted in luminance alone."""

from typing import Any

import tensorflow as tf

from nst_tf.losses.constraints import Kept
from nst_tf.losses.objective import Objective
from nst_tf.losses.terms import Losses


class Luminance:
    """An objective whose gradient is the same in all channels, so that a grey picture stays grey.

    Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", section 4.2.
    """

    def __init__(self, objective: Objective | Kept):
        """Wrap an objective.

        Args:
            objective: of grey pictures.
        """
        self._objective = objective
        self.targets, self.tiled = objective.targets, objective.tiled

    def with_targets(self, targets: Any) -> "Luminance":
        """The objective of another picture, as of `Objective.with_targets`."""
        return Luminance(self._objective.with_targets(targets))

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The losses of a grey picture, and how they change with its grey.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], three equal channels.

        Returns:
            As of `Objective.value_and_grad`, the gradient in three equal channels.
        """
        value, gradient = self._objective.value_and_grad(image)
        return value, tf.zeros_like(image) + tf.reduce_mean(gradient, axis=-1, keepdims=True)
