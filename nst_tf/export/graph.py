"""The coarse-to-fine loop of `transfer.py` as one graph, made of the same pieces.

It sees pictures whole. Their sizes, the steps and the weights are known only when it runs.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from nst_tf import transfer
from nst_tf.export import checks
from nst_tf.images.image_io import resize
from nst_tf.losses.objective import Objective, Weights
from nst_tf.losses.style_targets import Painting
from nst_tf.networks.vgg import Network
from nst_tf.run import problem, pyramid
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
    content, style = checks.single("content", content), checks.single("style", style, shortest=1)
    sizes = pyramid.pyramid(*_sides(content), settings)
    small = f"content: expected sides from {pyramid.SHORTEST} px at each scale, got"
    sizes = checks.expect(sizes, (tf.reduce_min(sizes) >= pyramid.SHORTEST, small, sizes))
    counts = pyramid.schedule(tf.shape(sizes)[0], checks.steps(steps))
    weights = Weights(
        checks.weight("content_weight", weights.content),
        weights.style,
        checks.weight("tv_weight", weights.tv),
    )
    optimizer = transfer.optimizer_of(settings, settings.history)

    def at_scale(index: tf.Tensor, taken: tf.Tensor, state: Any, totals: tf.TensorArray):
        height, width = sizes[index, 0], sizes[index, 1]
        photograph = resize(content, height, width)
        painting = Painting(_fit(style, settings.style_scale, tf.maximum(height, width)))
        objective = Objective(network, photograph, [painting], settings, weights=weights)
        last = tf.shape(state.image)
        coarse = resize(content, last[1], last[2])
        enlarged = problem.enlarge(state.image, coarse, photograph, settings)
        state = optimizer.resize(state, tf.ensure_shape(enlarged, [1, None, None, 3]))

        def take_step(taken: tf.Tensor, state: Any, totals: tf.TensorArray):
            state, (losses, *_) = optimizer.step(state, objective.value_and_grad)
            return taken + 1, state, totals.write(taken, losses.total)

        end = taken + counts[index]
        return index + 1, *_loop(lambda taken, *_: taken < end, take_step, (taken, state, totals))

    first = problem.first_image(content, settings, sizes[0, 0], sizes[0, 1])
    state = optimizer.init(first, bounds=(0.0, 1.0))
    totals = tf.TensorArray(tf.float32, tf.reduce_sum(counts))
    count = tf.size(counts)
    _, _, state, totals = _loop(lambda index, *_: index < count, at_scale, (0, 0, state, totals))
    return _finite(Painted(state.image, totals.stack()))


def _finite(painted: Painted) -> Painted:
    """The same, if it is a picture of numbers."""
    numbers = tf.reduce_all(tf.math.is_finite(painted.image))
    numbers &= tf.reduce_any(tf.math.is_finite(painted.totals))
    message = "losses: are not numbers; export with --precision=float32; the last one:"
    image = checks.expect(painted.image, (numbers, message, painted.totals[-1]))
    return Painted(image, painted.totals)


def _loop(condition: Callable, body: Callable, start: tuple) -> tuple:
    # Several iterations at once would only take more memory.
    return tf.while_loop(condition, body, start, parallel_iterations=1)


def _fit(painting: tf.Tensor, style_scale: float, long_side: tf.Tensor) -> tf.Tensor:
    """A painting at the scale of that long side."""
    wanted = tf.round(style_scale * tf.cast(long_side, tf.float64))
    size = pyramid.fit(*_sides(painting), tf.cast(wanted, tf.int64))
    return resize(painting, size[0], size[1])


def _sides(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(picture)
    return shape[1], shape[2]
