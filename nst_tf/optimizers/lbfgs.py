"""L-BFGS within bounds, preconditioned by a filter and by the size of gradients.

Nocedal & Wright 2006, "Numerical Optimization"; names are theirs: s and y are the steps and the
changes of the gradient, alpha is the step length, c1 the constant of sufficient decrease.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from nst_tf.optimizers.base import (
    UNBOUNDED,
    Bounds,
    Evaluation,
    ValueAndGrad,
    all_finite,
    clip,
)

Filter = Callable[[tf.Tensor], tf.Tensor]


class Pair(NamedTuple):
    """A step s, the change y of the gradient along it, and sᵀy, which is 0 for no pair."""

    s: tf.Tensor
    y: tf.Tensor
    sy: tf.Tensor


class LbfgsState(NamedTuple):
    """The best image so far, to within `noise`, and the line search from it.

    Attributes:
        image: the best image.
        bounds: of its pixels, float32 [2].
        lowest: the lowest total evaluated.
        total: the image's own.
        gradient: the image's own.
        square: a decaying sum of the squared gradients of accepted images.
        direction: of the line search.
        alpha: the step length of `trial` along the direction.
        trial: the image that the next step evaluates.
        history: the oldest pair first, each in tensors of its own, so that a step passes them on
            uncopied.
    """

    image: tf.Tensor
    bounds: tf.Tensor
    lowest: tf.Tensor
    total: tf.Tensor
    gradient: tf.Tensor
    square: tf.Tensor
    direction: tf.Tensor
    alpha: tf.Tensor
    trial: tf.Tensor
    history: tuple[Pair, ...]


@dataclass(frozen=True)
class Lbfgs:
    """Limited-memory BFGS, algorithm 7.5, with the departures that follow.

    The line search backtracks until the decrease is sufficient (algorithm 3.1), without the second
    Wolfe condition, so pairs without positive curvature are left out. A pixel that is at a bound
    and would move outward rests for that step, and the history counts only where pixels move
    (gradient projection, section 16.7). The first guess of the inverse Hessian is D P D in place of
    the identity, where P is `precondition`, a symmetric positive filter, and D the diagonal of
    `_diagonal`; its scale gamma is `initial_scale` times that of equation 7.20.
    """

    history: int
    precondition: Filter = tf.identity
    # How much further pixels with small gradients move: 0 leaves them as they are, 1 divides by
    # the gradient's size, much as Adam does.
    diagonal_exponent: float = 0.0
    # Above 1, because most directions are flatter than the few that the history has met.
    initial_scale: float = 1.0
    # Root mean square of the first step, in units of the variable. With 0.03 it left lace in skies,
    # which the few steps of a fine scale did not remove.
    first_step: float = 0.01
    c1: float = 1e-4
    # Relative error of totals. Without this allowance above the lowest total, one that once came
    # out too low would refuse every later trial.
    noise: float = 0.0

    def init(self, image: tf.Tensor, bounds: Bounds = UNBOUNDED) -> LbfgsState:
        """The state before the first step, which evaluates the image, float32 of any shape."""
        zeros = tf.zeros_like(image)
        no_pair = Pair(zeros, zeros, tf.constant(0.0))
        return LbfgsState(
            image=image,
            bounds=tf.constant(bounds, tf.float32),
            lowest=tf.constant(float("inf")),
            total=tf.constant(float("inf")),
            gradient=zeros,
            square=zeros,
            direction=zeros,
            alpha=tf.constant(0.0),
            trial=image,
            history=(no_pair,) * self.history,
        )

    def step(
        self, state: LbfgsState, value_and_grad: ValueAndGrad
    ) -> tuple[LbfgsState, Evaluation]:
        """Evaluate the trial; go on from it, or backtrack where the decrease is not sufficient."""
        losses, gradient = value_and_grad(state.trial)
        # Projected to the bounds, the step to the trial is bent, and may even lead uphill.
        slope = tf.minimum(_dot(state.gradient, state.trial - state.image), 0.0)
        allowed = state.lowest * (1 + self.noise) + self.c1 * slope
        finite = all_finite(losses.total, gradient)
        accepted = finite & (losses.total <= allowed)
        after = tf.cond(
            accepted,
            lambda: self._advance(state, losses.total, gradient),
            lambda: self._backtrack(state, losses.total, slope),
        )
        return after, Evaluation(losses, accepted, finite & all_finite(after.trial))

    def resize(self, state: LbfgsState, image: tf.Tensor) -> LbfgsState:
        """The state at the next scale's image, without history: curvature depends on the size."""
        return self.init(image)._replace(bounds=state.bounds)

    def _advance(self, state, total, gradient) -> LbfgsState:
        image = state.trial
        s, y = image - state.image, gradient - state.gradient
        history = tf.cond(
            _has_positive_curvature(s, y),
            lambda: (*state.history[1:], Pair(s, y, _dot(s, y))),
            lambda: state.history,
        )
        # One gradient alone is near 0 wherever it changes its sign. A decay of one half did better
        # than one of eight tenths.
        square = tf.square(gradient) + state.square / 2
        direction = self._direction(image, gradient, square, history, state.bounds)
        return state._replace(
            image=image,
            lowest=tf.minimum(state.lowest, total),
            total=total,
            gradient=gradient,
            square=square,
            direction=direction,
            alpha=tf.constant(1.0),
            trial=clip(image + direction, state.bounds),
            history=history,
        )

    def _backtrack(self, state, total, slope) -> LbfgsState:
        """Shorten alpha to the minimum of the interpolating parabola, within a tenth and a half.

        Section 3.5, "Interpolation".
        """
        minimum = -slope / (2 * (total - state.total - slope))
        shrink = tf.where(tf.math.is_finite(minimum), tf.clip_by_value(minimum, 0.1, 0.5), 0.1)
        alpha = state.alpha * shrink
        trial = clip(state.image + alpha * state.direction, state.bounds)
        return state._replace(alpha=alpha, trial=trial)

    def _diagonal(self, square: tf.Tensor, free: tf.Tensor) -> tf.Tensor:
        """The diagonal of D, larger where gradients are small."""
        mean = tf.math.divide_no_nan(_dot(square, free), tf.reduce_sum(free))
        # Levels off below a tenth of the root mean square, so that no pixel moves without limit.
        return (tf.math.divide_no_nan(square, mean) + 0.01) ** (-self.diagonal_exponent / 4)

    def _direction(self, image, gradient, square, history, bounds) -> tf.Tensor:
        """The two-loop recursion (algorithm 7.4), over the pixels that move."""
        outward = ((image <= bounds[0]) & (gradient > 0)) | ((image >= bounds[1]) & (gradient < 0))
        free = tf.cast(~outward, tf.float32)
        gradient *= free
        q, backwards = gradient, []
        for pair in reversed(history):
            s = pair.s * free
            sy = _dot(s, pair.y)
            # A pair whose pixels now rest at the bounds holds no curvature.
            rho = tf.where(sy > 1e-3 * pair.sy, 1 / sy, 0.0)
            a = rho * _dot(s, q)
            q -= a * pair.y
            backwards.append((pair, rho, a))
        q *= free
        diagonal = self._diagonal(square, free)

        def initial(values: tf.Tensor) -> tf.Tensor:
            return diagonal * self.precondition(diagonal * values)

        # Equation 7.20 with the first guess for the identity.
        newest = history[-1]
        preconditioned = initial(q)
        gamma = tf.where(
            newest.sy > 0,
            self.initial_scale * newest.sy / _dot(newest.y, initial(newest.y)),
            self.first_step / _root_mean_square(preconditioned),
        )
        r = gamma * preconditioned * free
        for pair, rho, a in reversed(backwards):
            # Masked again, because to keep the masked s would take half the history's memory.
            r += (a - rho * _dot(pair.y, r)) * (pair.s * free)
        steepest = gradient * self.first_step / _root_mean_square(gradient)
        return -tf.where(_dot(gradient, r) > 0, r, steepest)


def _has_positive_curvature(s: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Whether sᵀy is positive by more than rounding."""
    return _dot(s, y) > 1e-7 * tf.norm(s) * tf.norm(y)


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    # tf.tensordot makes a matrix product of this, which took four times as long at 512 px.
    return tf.reduce_sum(a * b)


def _root_mean_square(values: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(values))) + 1e-30
