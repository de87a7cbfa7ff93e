"""Cut-outs: colors hidden under transparent pixels give way to the visible ones around them.

Otherwise a network would see them, and learn from them or paint them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf.images.pixels import ImageLike, resize

# Opacity from which a pixel's own color is its color; below, it fades into that of its neighbors.
VISIBLE = 1 / 8
# Halvings of the pyramid; more than any image takes.
_LEVELS = 16


def crop_to_visible(rgb: ImageLike, alpha: ImageLike | None) -> ImageLike:
    """The smallest rectangle of an image [H, W, 3] with all that is not wholly transparent.

    Works inside a tf.function too. `alpha` [H, W] must not be 0 everywhere; None is opaque.
    """
    if alpha is None:
        return rgb
    (top, bottom), (left, right) = _visible_bounds(alpha)
    return rgb[top:bottom, left:right]


def apply_to_visible(
    function: Callable[[tf.Tensor], tf.Tensor],
    image: ImageLike,
    alpha: np.ndarray | None,
    min_side: int,
) -> np.ndarray:
    """Apply a function of images [1, h, w, 3] to the visible rectangle of one; the rest stays.

    `alpha` [h, w] is of any size, and None opaque. The rectangle has sides from `min_side`.
    """
    if alpha is None:
        return np.asarray(function(image))
    size = image.shape[1:3]
    (top, bottom), (left, right) = (
        (max(0, min(start, side - min_side)), min(side, max(stop, start + min_side)))
        for (start, stop), side in zip(
            _visible_bounds(resize(alpha[..., np.newaxis], *size)[..., 0]), size, strict=True
        )
    )
    result = np.array(image)
    result[:, top:bottom, left:right] = function(image[:, top:bottom, left:right])
    return result


def on_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """An image [H, W, 3] as it looks on white; `alpha` [H, W] or [H, W, 1]."""
    opacity = alpha.reshape(*rgb.shape[:2], 1)
    return rgb * opacity + (1 - opacity)


def _visible_bounds(alpha: ImageLike) -> list[tuple[Any, Any]]:
    """From where to where something is visible: rows and columns."""
    visible = tf.convert_to_tensor(alpha) > 0
    indices = (tf.where(tf.reduce_any(visible, axis=axis))[:, 0] for axis in (1, 0))
    return [(index[0], index[-1] + 1) for index in indices]


def fill_hidden(rgb: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Replace hidden colors by an average of visible ones, from as near as there are some.

    Works inside a tf.function too. The push-pull pyramid of Gortler et al. 1996, "The Lumigraph",
    section 3.5.

    Args:
        rgb: float32 [H, W, 3].
        alpha: float32 [H, W], 0 where the color is hidden, 1 where it is opaque.

    Returns:
        float32 [H, W, 3]; colors of pixels with an opacity of 1/8 or more are unchanged.
    """
    opacity = tf.convert_to_tensor(alpha, tf.float32)[tf.newaxis, ..., tf.newaxis]
    image = tf.convert_to_tensor(rgb, tf.float32)[tf.newaxis]
    weights = [tf.minimum(opacity / VISIBLE, 1.0)]
    sums = [image * weights[0]]
    for _ in range(_LEVELS):
        half = tf.maximum((tf.shape(sums[-1])[1:3] + 1) // 2, 1)
        sums.append(tf.image.resize(sums[-1], half, "area"))
        weights.append(tf.image.resize(weights[-1], half, "area"))
    filled = tf.math.divide_no_nan(sums[-1], weights[-1])
    for total, weight in zip(sums[-2::-1], weights[-2::-1], strict=True):
        behind = tf.image.resize(filled, tf.shape(total)[1:3], "bilinear")
        # As much of the coarser level as this one has no visible color.
        covered = tf.minimum(2.0 * weight, 1.0) if total is not sums[0] else weight
        color = tf.math.divide_no_nan(total, weight) if total is not sums[0] else image
        filled = covered * color + (1.0 - covered) * behind
    return filled[0]
