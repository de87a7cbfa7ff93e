"""The loops that race: each an iterator that takes a step and gives access to its image.

The clock runs while an iterator is asked for its next step. So style targets and tracing are inside
the clock; reading files and loading weights come before.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytorch
import tensorflow as tf
from problem import Problem
from race import GetImage, Steps
from scipy.optimize import minimize
from stepwise import stepwise

from nst_tf import Settings, Style, optimize
from nst_tf.networks import precision, vgg
from nst_tf.run.session import Session

_KERAS_IO_CONTENT, _KERAS_IO_STYLE, _KERAS_IO_TV = 2.5e-8, 1e-6, 1e-6


def nst_tf(problem: Problem) -> Steps:
    """nst_tf, from coarse to fine; there is no image before the last scale."""
    return _optimize(problem, problem.settings)


def nst_tf_longer(problem: Problem, image: np.ndarray) -> Steps:
    """nst_tf at the final size alone, from its own result [1, H, W, 3], without an end."""
    settings = replace(problem.settings, scales=1, steps=10**6, init="image")
    return _optimize(problem, settings, start=image[0])


def tutorial(problem: Problem, steps: int) -> Steps:
    """The TensorFlow tutorial's loop: Adam at one scale in float32.

    https://www.tensorflow.org/tutorials/generative/style_transfer. Its epsilon of 0.1 belongs to
    the magnitude of its own loss; here it is 1e-8.
    """
    optimizer = tf.keras.optimizers.Adam(0.02, 0.99, 0.999, epsilon=1e-8)
    stream = _gradient_descent(problem, optimizer)
    for _ in range(steps):
        yield next(stream)


def keras_io(problem: Problem, factor: float) -> Steps:
    """The loop of keras.io's example: gradient descent with a decaying learning rate.

    https://keras.io/examples/generative/neural_style_transfer. Its image is in [0, 255], and so is
    the variable here. The objective is multiplied by `factor`, see `keras_io_factor`.
    """
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(
        initial_learning_rate=100.0, decay_steps=100, decay_rate=0.96
    )
    optimizer = tf.keras.optimizers.SGD(schedule)
    return _gradient_descent(problem, optimizer, max_value=255.0, factor=factor)


def keras_io_factor(problem: Problem) -> float:
    """The norm of the first gradient of keras.io's example, over that of our objective."""
    settings = replace(problem.settings, content_layers=("block5_conv2",))
    network = vgg.extractor_from_settings(settings, "float32")
    height, width = problem.start.shape[1:3]
    start = tf.constant(problem.start)
    # The example brings the style image to the content image's own shape.
    style_image = tf.image.resize(problem.scaled_style, (height, width), "bicubic", antialias=True)
    style, content = network(style_image)["style"], network(start)["content"]["block5_conv2"]
    with tf.GradientTape() as tape:
        tape.watch(start)
        features = network(start)
        error = _squared_error(features["content"]["block5_conv2"], content)
        loss = _KERAS_IO_CONTENT * error
        for name, layer in features["style"].items():
            error = _squared_error(_gram_sum(layer), _gram_sum(style[name]))
            error /= 4.0 * 3**2 * (height * width) ** 2
            loss += _KERAS_IO_STYLE / len(features["style"]) * error
        loss += _KERAS_IO_TV * _keras_io_variation(255.0 * start)
    theirs = tf.norm(tape.gradient(loss, start))
    _, gradient = problem.objective().value_and_grad(tf.constant(problem.start))
    return float(theirs / tf.norm(gradient))


def torch_lbfgs(problem: Problem, weights: pytorch.Weights) -> Steps:
    """PyTorch's L-BFGS on the weights of `pytorch.load`; each closure call is a step."""
    for image in pytorch.lbfgs(weights, problem.start, problem.scaled_style, problem.settings):
        yield lambda image=image: pytorch.as_array(image)


def scipy_lbfgsb(problem: Problem) -> Steps:
    """SciPy's L-BFGS-B within [0, 1] around a compiled step; each evaluation is a step."""

    def run(report: Callable[[GetImage], None]) -> None:
        value_and_grad = tf.function(problem.objective().value_and_grad)
        best_loss, best = math.inf, problem.start

        def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal best_loss, best
            image = flat.astype(np.float32).reshape(problem.start.shape)
            losses, gradient = value_and_grad(tf.constant(image))
            loss = float(losses.total)
            if loss < best_loss:
                best_loss, best = loss, image
            report(lambda: best)
            return loss, gradient.numpy().astype(np.float64).ravel()

        endless = {"maxcor": 10, "maxiter": 10**9, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}
        flat = problem.start.astype(np.float64).ravel()
        bounds = [(0.0, 1.0)] * flat.size
        minimize(evaluate, flat, jac=True, method="L-BFGS-B", bounds=bounds, options=endless)

    return stepwise(run)


def _optimize(problem: Problem, settings: Settings, start: np.ndarray | None = None) -> Steps:
    """A run of nst_tf; its network is loaded now, all else with the first step."""
    styles, session = [Style(problem.style)], Session()
    session.begin(replace(settings, precision=precision.resolve(settings.precision)), styles)

    def run() -> Steps:
        for progress in optimize(problem.content, styles, settings, start=start, session=session):
            at_final_size = progress.scale == len(progress.scales) - 1
            yield (lambda last=progress: last.image()[np.newaxis]) if at_final_size else None

    return run()


def _gradient_descent(
    problem: Problem,
    optimizer: tf.keras.optimizers.Optimizer,
    max_value: float = 1.0,
    factor: float = 1.0,
) -> Steps:
    """Gradient descent as the tutorial writes it: evaluate, apply, clip.

    keras.io's example does not clip its variable, only the finished image.
    """
    objective = problem.objective()
    image = tf.Variable(problem.start * max_value)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = factor * objective.value(image / max_value).total
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, max_value))

    while True:
        step()
        yield lambda: image.numpy() / max_value


def _squared_error(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.math.squared_difference(features, target))


def _gram_sum(features: tf.Tensor) -> tf.Tensor:
    return tf.einsum("bijc,bijd->bcd", features, features)


def _keras_io_variation(image: tf.Tensor) -> tf.Tensor:
    corner = image[:, :-1, :-1]
    down = tf.square(corner - image[:, 1:, :-1])
    right = tf.square(corner - image[:, :-1, 1:])
    return tf.reduce_sum(tf.pow(down + right, 1.25))
