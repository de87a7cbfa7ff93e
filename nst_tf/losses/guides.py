"""Guides: masks as weights of the positions of feature maps.

Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", section 4.1.
"""

import tensorflow as tf

from nst_tf.images.pixels import Size


def from_mask(mask: tf.Tensor | None, layer_sizes: dict[str, Size]) -> dict[str, tf.Tensor]:
    """A mask at the layers' sizes, averaged over area: float32 [1, h, w, 1], 1 on average."""
    if mask is None:
        return {}
    shrunk = {name: tf.image.resize(mask, size, "area") for name, size in layer_sizes.items()}
    return {
        name: tf.math.divide_no_nan(guide, tf.reduce_mean(guide)) for name, guide in shrunk.items()
    }
