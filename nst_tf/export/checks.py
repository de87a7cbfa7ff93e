"""Checks that an exported graph runs: tf.errors.InvalidArgumentError with the value it refuses."""

from typing import Any

import tensorflow as tf

from nst_tf.run.pyramid import MAX_ASPECT_RATIO, MIN_SIDE

# The losses of all steps are allocated before the first one.
MAX_STEPS = 100_000


def images(name: str, batch: tf.Tensor, min_side: int = MIN_SIDE) -> tf.Tensor:
    """The batch [B, H, W, 3] if it has images, allowed sides, and values in [0, 1]."""
    shape = tf.shape(batch)
    long, short = tf.reduce_max(shape[1:3]), tf.reduce_min(shape[1:3])
    valid = (shape[0] > 0) & (short >= min_side) & (long <= MAX_ASPECT_RATIO * short)
    sides = f"sides from {min_side} px, one at most {MAX_ASPECT_RATIO} times the other"
    lowest, highest = tf.reduce_min(batch), tf.reduce_max(batch)
    in_range = (lowest >= 0) & (highest <= 1)
    return require(
        batch,
        (valid, f"{name}: expected {sides}, got the shape", shape),
        (in_range, f"{name}: expected values in [0, 1], got", [lowest, highest]),
    )


def single_image(name: str, batch: tf.Tensor, min_side: int = MIN_SIDE) -> tf.Tensor:
    """The batch [1, H, W, 3] if it is one image that passes `images`."""
    count = tf.shape(batch)[0]
    single = require(batch, (count == 1, f"{name}: expected one image, got", count))
    return images(name, single, min_side)


def equal_batches(first: tuple[str, tf.Tensor], second: tuple[str, tf.Tensor]) -> tf.Tensor:
    """The first of two named batches if both are equally long, or one has a single image."""
    (name, batch), (other_name, other) = first, second
    counts = tf.shape(batch)[0], tf.shape(other)[0]
    valid = (counts[0] == counts[1]) | (tf.minimum(*counts) == 1)
    message = f"{name}, {other_name}: expected equal batches, or one of 1, got"
    return require(batch, (valid, message, counts))


def weight(name: str, value: tf.Tensor) -> tf.Tensor:
    """The float32 scalar if it is finite and not negative."""
    valid = (value >= 0) & tf.math.is_finite(value)
    return require(value, (valid, f"{name}: expected a number from 0, got", value))


def steps(value: tf.Tensor) -> tf.Tensor:
    """The int32 scalar if it is from 1 to `MAX_STEPS`."""
    valid = (value >= 1) & (value <= MAX_STEPS)
    return require(value, (valid, f"steps: expected 1 to {MAX_STEPS}, got", value))


def require(value: tf.Tensor, *conditions: tuple[tf.Tensor, str, Any]) -> tf.Tensor:
    """The value if all conditions hold; each is a boolean, a message, and what it ends with."""
    checks = [tf.debugging.Assert(valid, [message, found]) for valid, message, found in conditions]
    with tf.control_dependencies(checks):
        return tf.identity(value)
