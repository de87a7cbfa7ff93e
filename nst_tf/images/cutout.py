"""Cut-outs: colors hidden under transparent pixels give way to the visible ones around them.

Otherwise a network would see them, and learn from them or paint them.
"""

import tensorflow as tf

from nst_tf.images.pixels import ImageLike

# Opacity from which a pixel's own color is its color; below, it fades into that of its neighbors.
_VISIBLE = 1 / 8
# Halvings of the pyramid; more than any image takes.
_LEVELS = 16


def crop_to_visible(rgb: ImageLike, alpha: ImageLike | None) -> ImageLike:
    """The smallest rectangle of an image [H, W, 3] with all that is not wholly transparent.

    Works inside a tf.function too. `alpha` [H, W] must not be 0 everywhere; None is opaque.
    """
    if alpha is None:
        return rgb
    visible = tf.convert_to_tensor(alpha) > 0
    rows = tf.where(tf.reduce_any(visible, axis=1))[:, 0]
    columns = tf.where(tf.reduce_any(visible, axis=0))[:, 0]
    return rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


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
    weights = [tf.minimum(opacity / _VISIBLE, 1.0)]
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
