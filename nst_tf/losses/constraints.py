"""Where the photograph must stay as it is: the objective of the rest."""

from typing import Any

import tensorflow as tf

from nst_tf.losses.objective import Objective
from nst_tf.losses.terms import Losses


class Kept:
    """An objective that sees the photograph where it is kept, whatever the picture is there."""

    def __init__(self, objective: Objective, photograph: tf.Tensor, keep: tf.Tensor):
        """Wrap an objective.

        Args:
            objective: of the whole picture.
            photograph: float32 [1, H, W, 3] in [0, 1].
            keep: float32 [1, H, W, 1] in [0, 1], 1 where the photograph stays.
        """
        self._objective = objective
        self.targets = (objective.targets, photograph, keep)
        self.tiled = objective.tiled

    def with_targets(self, targets: Any) -> "Kept":
        """The objective of another picture, as of `Objective.with_targets`."""
        whole, photograph, keep = targets
        return Kept(self._objective.with_targets(whole), photograph, keep)

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The losses of the picture with the photograph in it, and their gradient.

        Args:
            image: float32 [1, H, W, 3] in [0, 1].

        Returns:
            As of `Objective.value_and_grad`; the gradient is 0 where the photograph is kept.
        """
        _, photograph, keep = self.targets
        value, gradient = self._objective.value_and_grad(put(image, photograph, keep))
        return value, gradient * (1 - keep)


def put(image: tf.Tensor, photograph: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
    """Put the photograph into a picture.

    Args:
        image: float32 [1, H, W, 3] in [0, 1].
        photograph: likewise.
        keep: float32 [1, H, W, 1] in [0, 1].

    Returns:
        float32 [1, H, W, 3] in [0, 1].
    """
    return image * (1 - keep) + photograph * keep
