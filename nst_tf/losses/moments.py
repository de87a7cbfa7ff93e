"""The moments of features over positions, each with the cheaper of its gradients."""

import functools
from collections.abc import Callable

import tensorflow as tf


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
    return _apply(_gram, *_positions(features, guide))


def moments(features: tf.Tensor, guide: tf.Tensor | None = None) -> tf.Tensor:
    """The second moment, which is the Gram matrix, and the mean of features over positions.

    Both add up over tiles and mix linearly over style images, as a covariance does not.

    Args:
        features: [B, H, W, C], any float type.
        guide: float32 [1, H, W, 1], how much each position counts; 1 on average over the picture.

    Returns:
        float32 [B, C, C + 1]: the Gram matrix, and the mean as one more column.
    """
    return _apply(_moments, *_positions(features, guide))


def _apply(statistic: Callable, flat: tf.Tensor, shares: tf.Tensor | None) -> tf.Tensor:
    graph = _graph(statistic, 1 if flat.shape[0] == 1 else None, flat.dtype, shares is not None)
    return graph(flat) if shares is None else graph(flat, shares)


@functools.cache
def _graph(statistic: Callable, batch: int | None, kind: tf.DType, guided: bool) -> Callable:
    """A statistic and its gradient as a graph of its own.

    TensorFlow keeps for good the graph in which a custom gradient was made. Within the graph of a
    step that would be the whole of it, with the network's weights, after each run.
    """

    def product(flat: tf.Tensor, shares: tf.Tensor | None = None) -> tf.Tensor:
        return tf.custom_gradient(lambda flat: statistic(flat, shares))(flat)

    signature = [tf.TensorSpec([batch, None, None], kind), tf.TensorSpec([1, None, 1])]
    return tf.function(product, signature[: 1 + guided], autograph=False)


def _gram(flat: tf.Tensor, shares: tf.Tensor | None):
    """The Gram matrix, and its gradient."""
    return _second_moment(flat, shares), lambda upstream: _pull_back(flat, shares, upstream)


def _moments(flat: tf.Tensor, shares: tf.Tensor | None):
    """Second moment and mean, and their gradient."""
    counted = tf.ones_like(flat[..., :1], tf.float32) if shares is None else shares
    mean = _matmul(tf.cast(flat, tf.float32), counted, transpose_a=True) / _count(flat)
    joined = tf.concat([_second_moment(flat, shares), mean], axis=-1)
    return joined, lambda upstream: _pull_back(flat, shares, upstream[..., :-1], upstream[..., -1])


def _positions(features: tf.Tensor, guide: tf.Tensor | None):
    """Features as [B, H·W, C], and how much each position counts as [1, H·W, 1]."""
    batch, height, width, channels = shape(features)
    shares = None if guide is None else tf.reshape(guide, [1, height * width, 1])
    return tf.reshape(features, [batch, height * width, channels]), shares


def _count(flat: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.shape(flat)[1], tf.float32)


def _second_moment(flat: tf.Tensor, shares: tf.Tensor | None) -> tf.Tensor:
    wide = tf.cast(flat, tf.float32)
    guided = wide if shares is None else wide * shares
    return _matmul(wide, guided, transpose_a=True) / _count(flat)


def _pull_back(flat, shares, second: tf.Tensor, mean: tf.Tensor | None = None) -> tf.Tensor:
    """The gradient with respect to features, from that with respect to their moments.

    Both factors of the product at once: half the work of differentiating it. In bfloat16, which has
    float32's range, the product is rounded as the features are; float16 would underflow.
    """
    kind = tf.bfloat16 if flat.dtype == tf.bfloat16 else tf.float32
    both = tf.cast((second + tf.linalg.matrix_transpose(second)) / _count(flat), kind)
    shift = None if mean is None else tf.cast(mean / _count(flat), kind)
    back = tf.cast(_matmul(tf.cast(flat, kind), both, shift=shift), flat.dtype)
    return back if shares is None else back * tf.cast(shares, back.dtype)


def _matmul(a: tf.Tensor, b: tf.Tensor, *, transpose_a: bool = False, shift=None) -> tf.Tensor:
    """The products of matrices [B, m, n], plus a shift [B, n] of each row.

    One pair is faster as a plain product, with which TensorFlow joins the shift.
    """
    if a.shape[0] != 1:
        product = tf.matmul(a, b, transpose_a=transpose_a)
        return product if shift is None else product + shift[:, tf.newaxis]
    product = tf.matmul(a[0], b[0], transpose_a=transpose_a)
    return (product if shift is None else tf.nn.bias_add(product, shift[0]))[tf.newaxis]


def shape(tensor: tf.Tensor) -> list:
    """The shape of a tensor, static where it is known.

    Args:
        tensor: of any shape.

    Returns:
        For each axis a number, or a scalar where it is known only when a graph runs.
    """
    dynamic = tf.shape(tensor)
    return [dynamic[i] if n is None else n for i, n in enumerate(tensor.shape)]
