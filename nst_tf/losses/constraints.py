"""Constraints on the image: protected pixels that stay the content image's, luminance alone."""

from typing import Any, Protocol

import tensorflow as tf

from nst_tf.losses.terms import Losses


class Evaluable(Protocol):
    """What optimizers minimize: an Objective, or one with constraints."""

    targets: Any
    tiled: bool

    def with_targets(self, targets: Any) -> "Evaluable":
        """A copy with the targets of other images."""

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The losses of an image float32 [1, H, W, 3] in [0, 1], and their total's gradient."""


class MaskedObjective:
    """An objective with protected pixels: there it evaluates the content image, always."""

    def __init__(self, objective: Evaluable, content: tf.Tensor, protected: tf.Tensor):
        """`protected`, [1, H, W, 1], is 1 where the content image [1, H, W, 3] stays."""
        self._objective = objective
        self.targets = (objective.targets, content, protected)
        self.tiled = objective.tiled

    def with_targets(self, targets: Any) -> "MaskedObjective":
        """A copy with the targets of other images."""
        whole, content, protected = targets
        return MaskedObjective(self._objective.with_targets(whole), content, protected)

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The losses of the composite; the gradient is 0 where pixels are protected."""
        _, content, protected = self.targets
        value, gradient = self._objective.value_and_grad(composite(image, content, protected))
        return value, gradient * (1 - protected)


class LuminanceObjective:
    """An objective whose gradient is the same in all channels, so that a gray image stays gray.

    Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", section 4.2.
    """

    def __init__(self, objective: Evaluable):
        self._objective = objective
        self.targets, self.tiled = objective.targets, objective.tiled

    def with_targets(self, targets: Any) -> "LuminanceObjective":
        """A copy with the targets of other images."""
        return LuminanceObjective(self._objective.with_targets(targets))

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The losses of a gray image, and the gradient with respect to its gray."""
        value, gradient = self._objective.value_and_grad(image)
        return value, tf.zeros_like(image) + tf.reduce_mean(gradient, axis=-1, keepdims=True)


def composite(image: tf.Tensor, content: tf.Tensor, protected: tf.Tensor) -> tf.Tensor:
    """The image with the content image where pixels are protected, [1, H, W, 3]."""
    return image * (1 - protected) + content * protected
