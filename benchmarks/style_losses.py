"""Style losses that the default was measured beside; of one layer, relative to their target."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from nst_tf import losses
from nst_tf.losses import Losses
from nst_tf.objective import Objective, Sums

# Of (Gram, mean) of a picture's and of a painting's features, float32 [C, C] and [C].
StyleLoss = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
_gram = losses.gram


def moments(features: tf.Tensor, guide: tf.Tensor | None = None) -> tf.Tensor:
    """The Gram matrix with the mean as one more column: float32 [B, C, C + 1]."""
    wide = tf.cast(features, tf.float32)
    mean = tf.reduce_mean(wide if guide is None else wide * guide, axis=[1, 2])
    return tf.concat([_gram(features, guide), mean[..., tf.newaxis]], axis=-1)


def gram(g: tf.Tensor, mean: tf.Tensor, target: tf.Tensor, target_mean: tf.Tensor) -> tf.Tensor:
    """The default recipe's."""
    return _squared(g - target) / _squared(target)


def mean_and_covariance(g, mean, target, target_mean) -> tf.Tensor:
    """Mean and covariance apart, on the scale of the Gram matrix, which is C + m mᵀ.

    Its change with the mean, m dmᵀ + dm mᵀ, has the square 2 |m|² |dm|² or so.
    """
    apart = _squared(_covariance(g, mean) - _covariance(target, target_mean))
    means = 2 * _squared(target_mean) * _squared(mean - target_mean)
    return (apart + means) / _squared(target)


def wasserstein(g, mean, target, target_mean) -> tf.Tensor:
    """The squared 2-Wasserstein distance of normal distributions.

    Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions".
    """
    covariance, wanted = _covariance(g, mean), _covariance(target, target_mean)
    distance = _bures(covariance, tf.stop_gradient(_root(wanted)), tf.linalg.trace(wanted))
    return (distance + _squared(mean - target_mean)) / tf.linalg.trace(target)


def gram_and_wasserstein(*of) -> tf.Tensor:
    """The default recipe's with a little of the other, which sees weak features as well."""
    return gram(*of) + 0.05 * wasserstein(*of)


def objective(loss: StyleLoss, weights: Sequence[float]) -> type[Objective]:
    """The Objective with another style loss.

    Args:
        loss: of a layer.
        weights: of the layers, from the shallowest to the deepest.

    Returns:
        A class; `losses.gram` must be `moments` while it is used.
    """

    class Other(Objective):
        def _losses(self, sums: Sums, image: tf.Tensor) -> Losses:
            plain = super()._losses(sums, image)
            (found,), (wanted,) = sums.grams, self.targets.grams
            layers = [
                weight * loss(*_split(found[name]), *_split(target))
                for weight, (name, target) in zip(weights, wanted.items(), strict=True)
            ]
            style = self._weights.style * tf.add_n(layers) / sum(weights)
            return plain._replace(style=style, total=style + plain.content + plain.tv)

    return Other


def _split(moments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return moments[0, :, :-1], moments[0, :, -1]


def _covariance(g: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    return g - mean[:, tf.newaxis] * mean


def _squared(tensor: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(tensor))


def _root(matrix: tf.Tensor) -> tf.Tensor:
    values, vectors = tf.linalg.eigh(matrix)
    return (vectors * tf.sqrt(tf.maximum(values, 0.0))) @ tf.transpose(vectors)


@tf.custom_gradient
def _bures(covariance: tf.Tensor, root: tf.Tensor, trace: tf.Tensor):
    """Tr A + tr B - 2 tr (B½ A B½)½, and its gradient with respect to A: I - B½ (B½ A B½)-½ B½."""
    values, vectors = tf.linalg.eigh(root @ covariance @ root)
    spread = tf.sqrt(tf.maximum(values, 0.0))

    def gradient(upstream: tf.Tensor):
        # Directions that the picture has nothing of would draw it infinitely hard.
        inverse = (vectors / (spread + 1e-3 * tf.reduce_max(spread))) @ tf.transpose(vectors)
        return upstream * (tf.eye(tf.shape(root)[0]) - root @ inverse @ root), None, None

    return tf.linalg.trace(covariance) + trace - 2 * tf.reduce_sum(spread), gradient
