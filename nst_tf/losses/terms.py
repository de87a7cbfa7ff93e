"""The losses of neural style transfer, as pure functions.

Gatys, Ecker & Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks". Style is the
distance of Gram matrices, or the Wasserstein distance of the features' distributions. Content and
total variation come in two conventions: the plain mean squares of the TensorFlow tutorial, and a
scale-free form that is relative to its target. Moments, norms and losses are float32, whatever the
features are.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from nst_tf.losses.moments import gram, moments, shape

Layers = Mapping[str, tf.Tensor]


class Losses(NamedTuple):
    """The weighted terms of the objective; `style`, `content` and `tv` add up to `total`."""

    total: tf.Tensor
    style: tf.Tensor
    content: tf.Tensor
    tv: tf.Tensor


class StyleStatistic(NamedTuple):
    """What style is compared by, at a layer: three pure functions.

    Attributes:
        compute: features and guide -> the statistic, float32 [1, C, ...], which adds up over tiles
            and mixes linearly over style images.
        target: the statistic of a style image -> what `distance` compares with.
        distance: statistic and target -> float32 scalar.
    """

    compute: Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]
    target: Callable[[tf.Tensor], Any]
    distance: Callable[[tf.Tensor, Any], tf.Tensor]


class Normal(NamedTuple):
    """The normal distribution of a style image's features at a layer, in its moments' type.

    Attributes:
        second: its second moment [1, C, C]; the covariance and mean meanᵀ.
        mean: [1, C].
        directions: the covariance's eigenvectors times their standard deviations, but for those
            that are rounding, as k positions that have this covariance: [1, k, 1, C].
    """

    second: tf.Tensor
    mean: tf.Tensor
    directions: tf.Tensor


def normal(moments: tf.Tensor) -> Normal:
    """The normal distribution that has these moments.

    Args:
        moments: float32 or float64 [1, C, C + 1], of `moments`.

    Returns:
        What `wasserstein` compares with.
    """
    second, mean, covariance = _parts(moments)
    variances, vectors = _eigh(covariance)
    # At least one direction, so that a uniform style image has some, of length 0.
    largest = variances[-1]
    real = (variances > 1e-6 * largest) | (tf.range(tf.size(variances)) == tf.size(variances) - 1)
    deviations = tf.sqrt(tf.maximum(tf.boolean_mask(variances, real), 0.0))
    directions = tf.transpose(tf.boolean_mask(vectors, real, axis=1) * deviations)
    directions = tf.cast(directions, moments.dtype)
    return Normal(second, mean, directions[tf.newaxis, :, tf.newaxis])


def wasserstein(moments: tf.Tensor, target: Normal) -> tf.Tensor:
    """The squared 2-Wasserstein distance of the normal distributions that have these moments.

    Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions",
    equation 4: |m - μ|² + tr A + tr B - 2 tr (A B)½, for means m, μ and covariances A, B. It sees
    every direction of the features, where the Gram matrix sees the few in which they vary most.

    Args:
        moments: float32 or float64 [1, C, C + 1], of `moments`.
        target: of `normal`.

    Returns:
        A scalar of the moments' type, relative to the target's second moment: 1 for features of
        nothing at all.
    """
    second, mean, covariance = _parts(moments)
    # |m|² + tr A is the trace of the second moment.
    traces = tf.linalg.trace(second[0]), tf.linalg.trace(target.second[0])
    # Their difference is small beside each.
    traces = tf.nest.map_structure(lambda trace: tf.cast(trace, tf.float64), traces)
    squares, norm = traces[0] + traces[1], traces[1]
    overlap = tf.reduce_sum(tf.cast(mean, tf.float64) * tf.cast(target.mean, tf.float64))
    overlap += fidelity(covariance, target.directions[0, :, 0])
    return tf.cast(tf.math.divide_no_nan(squares - 2 * overlap, norm), moments.dtype)


def fidelity(covariance: tf.Tensor, directions: tf.Tensor) -> tf.Tensor:
    """The trace of (A B)½, where B is Rᵀ R: that of (R A Rᵀ)½, which is symmetric.

    Its gradient with respect to A is half of Rᵀ (R A Rᵀ)-½ R, but for directions whose root is
    below a thousandth of the largest, which are drawn less.

    Args:
        covariance: A, float64 [C, C], symmetric, without negative eigenvalues.
        directions: R, float32 or float64 [k, C].

    Returns:
        float64 scalar.
    """
    # In float32 the least roots are wrong by a ten-thousandth of the distance. With transpose_b in
    # its place the second product took longer.
    wide = tf.cast(directions, tf.float64)
    product = tf.matmul(tf.matmul(wide, covariance), tf.transpose(wide))
    values, vectors = _eigh(product)
    roots = tf.sqrt(tf.maximum(values, 0.0))

    # Directions that the picture has next to nothing of would draw it infinitely hard. With 1e-4
    # pictures were further from the painting at held-out layers.
    inverse = tf.math.divide_no_nan(tf.ones_like(roots), tf.maximum(roots, 1e-3 * roots[-1]))
    scaled = tf.cast(vectors * tf.sqrt(inverse), directions.dtype)
    factor = tf.matmul(scaled, directions, transpose_a=True)
    half = tf.matmul(factor, factor, transpose_a=True) / 2
    return _with_gradient(tf.reduce_sum(roots), covariance, tf.cast(half, tf.float64))


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


def gram_statistic(norm: Callable[[Layers], Layers]) -> StyleStatistic:
    """The Gram matrix, compared by the sum of squares.

    Args:
        norm: `sizes` or `energies`.

    Returns:
        The statistic of Gatys et al. 2016, equation 4, up to a constant.
    """

    def target(wanted: tf.Tensor) -> tuple[Layers, Layers]:
        return {"gram": wanted}, norm({"gram": wanted})

    return StyleStatistic(gram, target, lambda found, wanted: distance({"gram": found}, *wanted))


WASSERSTEIN = StyleStatistic(moments, normal, wasserstein)


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """The tutorial's total variation: the sum of absolute differences of neighbours.

    Args:
        image: float32 [B, H, W, 3].

    Returns:
        float32 scalar, over the whole batch.
    """
    image = tf.convert_to_tensor(image)  # tf.image takes no arrays
    # Whole numbers, so that no order of adding them up rounds.
    down = tf.sign(image[:, 1:] - image[:, :-1])
    right = tf.sign(image[:, :, 1:] - image[:, :, :-1])
    below = tf.pad(down, [[0, 0], [1, 0], [0, 0], [0, 0]])
    above = tf.pad(down, [[0, 0], [0, 1], [0, 0], [0, 0]])
    after = tf.pad(right, [[0, 0], [0, 0], [1, 0], [0, 0]])
    before = tf.pad(right, [[0, 0], [0, 0], [0, 1], [0, 0]])
    value = tf.reduce_sum(tf.image.total_variation(image))
    return _with_gradient(value, image, below - above + after - before)


def mean_variation(image: tf.Tensor) -> tf.Tensor:
    """The scale-free total variation: the mean absolute difference of neighbours.

    Args:
        image: float32 [B, H, W, 3] in [0, 1].

    Returns:
        float32 scalar in [0, 1]; 1 for a checkerboard of black and white.
    """
    batch, height, width, channels = shape(image)
    pairs = batch * channels * (height * (width - 1) + (height - 1) * width)
    return total_variation(image) / tf.cast(pairs, tf.float32)


def _parts(moments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Second moment [1, C, C], mean [1, C], and covariance [C, C] in float64, of `moments`."""
    second, mean = moments[..., :-1], moments[..., -1]
    wide = tf.cast(mean, tf.float64)
    return second, mean, tf.cast(second[0], tf.float64) - tf.transpose(wide) * wide


def _eigh(matrix: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Eigenvalues, in ascending order, and eigenvectors, in float64; of zeros for no numbers.

    Decomposing what is no number would be an error; the loss is no number without it.
    """
    finite = tf.math.is_finite(tf.reduce_sum(matrix))
    return tf.linalg.eigh(tf.cast(tf.where(finite, matrix, tf.zeros_like(matrix)), tf.float64))


def _with_gradient(value: tf.Tensor, x: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """A scalar whose gradient with respect to x is given.

    `tf.custom_gradient` would keep the graph that it is made in for good.
    """
    value, gradient = tf.stop_gradient(value), tf.stop_gradient(gradient)
    return value + tf.reduce_sum(gradient * (x - tf.stop_gradient(x)))
