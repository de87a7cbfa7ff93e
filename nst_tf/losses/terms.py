"""The terms of the objective (Gatys et al. 2016): content loss, style loss, and their sum.

Gatys, Ecker & Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks". Losses come
in two conventions: the mean squares of the TensorFlow tutorial, and a scale-free form, relative to
the target. Statistics, norms and losses are float32, whatever type the features have.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

Layers = Mapping[str, tf.Tensor]
# What `StyleStatistic.prepare` makes: tensors in a structure of its own.
StyleTargetValue = Any


class Losses(NamedTuple):
    """The weighted terms of the objective; `style`, `content` and `tv` add up to `total`."""

    total: tf.Tensor
    style: tf.Tensor
    content: tf.Tensor
    tv: tf.Tensor


def _identity(value: tf.Tensor) -> StyleTargetValue:
    return value


class StyleStatistic(NamedTuple):
    """A style loss at one layer: what it compares, and how.

    Attributes:
        compute: features [B, H, W, C] and a guide [1, H, W, 1] or None -> the statistic, float32
            [B, C, ...]. It must be a mean over positions, so that it adds up over tiles and mixes
            linearly over style images.
        distance: the image's statistic and the style image's -> float32 scalar.
        prepare: the style image's statistic -> what `distance` takes in its place, computed once.
    """

    compute: Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]
    distance: Callable[[tf.Tensor, StyleTargetValue], tf.Tensor]
    prepare: Callable[[tf.Tensor], StyleTargetValue] = _identity


def content_loss(features: Layers, targets: Layers, norms: Layers) -> tf.Tensor:
    """The squared error of features, averaged over layers.

    Gatys et al. 2016, equation 1, up to a constant. Over tiles of features and targets it adds up
    to that of the whole.

    Args:
        features: of the image, [B, H, W, C] by layer name.
        targets: features of the content image, float32, of the same names and shapes.
        norms: float32 scalars by layer name, of `mse_norms` or `target_energies`.

    Returns:
        float32 scalar.
    """
    errors = [
        squared_error(features[name], target, norms[name]) for name, target in targets.items()
    ]
    return tf.add_n(errors) / len(targets)


def style_loss(
    statistics: Layers,
    targets: Mapping[str, StyleTargetValue],
    statistic: StyleStatistic,
    layer_weights: Mapping[str, float],
) -> tf.Tensor:
    """The distance of style statistics, averaged over layers with their weights w_l.

    Gatys et al. 2016, equation 5, with weights that add up to 1.

    Args:
        statistics: of the image, by layer name, from `statistic.compute`.
        targets: of the style image, by layer name, from `statistic.prepare`.
        statistic: what is compared.
        layer_weights: by layer name, from 0; all may be 0.

    Returns:
        float32 scalar.
    """
    weights = [layer_weights[name] for name in targets]
    distances = [statistic.distance(statistics[name], target) for name, target in targets.items()]
    total = tf.add_n([w * d for w, d in zip(weights, distances, strict=True)])
    return tf.math.divide_no_nan(total, sum(weights))


def squared_error(value: tf.Tensor, target: tf.Tensor, norm: tf.Tensor) -> tf.Tensor:
    """Σ(value - target)² / norm, float32; 0 where the norm is 0."""
    difference = tf.math.squared_difference(tf.cast(value, tf.float32), target)
    return tf.math.divide_no_nan(tf.reduce_sum(difference), norm)


def mse_norms(targets: Layers) -> dict[str, tf.Tensor]:
    """The tutorial's norms: with them `squared_error` is the mean squared error."""
    return {name: tf.cast(tf.size(target), tf.float32) for name, target in targets.items()}


def target_energies(targets: Layers) -> dict[str, tf.Tensor]:
    """The scale-free norms ΣT²: `squared_error` is 0 for a match and 1 for features of 0.

    The loss is then the same for any size, any pair of images and any scaling of the weights.
    """
    return {name: tf.reduce_sum(tf.square(target)) for name, target in targets.items()}


def with_gradient(value: tf.Tensor, x: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """A scalar whose gradient with respect to x is given.

    `tf.custom_gradient` would keep the graph that it is made in for good.
    """
    value, gradient = tf.stop_gradient(value), tf.stop_gradient(gradient)
    return value + tf.reduce_sum(gradient * (x - tf.stop_gradient(x)))


def static_shape(tensor: tf.Tensor) -> list:
    """The shape: a number for each axis that is known, a scalar tensor for the others."""
    dynamic = tf.shape(tensor)
    return [dynamic[i] if n is None else n for i, n in enumerate(tensor.shape)]
