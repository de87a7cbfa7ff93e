"""What parts of this program's step take by themselves."""

from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np
import tensorflow as tf
from limit import Convolution

from nst_tf.losses.terms import Losses
from nst_tf.settings import Settings
from nst_tf.transfer import optimizer_of


def timers(
    network: Iterable[Convolution], content: np.ndarray, settings: Settings
) -> dict[str, Callable[[], float]]:
    """A function for each part that does it once and returns the seconds.

    Args:
        network: the convolutions, done forward and back to their input.
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        settings: the optimizer, and the convolutions' type.

    Returns:
        Functions by the names of the parts; they are warm.
    """
    calls = [call for each in network for call in _both_ways(each, settings.precision)]

    def convolve() -> float:
        began = perf_counter()
        for call in calls:
            call()
        return perf_counter() - began

    parts = {"convolutions": convolve, "optimizer": _optimizer(content, settings)}
    for part in parts.values():
        part()
        part()
    return parts


def _both_ways(each: Convolution, precision: str) -> list[Callable[[], np.ndarray]]:
    def operand(*shape: int) -> tf.Tensor:
        return tf.cast(tf.random.stateless_normal(shape, (0, 0)), precision)

    kernel = operand(3, 3, each.before, each.after)
    before = operand(1, each.height, each.width, each.before)
    after = operand(1, each.height, each.width, each.after)
    forward = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
    back = tf.function(lambda x: tf.nn.conv2d_transpose(x, kernel, before.shape, 1, "SAME"))
    # Fetching one number waits for a device that works asynchronously.
    return [
        lambda: forward(before)[0, 0, 0, 0].numpy(),
        lambda: back(after)[0, 0, 0, 0].numpy(),
    ]


def _optimizer(content: np.ndarray, settings: Settings) -> Callable[[], float]:
    """Steps down a plane, which is next to no work to evaluate and falls wherever one goes."""
    optimizer = optimizer_of(settings, settings.history)
    slope = tf.random.stateless_normal((1, *content.shape), (0, 1))

    def plane(x: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        total, nothing = tf.reduce_sum(slope * x), tf.constant(0.0)
        return Losses(total, total, nothing, nothing), slope

    step = tf.function(lambda state: optimizer.step(state, plane))
    state = optimizer.init(tf.constant(content[np.newaxis]), (0.0, 1.0))

    def seconds() -> float:
        nonlocal state
        began = perf_counter()
        state, evaluation = step(state)
        evaluation.finite.numpy()
        return perf_counter() - began

    return seconds
