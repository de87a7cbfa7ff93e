"""What an exported graph refuses: errors with a message, raised when it runs.

All raise tf.errors.InvalidArgumentError, with the value in place of what was expected.
"""

from typing import Any

import tensorflow as tf

from nst_tf.run.pyramid import NARROWEST, SHORTEST

# More steps than anybody waits for; each has a place in the losses from the start.
MOST_STEPS = 100_000
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


def pictures(name: str, batch: tf.Tensor, shortest: int = SHORTEST) -> tf.Tensor:
    """Check a batch of pictures.

    Args:
        name: of the input.
        batch: float32 [B, H, W, 3].
        shortest: the least that a side may have, in pixels.

    Returns:
        The batch, if it is not empty, its values are in [0, 1], and its sides long enough and not
        too different.
    """
    shape = tf.shape(batch)
    long, short = tf.reduce_max(shape[1:3]), tf.reduce_min(shape[1:3])
    whole = (shape[0] > 0) & (short >= shortest) & (long <= NARROWEST * short)
    sides = f"{name}: expected sides from {shortest} px, at most 1 to {NARROWEST}, got the shape"
    least, most = tf.reduce_min(batch), tf.reduce_max(batch)
    return expect(
        batch,
        (whole, sides, shape),
        ((least >= 0) & (most <= 1), f"{name}: expected values in [0, 1], got", [least, most]),
    )


def single(name: str, batch: tf.Tensor, shortest: int = SHORTEST) -> tf.Tensor:
    """Check a batch of one picture.

    Args:
        name: of the input.
        batch: float32 [1, H, W, 3].
        shortest: as of `pictures`.

    Returns:
        The batch, if it is one of one, and as of `pictures`.
    """
    count = tf.shape(batch)[0]
    one = expect(batch, (count == 1, f"{name}: expected one picture, got", count))
    return pictures(name, one, shortest)


def file(name: str, encoded: tf.Tensor) -> tf.Tensor:
    """Check the beginning of a picture file.

    Args:
        name: of the input.
        encoded: string.

    Returns:
        The same, if it begins as a JPEG or a PNG file does.
    """
    known = [begins(encoded, JPEG), begins(encoded, PNG)]
    found = tf.strings.length(encoded)
    message = f"{name}: expected a JPEG or PNG file, got something else, of so many bytes:"
    return expect(encoded, (tf.reduce_any(known), message, found))


def begins(encoded: tf.Tensor, beginning: bytes) -> tf.Tensor:
    """Whether a file begins so.

    Args:
        encoded: string.
        beginning: its first bytes.

    Returns:
        A boolean scalar.
    """
    return tf.strings.substr(encoded, 0, len(beginning)) == beginning


def weight(name: str, value: tf.Tensor) -> tf.Tensor:
    """Check a weight.

    Args:
        name: of the input.
        value: float32 scalar.

    Returns:
        The same, if it is finite and not negative.
    """
    fit = (value >= 0) & tf.math.is_finite(value)
    return expect(value, (fit, f"{name}: expected a number from 0, got", value))


def steps(value: tf.Tensor) -> tf.Tensor:
    """Check a number of steps.

    Args:
        value: int32 scalar.

    Returns:
        The same, if it is from 1 to `MOST_STEPS`.
    """
    fit = (value >= 1) & (value <= MOST_STEPS)
    return expect(value, (fit, f"steps: expected 1 to {MOST_STEPS}, got", value))


def expect(value: tf.Tensor, *conditions: tuple[tf.Tensor, str, Any]) -> tf.Tensor:
    """Check conditions.

    Args:
        value: any tensor.
        *conditions: what must be true, what was expected, and what was found.

    Returns:
        The value, once all are true.
    """
    checks = [tf.debugging.Assert(met, [message, found]) for met, message, found in conditions]
    with tf.control_dependencies(checks):
        return tf.identity(value)
