"""The loop of `coarse_to_fine.py` as one graph, made of the same parts, without tiles."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from nst_tf import coarse_to_fine
from nst_tf.export import checks
from nst_tf.images.pixels import resize
from nst_tf.losses.objective import Objective, Weights, style_statistic
from nst_tf.losses.style_targets import StyleImage, StyleTarget, compute_style_targets
from nst_tf.losses.terms import StyleStatistic
from nst_tf.networks.scroll import split_scroll
from nst_tf.networks.vgg import Network
from nst_tf.run import canvas, pyramid, scale_problem
from nst_tf.settings import Settings
from nst_tf.style import SCROLL_RATIO


class Stylized(NamedTuple):
    """The stylized image, float32 [1, H, W, 3], and the total loss of each step, float32 [n]."""

    image: tf.Tensor
    totals: tf.Tensor


def stylize_graph(
    network: Network,
    content: tf.Tensor,
    style: tf.Tensor,
    settings: Settings,
    *,
    steps: tf.Tensor,
    weights: Weights,
) -> Stylized:
    """`stylize` of images, steps and weights that are known only when the graph runs."""
    content = checks.single_image("content", content)
    style = checks.single_image("style", style, pyramid.MIN_STYLE_SIDE)
    pieces = split_scroll(style, SCROLL_RATIO)
    sizes = _scale_sizes(content, settings)
    scale_steps = pyramid.schedule(tf.shape(sizes)[0], checks.steps(steps))
    weights = Weights(
        checks.weight("content_weight", weights.content),
        weights.style,
        checks.weight("tv_weight", weights.tv),
    )
    statistic, cell = style_statistic(settings), canvas.cell_side(settings)
    optimizer = coarse_to_fine.optimizer_from_settings(settings, settings.lbfgs_history)

    def optimize_scale(scale: tf.Tensor, taken: tf.Tensor, state: Any, totals: tf.TensorArray):
        fine = resize(content, sizes[scale, 0], sizes[scale, 1])
        last = sizes[tf.maximum(scale - 1, 0)]
        image = canvas.crop(state.image, (last[0], last[1]), cell)
        targets = _style_targets(network, pieces, tf.reduce_max(sizes[scale]), statistic, settings)
        objective = Objective(
            network, canvas.pad(fine, cell), targets, settings, statistic, weights=weights
        )
        coarse = resize(content, last[0], last[1])
        enlarged = canvas.pad(scale_problem.enlarge(image, coarse, fine, settings), cell)
        state = optimizer.resize(state, tf.ensure_shape(enlarged, [1, None, None, 3]))

        def take_step(taken: tf.Tensor, state: Any, totals: tf.TensorArray):
            state, (losses, *_) = optimizer.step(state, objective.value_and_grad)
            return taken + 1, state, totals.write(taken, losses.total)

        end = taken + scale_steps[scale]
        return scale + 1, *_loop(lambda taken, *_: taken < end, take_step, (taken, state, totals))

    start = scale_problem.start_image(content, settings, sizes[0, 0], sizes[0, 1])
    state = optimizer.init(canvas.pad(start, cell), bounds=(0.0, 1.0))
    totals = tf.TensorArray(tf.float32, tf.reduce_sum(scale_steps))
    scales = tf.size(scale_steps)
    _, _, state, totals = _loop(
        lambda scale, *_: scale < scales, optimize_scale, (0, 0, state, totals)
    )
    image = canvas.crop(state.image, (sizes[-1, 0], sizes[-1, 1]), cell)
    return _finite(image, totals.stack())


def _scale_sizes(content: tf.Tensor, settings: Settings) -> tf.Tensor:
    """The (height, width) of each scale, int32 [scales, 2]."""
    sizes = pyramid.pyramid(*_height_width(content), settings)
    message = f"content: expected sides from {pyramid.MIN_SIDE} px at each scale, got"
    return checks.require(sizes, (tf.reduce_min(sizes) >= pyramid.MIN_SIDE, message, sizes))


def _style_targets(
    network: Network,
    pieces: tf.Tensor,
    long_side: tf.Tensor,
    statistic: StyleStatistic,
    settings: Settings,
) -> list[StyleTarget]:
    """The target at the scale of that long side: the mean over the pieces of the style image."""
    style_side = tf.round(settings.style_scale * tf.cast(long_side, tf.float64))
    size = pyramid.fit_style_size(*_height_width(pieces), tf.cast(style_side, tf.int64))

    def statistics(piece: tf.Tensor) -> dict[str, tf.Tensor]:
        style_image = StyleImage(resize(piece[tf.newaxis], size[0], size[1]))
        (target,) = compute_style_targets(network, [style_image], statistic)
        return target.statistics

    # One by one, since the features of all together would take as many times the memory.
    types = {name: tf.float32 for name in settings.style_layers}
    parts = tf.map_fn(statistics, pieces, fn_output_signature=types, parallel_iterations=1)
    means = {name: tf.reduce_mean(part, axis=0) for name, part in parts.items()}
    return [StyleTarget(means, weight=1.0, mask=None)]


def _finite(image: tf.Tensor, totals: tf.Tensor) -> Stylized:
    """The result if its image is finite; a step that is not accepted may have an infinite loss."""
    valid = tf.reduce_all(tf.math.is_finite(image)) & tf.reduce_any(tf.math.is_finite(totals))
    message = "losses: are not finite; export with --precision=float32; the last one:"
    return Stylized(checks.require(image, (valid, message, totals[-1])), totals)


def _loop(condition: Callable, body: Callable, start: tuple) -> tuple:
    # Parallel iterations would only take more memory.
    return tf.while_loop(condition, body, start, parallel_iterations=1)


def _height_width(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(image)
    return shape[1], shape[2]
