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


def gram(features: tf.Tensor, guide: tf.Tensor | None = None) -> tf.Tensor:
    """The Gram matrix: how often features fire together, wherever they do.

    Gatys et al. 2016, equation 3, divided by the number of positions as in the tutorial, so that
    a repeated texture has the same Gram at any size. With a guide, Gatys et al. 2017, "Controlling
    Perceptual Factors in Neural Style Transfer", equation 6, whose T is the guide's root.

    Args:
        features: [B, H, W, C], any float type.
        guide: float32 [1, H, W, 1], how much each position counts; 1 on average over the picture.

    Returns:
        float32 [B, C, C]: `einsum('bijc,bijd,bij->bcd') / (H·W)`.
    """
    batch, height, width, channels = _shape(features)
    positions = tf.cast(height * width, tf.float32)
    shares = None if guide is None else tf.reshape(guide, [1, height * width, 1])

    @tf.custom_gradient
    def product(features: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(features, [batch, height * width, channels])
        wide = tf.cast(flat, tf.float32)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # Both factors of the product at once: half the work of differentiating it. In bfloat16,
            # which has float32's range, the product is rounded as the features are; float16 would
            # underflow.
            both = (upstream + tf.linalg.matrix_transpose(upstream)) / positions
            if features.dtype == tf.bfloat16:
                back = tf.matmul(flat, tf.cast(both, tf.bfloat16))
            else:
                back = tf.cast(tf.matmul(wide, both), features.dtype)
            if shares is not None:
                back *= tf.cast(shares, back.dtype)
            return tf.reshape(back, tf.shape(features))

        guided = wide if shares is None else wide * shares
        return tf.matmul(wide, guided, transpose_a=True) / positions, gradient

    return product(features)


def distance(layers: Layers, targets: Layers, norms: Layers) -> tf.Tensor:
    """How far layers are from their targets: Σ(X - T)² / norm, averaged over layers.

    Gatys et al. 2016, equations 1 and 4, up to a constant. Over pieces of the layers and of the
    targets it adds up to that of the whole.

    Args:
        layers: Grams [B, C, C] or features [B, H, W, C] by layer name.
        targets: float32, the same names and shapes.
        norms: float32 scalars by layer name, of `sizes` or `energies`.

    Returns:
        float32 scalar.
    """
    return tf.add_n(
        [
            tf.math.divide_no_nan(
                tf.reduce_sum(
                    tf.math.squared_difference(tf.cast(layers[name], tf.float32), target)
                ),
                norms[name],
            )
            for name, target in targets.items()
        ]
    ) / len(targets)


def sizes(targets: Layers) -> dict[str, tf.Tensor]:
    """The tutorial's norms, which make of `distance` the mean of (X - T)².

    Args:
        targets: by layer name.

    Returns:
        How many values each has, float32 scalars.
    """
    return {name: tf.cast(tf.size(target), tf.float32) for name, target in targets.items()}


def energies(targets: Layers) -> dict[str, tf.Tensor]:
    """The scale-free norms: `distance` is 0 for a match and 1 for features of nothing at all.

    It is then the same for any size, any pair of pictures and any scaling of the weights.

    Args:
        targets: float32, by layer name.

    Returns:
        ΣT² of each, float32 scalars.
    """
    return {name: tf.reduce_sum(tf.square(target)) for name, target in targets.items()}


@tf.custom_gradient
def total_variation(image: tf.Tensor) -> tf.Tensor:
    """The tutorial's total variation: the sum of absolute differences of neighbours.

    Args:
        image: float32 [B, H, W, 3].

    Returns:
        float32 scalar, over the whole batch.
    """

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        # Whole numbers until the last, so that no order of adding them up rounds.
        down = tf.sign(image[:, 1:] - image[:, :-1])
        right = tf.sign(image[:, :, 1:] - image[:, :, :-1])
        below = tf.pad(down, [[0, 0], [1, 0], [0, 0], [0, 0]])
        above = tf.pad(down, [[0, 0], [0, 1], [0, 0], [0, 0]])
        after = tf.pad(right, [[0, 0], [0, 0], [1, 0], [0, 0]])
        before = tf.pad(right, [[0, 0], [0, 0], [0, 1], [0, 0]])
        return upstream * (below - above + after - before)

    # tf.image takes no arrays.
    return tf.reduce_sum(tf.image.total_variation(tf.convert_to_tensor(image))), gradient


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


def _shape(tensor: tf.Tensor) -> list:
    """The shape, static where it is known."""
    dynamic = tf.shape(tensor)
    return [dynamic[i] if n is None else n for i, n in enumerate(tensor.shape)]
