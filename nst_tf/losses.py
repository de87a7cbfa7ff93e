"""The losses of neural style transfer, as pure functions.

Gatys, Ecker & Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks". Each term
comes in two conventions: the plain mean squares of the TensorFlow tutorial, and a scale-free
form that is relative to its target. Sums, norms and losses are float32, whatever the features
are.
"""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

Layers = Mapping[str, tf.Tensor]


class Losses(NamedTuple):
    """The weighted terms of the objective; `style`, `content` and `tv` add up to `total`."""

    total: tf.Tensor
    style: tf.Tensor
    content: tf.Tensor
    tv: tf.Tensor


@tf.custom_gradient
def gram(features: tf.Tensor) -> tf.Tensor:
    """The Gram matrix: how often features fire together, wherever they do.

    Gatys et al. 2016, equation 3, divided by the number of positions as in the tutorial, so that
    a repeated texture has the same Gram at any size.

    Args:
        features: [B, H, W, C], any float type.

    Returns:
        float32 [B, C, C]: `einsum('bijc,bijd->bcd') / (H·W)`.
    """
    batch, height, width, channels = _shape(features)
    flat = tf.reshape(features, [batch, height * width, channels])
    wide = tf.cast(flat, tf.float32)
    positions = tf.cast(height * width, tf.float32)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        # Both factors of the product at once: half the work of differentiating it. In bfloat16,
        # which has float32's range, the product is rounded as the features are; float16 would
        # underflow.
        both = (upstream + tf.linalg.matrix_transpose(upstream)) / positions
        if features.dtype == tf.bfloat16:
            product = tf.matmul(flat, tf.cast(both, tf.bfloat16))
        else:
            product = tf.cast(tf.matmul(wide, both), features.dtype)
        return tf.reshape(product, tf.shape(features))

    return tf.matmul(wide, wide, transpose_a=True) / positions, gradient


def mean_squares(layers: Layers, targets: Layers) -> tf.Tensor:
    """The tutorial's term: mean((X - T)²), averaged over layers.

    Args:
        layers: Grams [B, C, C] or features [B, H, W, C] by layer name.
        targets: the same names and shapes.

    Returns:
        float32 scalar.
    """
    return tf.add_n(
        [tf.reduce_mean(_squares(layers[name], targets[name])) for name in targets]
    ) / len(targets)


def relative_squares(layers: Layers, targets: Layers) -> tf.Tensor:
    """The scale-free term: Σ(X - T)² / ΣT², averaged over layers.

    0 for a perfect match, 1 for features of nothing at all; the same for any size, any pair of
    pictures and any scaling of the weights.

    Args:
        layers: Grams [B, C, C] or features [B, H, W, C] by layer name.
        targets: the same names and shapes.

    Returns:
        float32 scalar.
    """
    return tf.add_n(
        [
            tf.math.divide_no_nan(
                tf.reduce_sum(_squares(layers[name], targets[name])),
                tf.reduce_sum(_squares(targets[name], 0.0)),
            )
            for name in targets
        ]
    ) / len(targets)


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """The tutorial's total variation: the sum of absolute differences of neighbours.

    Args:
        image: float32 [B, H, W, 3].

    Returns:
        float32 scalar, over the whole batch.
    """
    return tf.reduce_sum(tf.image.total_variation(image))


def mean_variation(image: tf.Tensor) -> tf.Tensor:
    """The scale-free total variation: the mean absolute difference of neighbours.

    Args:
        image: float32 [B, H, W, 3] in [0, 1].

    Returns:
        float32 scalar in [0, 1]; 1 for a checkerboard of black and white.
    """
    batch, height, width, channels = _shape(image)
    pairs = batch * channels * (height * (width - 1) + (height - 1) * width)
    return total_variation(image) / tf.cast(pairs, tf.float32)


def _squares(values: tf.Tensor, targets: tf.Tensor | float) -> tf.Tensor:
    return tf.math.squared_difference(tf.cast(values, tf.float32), targets)


def _shape(tensor: tf.Tensor) -> list:
    """The shape, static where it is known."""
    dynamic = tf.shape(tensor)
    return [dynamic[i] if n is None else n for i, n in enumerate(tensor.shape)]
