"""Total variation: how much neighboring pixels differ.

Rudin, Osher & Fatemi 1992, "Nonlinear total variation based noise removal algorithms", in the
anisotropic form (the sum of absolute differences) that the TensorFlow tutorial uses.
"""

import tensorflow as tf

from nst_tf.losses.terms import static_shape, with_gradient


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """The tutorial's total variation, Σ|x[i+1, j] - x[i, j]| + Σ|x[i, j+1] - x[i, j]|.

    Args:
        image: float32 [B, H, W, 3].

    Returns:
        float32 scalar, over the whole batch.
    """
    image = tf.convert_to_tensor(image)  # tf.image takes no arrays
    # The gradient in whole numbers, so that no order of summation rounds.
    down = tf.sign(image[:, 1:] - image[:, :-1])
    right = tf.sign(image[:, :, 1:] - image[:, :, :-1])
    below = tf.pad(down, [[0, 0], [1, 0], [0, 0], [0, 0]])
    above = tf.pad(down, [[0, 0], [0, 1], [0, 0], [0, 0]])
    after = tf.pad(right, [[0, 0], [0, 0], [1, 0], [0, 0]])
    before = tf.pad(right, [[0, 0], [0, 0], [0, 1], [0, 0]])
    value = tf.reduce_sum(tf.image.total_variation(image))
    return with_gradient(value, image, below - above + after - before)


def mean_total_variation(image: tf.Tensor) -> tf.Tensor:
    """The scale-free total variation: the mean absolute difference of neighboring pixels.

    Args:
        image: float32 [B, H, W, 3] in [0, 1].

    Returns:
        float32 scalar in [0, 1]; 1 for a checkerboard of black and white.
    """
    batch, height, width, channels = static_shape(image)
    pairs = batch * channels * (height * (width - 1) + (height - 1) * width)
    return total_variation(image) / tf.cast(pairs, tf.float32)
