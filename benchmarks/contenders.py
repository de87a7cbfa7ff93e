"""The loops that race: each a generator that takes a step and yields how to see its picture.

The clock runs while a generator is asked for its next step. So the targets and the tracing are
inside the clock, and reading files and loading weights, done before, are not.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytorch
import tensorflow as tf
from problem import Problem, network
from scipy.optimize import minimize
from stepwise import stepwise

from nst_tf import Style, optimize

# A look at the picture, [1, H, W, 3] in [0, 1]; None while it does not have its final size.
Look = Callable[[], np.ndarray] | None
_KERAS_IO_CONTENT, _KERAS_IO_STYLE, _KERAS_IO_TV = 2.5e-8, 1e-6, 1e-6


def nst_tf(problem: Problem) -> Iterator[Look]:
    """This program, from coarse to fine.

    Args:
        problem: the pair.

    Yields:
        Nothing to look at until the last scale, then the picture.
    """
    style = Style(problem.painting)
    for progress in optimize(problem.photograph, [style], problem.settings):
        final = progress.scale == len(progress.scales) - 1
        yield _see(progress) if final else None


def nst_tf_longer(problem: Problem, picture: np.ndarray) -> Iterator[Look]:
    """This program going on from its own result at the final size, until it is left.

    Args:
        problem: the pair.
        picture: what it has painted, [1, H, W, 3].

    Yields:
        The picture.
    """
    settings = replace(problem.settings, scales=1, steps=10**6, init="picture")
    style = Style(problem.painting)
    for progress in optimize(problem.photograph, [style], settings, start=picture[0]):
        yield _see(progress)


def tutorial(problem: Problem, steps: int) -> Iterator[Look]:
    """The TensorFlow tutorial's loop: Adam at one scale in float32.

    https://www.tensorflow.org/tutorials/generative/style_transfer. Its epsilon of 0.1 belongs to
    the magnitude of its own loss; here it is 1e-8.

    Args:
        problem: the pair.
        steps: how many.

    Yields:
        The picture.
    """
    optimizer = tf.keras.optimizers.Adam(0.02, 0.99, 0.999, epsilon=1e-8)
    stream = _descend(problem, optimizer)
    for _ in range(steps):
        yield next(stream)


def keras_io(problem: Problem, factor: float) -> Iterator[Look]:
    """The loop of keras.io's example: plain gradient descent whose rate decays.

    https://keras.io/examples/generative/neural_style_transfer. Its picture lives in units of
    1/255, so that is what the variable has here.

    Args:
        problem: the pair.
        factor: what the objective is multiplied by, of `keras_io_factor`.

    Yields:
        The picture.
    """
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(
        initial_learning_rate=100.0, decay_steps=100, decay_rate=0.96
    )
    return _descend(problem, tf.keras.optimizers.SGD(schedule), unit=255.0, factor=factor)


def keras_io_factor(problem: Problem) -> float:
    """What gives the objective the first gradient that keras.io's example has with its own loss.

    Args:
        problem: the pair.

    Returns:
        The ratio of the two gradients' Euclidean lengths, keras.io's over ours.
    """
    look = network(problem.settings, content_layers=("block5_conv2",))
    height, width = problem.start.shape[1:3]
    start = tf.constant(problem.start)
    # The example brings the painting to the photograph's own shape.
    painting = look(tf.image.resize(problem.style, (height, width), "bicubic", antialias=True))
    content = look(start)["content"]["block5_conv2"]
    with tf.GradientTape() as tape:
        tape.watch(start)
        found = look(start)
        loss = _KERAS_IO_CONTENT * _distance(found["content"]["block5_conv2"], content)
        for name, layer in found["style"].items():
            style = _distance(_sum_gram(layer), _sum_gram(painting["style"][name]))
            style /= 4.0 * 3**2 * (height * width) ** 2
            loss += _KERAS_IO_STYLE / len(found["style"]) * style
        loss += _KERAS_IO_TV * _keras_io_variation(255.0 * start)
    theirs = tf.norm(tape.gradient(loss, start))
    _, ours = problem.objective().value_and_grad(tf.constant(problem.start))
    return float(theirs / tf.norm(ours))


def torch_lbfgs(problem: Problem, weights: pytorch.Weights) -> Iterator[Look]:
    """PyTorch's L-BFGS on the same weights; each closure call is a step.

    Args:
        problem: the pair.
        weights: of `pytorch.load`.

    Yields:
        The best picture so far.
    """
    for picture in pytorch.lbfgs(weights, problem.start, problem.style, problem.settings):
        yield lambda picture=picture: pytorch.as_array(picture)


def scipy_lbfgsb(problem: Problem) -> Iterator[Look]:
    """SciPy's L-BFGS-B within [0, 1] around a compiled step; each evaluation is a step.

    Args:
        problem: the pair.

    Yields:
        The best picture so far.
    """

    def run(report: Callable[[Look], None]) -> None:
        value_and_grad = tf.function(problem.objective().value_and_grad)
        least, best = math.inf, problem.start

        def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal least, best
            picture = flat.astype(np.float32).reshape(problem.start.shape)
            losses, gradient = value_and_grad(tf.constant(picture))
            loss = float(losses.total)
            if loss < least:
                least, best = loss, picture
            report(lambda: best)
            return loss, gradient.numpy().astype(np.float64).ravel()

        endless = {"maxcor": 10, "maxiter": 10**9, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}
        flat = problem.start.astype(np.float64).ravel()
        bounds = [(0.0, 1.0)] * flat.size
        minimize(evaluate, flat, jac=True, method="L-BFGS-B", bounds=bounds, options=endless)

    return stepwise(run)


def _see(progress) -> Look:
    return lambda: progress.image()[np.newaxis]


def _descend(
    problem: Problem, optimizer: tf.keras.optimizers.Optimizer, unit: float = 1.0, factor=1.0
) -> Iterator[Look]:
    """Gradient descent as the tutorial writes it: evaluate, apply, clip.

    The clipping is not in keras.io's example, whose finished picture alone is clipped.
    """
    objective = problem.objective()
    picture = tf.Variable(problem.start * unit)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = factor * objective.value(picture / unit).total
        optimizer.apply_gradients([(tape.gradient(loss, picture), picture)])
        picture.assign(tf.clip_by_value(picture, 0.0, unit))

    while True:
        step()
        yield lambda: picture.numpy() / unit


def _distance(found: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.math.squared_difference(found, target))


def _sum_gram(features: tf.Tensor) -> tf.Tensor:
    return tf.einsum("bijc,bijd->bcd", features, features)


def _keras_io_variation(picture: tf.Tensor) -> tf.Tensor:
    corner = picture[:, :-1, :-1]
    down = tf.square(corner - picture[:, 1:, :-1])
    right = tf.square(corner - picture[:, :-1, 1:])
    return tf.reduce_sum(tf.pow(down + right, 1.25))
