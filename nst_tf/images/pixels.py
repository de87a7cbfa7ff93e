"""Arrays of pixels: conversion between integers and floats, and size."""

from typing import TypeAlias

import numpy as np
import tensorflow as tf

# Height and width, in pixels.
Size = tuple[int, int]
ImageLike: TypeAlias = np.ndarray | tf.Tensor


def to_float(samples: np.ndarray) -> np.ndarray:
    """Integers to float32 in [0, 1]."""
    floats = samples.astype(np.float32)
    floats /= np.float32(np.iinfo(samples.dtype).max)  # in place, as a large picture needs it
    return floats


def to_uint(floats: np.ndarray, dtype: type) -> np.ndarray:
    """Floats to integers: clamped to [0, 1], rounded half up. The only place that does so."""
    floats = np.clip(floats, 0.0, 1.0)
    floats *= np.iinfo(dtype).max
    floats += 0.5
    return floats.astype(dtype)


def resize(image: ImageLike, height: int, width: int) -> tf.Tensor:
    """Resize [H, W, C] or [B, H, W, C] in [0, 1], bicubic and antialiased; to its own size: as is.

    Works inside a tf.function too. Bicubic interpolation overshoots, so the result is clipped.
    """
    image = tf.convert_to_tensor(image, tf.float32)
    size = (tf.get_static_value(height), tf.get_static_value(width))
    if None not in size and tuple(image.shape[-3:-1]) == size:
        return image
    resized = tf.image.resize(image, (height, width), "bicubic", antialias=True)
    return tf.clip_by_value(resized, 0.0, 1.0)
