"""The squared 2-Wasserstein distance of features' normal distributions, as a style loss.

Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions", equation 4.
"""

from typing import NamedTuple

import tensorflow as tf

from nst_tf.losses.gram import moments
from nst_tf.losses.terms import StyleStatistic, with_gradient


class Normal(NamedTuple):
    """The normal distribution of a style image's features at a layer, in its moments' type.

    Attributes:
        second: the second moment [1, C, C]: the covariance plus mean meanᵀ.
        mean: [1, C].
        directions: the covariance's eigenvectors times their standard deviations, without those
            that are rounding alone, as k positions that have this covariance: [1, k, 1, C].
    """

    second: tf.Tensor
    mean: tf.Tensor
    directions: tf.Tensor


def wasserstein(moments: tf.Tensor, target: Normal) -> tf.Tensor:
    """The squared 2-Wasserstein distance, |m - μ|² + tr A + tr B - 2 tr (A B)½.

    Here m, μ are the means and A, B the covariances. It weighs every direction of the features,
    where the Gram matrix weighs the few in which they vary most.

    Args:
        moments: float32 or float64 [1, C, C + 1], from `gram.moments`.
        target: from `normal`.

    Returns:
        A scalar of the moments' type, relative to the target's second moment: 1 for features that
        are all 0.
    """
    second, mean, covariance = _split(moments)
    # |m|² + tr A is the trace of the second moment.
    traces = tf.linalg.trace(second[0]), tf.linalg.trace(target.second[0])
    # Their difference is small beside each.
    traces = tf.nest.map_structure(lambda trace: tf.cast(trace, tf.float64), traces)
    squares, norm = traces[0] + traces[1], traces[1]
    overlap = tf.reduce_sum(tf.cast(mean, tf.float64) * tf.cast(target.mean, tf.float64))
    overlap += fidelity(covariance, target.directions[0, :, 0])
    return tf.cast(tf.math.divide_no_nan(squares - 2 * overlap, norm), moments.dtype)


def normal(moments: tf.Tensor) -> Normal:
    """The normal distribution that has these moments, float32 or float64 [1, C, C + 1]."""
    second, mean, covariance = _split(moments)
    variances, vectors = _eigh(covariance)
    # One direction at least, so that a uniform style image has one, of length 0.
    largest = variances[-1]
    real = (variances > 1e-6 * largest) | (tf.range(tf.size(variances)) == tf.size(variances) - 1)
    deviations = tf.sqrt(tf.maximum(tf.boolean_mask(variances, real), 0.0))
    directions = tf.transpose(tf.boolean_mask(vectors, real, axis=1) * deviations)
    directions = tf.cast(directions, moments.dtype)
    return Normal(second, mean, directions[tf.newaxis, :, tf.newaxis])


def fidelity(covariance: tf.Tensor, directions: tf.Tensor) -> tf.Tensor:
    """The trace of (A B)½, where B is Rᵀ R: that of (R A Rᵀ)½, which is symmetric.

    Its gradient with respect to A is half of Rᵀ (R A Rᵀ)-½ R, but roots below a thousandth of the
    largest are raised to that, which bounds it.

    Args:
        covariance: A, float64 [C, C], symmetric, without negative eigenvalues.
        directions: R, float32 or float64 [k, C].

    Returns:
        float64 scalar.
    """
    # In float32 the smallest roots are wrong by a ten-thousandth of the distance. With transpose_b
    # instead of a transposed copy the second product took longer.
    wide = tf.cast(directions, tf.float64)
    product = tf.matmul(tf.matmul(wide, covariance), tf.transpose(wide))
    values, vectors = _eigh(product)
    roots = tf.sqrt(tf.maximum(values, 0.0))

    # Unbounded, directions that the image hardly has would dominate. With 1e-4 images were further
    # from the style image at held-out layers.
    inverse = tf.math.divide_no_nan(tf.ones_like(roots), tf.maximum(roots, 1e-3 * roots[-1]))
    scaled = tf.cast(vectors * tf.sqrt(inverse), directions.dtype)
    factor = tf.matmul(scaled, directions, transpose_a=True)
    half = tf.matmul(factor, factor, transpose_a=True) / 2
    return with_gradient(tf.reduce_sum(roots), covariance, tf.cast(half, tf.float64))


def _split(moments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Second moment [1, C, C], mean [1, C], and covariance [C, C] in float64."""
    second, mean = moments[..., :-1], moments[..., -1]
    wide = tf.cast(mean, tf.float64)
    return second, mean, tf.cast(second[0], tf.float64) - tf.transpose(wide) * wide


def _eigh(matrix: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Eigenvalues in ascending order and eigenvectors, float64; of zeros where there are NaNs.

    Decomposing NaNs raises an error; the loss is NaN without it.
    """
    finite = tf.math.is_finite(tf.reduce_sum(matrix))
    return tf.linalg.eigh(tf.cast(tf.where(finite, matrix, tf.zeros_like(matrix)), tf.float64))


WASSERSTEIN = StyleStatistic(moments, wasserstein, normal)
