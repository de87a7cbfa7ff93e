"""What parts of nst_tf's step take by themselves."""

from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np
import tensorflow as tf
from limit import Convolution

from nst_tf.coarse_to_fine import optimizer_from_settings
from nst_tf.losses.terms import Losses
from nst_tf.settings import Settings


def timers(
    network: Iterable[Convolution], content: np.ndarray, settings: Settings
) -> dict[str, Callable[[], float]]:
    """A function for each part that does it once and returns the seconds; they are warm.

    Args:
        network: the convolutions, computed forward and back to their input.
        content: the content image, float32 sRGB [H, W, 3] in [0, 1].
        settings: the optimizer, and the convolutions' type.
    """
    calls = [call for each in network for call in _forward_and_back(each, settings.precision)]

    def convolve() -> float:
        started = perf_counter()
        for call in calls:
            call()
        return perf_counter() - started

    parts = {"convolutions": convolve, "optimizer": _optimizer(content, settings)}
    for part in parts.values():
        part()
        part()
    return parts


def _forward_and_back(each: Convolution, precision: str) -> list[Callable[[], np.ndarray]]:
    def operand(*shape: int) -> tf.Tensor:
        return tf.cast(tf.random.stateless_normal(shape, (0, 0)), precision)

    kernel = operand(3, 3, each.in_channels, each.out_channels)
    inputs = operand(1, each.height, each.width, each.in_channels)
    outputs = operand(1, each.height, each.width, each.out_channels)
    forward = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
    back = tf.function(lambda x: tf.nn.conv2d_transpose(x, kernel, inputs.shape, 1, "SAME"))
    # Fetching one number waits for a device that works asynchronously.
    return [
        lambda: forward(inputs)[0, 0, 0, 0].numpy(),
        lambda: back(outputs)[0, 0, 0, 0].numpy(),
    ]


def _optimizer(content: np.ndarray, settings: Settings) -> Callable[[], float]:
    """Steps on a linear function: next to no work to evaluate, and every step decreases it."""
    optimizer = optimizer_from_settings(settings, settings.lbfgs_history)
    slope = tf.random.stateless_normal((1, *content.shape), (0, 1))

    def linear(x: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        total, zero = tf.reduce_sum(slope * x), tf.constant(0.0)
        return Losses(total, total, zero, zero), slope

    step = tf.function(lambda state: optimizer.step(state, linear))
    state = optimizer.init(tf.constant(content[np.newaxis]), (0.0, 1.0))

    def seconds() -> float:
        nonlocal state
        started = perf_counter()
        state, evaluation = step(state)
        evaluation.finite.numpy()
        return perf_counter() - started

    return seconds
