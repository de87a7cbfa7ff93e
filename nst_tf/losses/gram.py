"""The Gram matrix and the mean of features over positions, each with the cheaper of its gradients.

A test shows that these gradients equal those of the plain formulas in the docstrings.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from nst_tf.losses.terms import Layers, StyleStatistic, squared_error, static_shape


def gram_matrix(features: tf.Tensor, guide: tf.Tensor | None = None) -> tf.Tensor:
    """The Gram matrix: which features fire together, wherever they do.

    Gatys et al. 2016, equation 3, divided by the number of positions as in the tutorial, so that
    a repeated texture has the same Gram at any size. With a guide, Gatys et al. 2017, "Controlling
    Perceptual Factors in Neural Style Transfer", equation 6, whose T is the guide's root.

    Args:
        features: [B, H, W, C], any float type.
        guide: float32 [1, H, W, 1], the weight of each position; its mean over the image is 1.

    Returns:
        float32 [B, C, C]: `einsum('bijc,bijd,bij->bcd', features, features, guide) / (H·W)`.
    """
    return _apply(_gram, *_positions(features, guide))


def moments(features: tf.Tensor, guide: tf.Tensor | None = None) -> tf.Tensor:
    """The second moment, which is the Gram matrix, and the mean of features over positions.

    Both add up over tiles and mix linearly over style images, as a covariance does not.

    Args:
        features: [B, H, W, C], any float type.
        guide: float32 [1, H, W, 1], the weight of each position; its mean over the image is 1.

    Returns:
        float32 [B, C, C + 1]: the Gram matrix, and `einsum('bijc,bij->bc') / (H·W)` as one more
        column.
    """
    return _apply(_moments, *_positions(features, guide))


def gram_statistic(norms: Callable[[Layers], Layers]) -> StyleStatistic:
    """The style loss of Gatys et al. 2016, equation 4, with `mse_norms` or `target_energies`."""

    def prepare(target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return target, norms({"gram": target})["gram"]

    return StyleStatistic(gram_matrix, lambda gram, target: squared_error(gram, *target), prepare)


def _apply(statistic: Callable, flat: tf.Tensor, guide: tf.Tensor | None) -> tf.Tensor:
    graph = _graph(statistic, 1 if flat.shape[0] == 1 else None, flat.dtype, guide is not None)
    return graph(flat) if guide is None else graph(flat, guide)


@functools.cache
def _graph(statistic: Callable, batch: int | None, dtype: tf.DType, guided: bool) -> Callable:
    """A statistic and its gradient as a graph of its own.

    TensorFlow keeps for good the graph in which a custom gradient was made. Within the graph of a
    step that would be the whole of it, with the network's weights, after each run.
    """

    def product(flat: tf.Tensor, guide: tf.Tensor | None = None) -> tf.Tensor:
        return tf.custom_gradient(lambda flat: statistic(flat, guide))(flat)

    signature = [tf.TensorSpec([batch, None, None], dtype), tf.TensorSpec([1, None, 1])]
    return tf.function(product, signature[: 1 + guided], autograph=False)


def _gram(flat: tf.Tensor, guide: tf.Tensor | None):
    """The Gram matrix, and its gradient."""
    return _second_moment(flat, guide), lambda upstream: _gradient(flat, guide, upstream)


def _moments(flat: tf.Tensor, guide: tf.Tensor | None):
    """Second moment and mean, and their gradient."""
    weights = tf.ones_like(flat[..., :1], tf.float32) if guide is None else guide
    mean = _matmul(tf.cast(flat, tf.float32), weights, transpose_a=True) / _count(flat)
    joined = tf.concat([_second_moment(flat, guide), mean], axis=-1)
    return joined, lambda upstream: _gradient(flat, guide, upstream[..., :-1], upstream[..., -1])


def _positions(features: tf.Tensor, guide: tf.Tensor | None):
    """Features as [B, H·W, C], and the guide as [1, H·W, 1]."""
    batch, height, width, channels = static_shape(features)
    flat_guide = None if guide is None else tf.reshape(guide, [1, height * width, 1])
    return tf.reshape(features, [batch, height * width, channels]), flat_guide


def _count(flat: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.shape(flat)[1], tf.float32)


def _second_moment(flat: tf.Tensor, guide: tf.Tensor | None) -> tf.Tensor:
    wide = tf.cast(flat, tf.float32)
    guided = wide if guide is None else wide * guide
    return _matmul(wide, guided, transpose_a=True) / _count(flat)


def _gradient(flat, guide, second: tf.Tensor, mean: tf.Tensor | None = None) -> tf.Tensor:
    """The gradient with respect to features, from those with respect to their moments.

    Both factors of the product at once: half the work of differentiating it. In bfloat16, which has
    float32's range, the product is rounded as the features are; float16 would underflow.
    """
    dtype = tf.bfloat16 if flat.dtype == tf.bfloat16 else tf.float32
    both = tf.cast((second + tf.linalg.matrix_transpose(second)) / _count(flat), dtype)
    shift = None if mean is None else tf.cast(mean / _count(flat), dtype)
    gradient = tf.cast(_matmul(tf.cast(flat, dtype), both, shift=shift), flat.dtype)
    return gradient if guide is None else gradient * tf.cast(guide, gradient.dtype)


def _matmul(a: tf.Tensor, b: tf.Tensor, *, transpose_a: bool = False, shift=None) -> tf.Tensor:
    """The products of matrices [B, m, n], plus a shift [B, n] of each row.

    One pair is faster as a plain product, with which TensorFlow joins the shift.
    """
    if a.shape[0] != 1:
        product = tf.matmul(a, b, transpose_a=transpose_a)
        return product if shift is None else product + shift[:, tf.newaxis]
    product = tf.matmul(a[0], b[0], transpose_a=transpose_a)
    return (product if shift is None else tf.nn.bias_add(product, shift[0]))[tf.newaxis]
