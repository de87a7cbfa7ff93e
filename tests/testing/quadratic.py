"""Functions with known minima for the optimizers' tests, as `value_and_grad(x)`."""

import tensorflow as tf

from nst_tf.losses.terms import Losses


def losses_of(total):
    return Losses(total, total, tf.constant(0.0), tf.constant(0.0))


def quadratic(curvature, minimum):
    def value_and_grad(x):
        difference = x - tf.cast(minimum, x.dtype)
        slope = tf.cast(curvature, x.dtype) * difference
        return losses_of(tf.reduce_sum(slope * difference)), 2 * slope

    return value_and_grad


def run(optimizer, state, value_and_grad, steps):
    """The state after so many steps, and the last evaluation."""
    for _ in range(steps):
        state, evaluation = optimizer.step(state, value_and_grad)
    return state, evaluation


def run_in_graph(optimizer, state, value_and_grad, steps):
    """The state after so many steps in one loop of a graph."""

    @tf.function
    def loop(state):
        return tf.while_loop(
            lambda i, _: i < steps,
            lambda i, state: (i + 1, optimizer.step(state, value_and_grad)[0]),
            [0, state],
        )

    return loop(state)[1]


class Quadratic:
    """An objective: the squared distance of the image from its target."""

    tiled = False

    def __init__(self, targets):
        self.targets = targets

    def with_targets(self, targets):
        return Quadratic(targets)

    def value_and_grad(self, image):
        difference = image - self.targets
        return losses_of(tf.reduce_sum(difference**2)), 2 * difference
