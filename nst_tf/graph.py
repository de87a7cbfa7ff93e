"""The coarse-to-fine loop of `transfer.py` as one graph, made of the same pieces.

It sees pictures whole. Their sizes, the steps and the weights are known only when it runs.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from nst_tf import scales, transfer
from nst_tf.image import resize
from nst_tf.objective import Network, Objective, Weights
from nst_tf.settings import Settings


class Painted(NamedTuple):
    """The finished picture [1, H, W, 3], and the total that each step evaluated, float32 [n]."""

    image: tf.Tensor
    totals: tf.Tensor


def paint(
    network: Network,
    content: tf.Tensor,
    style: tf.Tensor,
    settings: Settings,
    *,
    steps: tf.Tensor,
    weights: Weights,
) -> Painted:
    """Repaint a photograph in the manner of a painting.

    Args:
        network: as the model of `features.extractor`.
        content: float32 sRGB [1, H, W, 3] in [0, 1].
        style: float32 sRGB [1, h, w, 3] in [0, 1].
        settings: the other knobs; precision no longer `auto`, init content or noise.
        steps: as `settings.steps`, int32 scalar.
        weights: of the terms.

    Returns:
        What `transfer.stylize` gives with the same knobs, and the totals of all scales in order.

    Raises:
        tf.errors.InvalidArgumentError: when it runs, where `transfer.optimize` has an InputError.
    """
    content, style = _checked_picture("content", content), _checked_picture("style", style)
    sizes = _checked_scales(scales.pyramid(*_sides(content), settings))
    counts = scales.schedule(sizes, _checked_knobs(steps, weights))
    optimizer = transfer.optimizer_of(settings, settings.history)

    def at_scale(index: tf.Tensor, taken: tf.Tensor, state: Any, totals: tf.TensorArray):
        height, width = sizes[index, 0], sizes[index, 1]
        photograph = resize(content, height, width)
        fitted = scales.fit(*_sides(style), tf.maximum(height, width))
        painting = resize(style, fitted[0], fitted[1])
        objective = Objective(network, photograph, [(painting, 1.0)], settings, weights=weights)
        state = optimizer.resize(state, resize(state.image, height, width))

        def take_step(taken: tf.Tensor, state: Any, totals: tf.TensorArray):
            state, (losses, _) = optimizer.step(state, objective.value_and_grad)
            return taken + 1, state, totals.write(taken, losses.total)

        end = taken + counts[index]
        return index + 1, *_loop(lambda taken, *_: taken < end, take_step, (taken, state, totals))

    first = transfer.first_image(content, settings, sizes[0, 0], sizes[0, 1])
    state = optimizer.init(first, bounds=(0.0, 1.0))
    totals = tf.TensorArray(tf.float32, tf.reduce_sum(counts))
    count = tf.size(counts)
    _, _, state, totals = _loop(lambda index, *_: index < count, at_scale, (0, 0, state, totals))
    return Painted(state.image, totals.stack())


def _loop(condition: Callable, body: Callable, start: tuple) -> tuple:
    # Several iterations at once would only take more memory.
    return tf.while_loop(condition, body, start, parallel_iterations=1)


def _sides(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(picture)
    return shape[1], shape[2]


def _checked_picture(name: str, picture: tf.Tensor) -> tf.Tensor:
    sides = tf.shape(picture)[1:3]
    long, short = tf.reduce_max(sides), tf.reduce_min(sides)
    least, most = tf.reduce_min(picture), tf.reduce_max(picture)
    narrow = f"{name}: expected sides that are at most 1 to {scales.NARROWEST}, got"
    return _expect(
        picture,
        ((short > 0) & (long <= scales.NARROWEST * short), narrow, sides),
        ((least >= 0) & (most <= 1), f"{name}: expected values in [0, 1], got", [least, most]),
    )


def _checked_scales(sizes: tf.Tensor) -> tf.Tensor:
    small = f"content: expected sides of {scales.SHORTEST} px or more at each scale, got"
    return _expect(sizes, (tf.reduce_min(sizes) >= scales.SHORTEST, small, sizes))


def _checked_knobs(steps: tf.Tensor, weights: Weights) -> tf.Tensor:
    def fit(weight: tf.Tensor) -> tf.Tensor:
        return (weight >= 0) & tf.math.is_finite(weight)

    return _expect(
        steps,
        (steps >= 1, "steps: expected 1 or more, got", steps),
        (fit(weights.content), "content_weight: expected a number from 0, got", weights.content),
        (fit(weights.tv), "tv_weight: expected a number from 0, got", weights.tv),
    )


def _expect(value: tf.Tensor, *conditions: tuple[tf.Tensor, str, Any]) -> tf.Tensor:
    """The value, once all conditions have been found true; else an error with its message."""
    checks = [tf.debugging.Assert(met, [message, found]) for met, message, found in conditions]
    with tf.control_dependencies(checks):
        return tf.identity(value)
