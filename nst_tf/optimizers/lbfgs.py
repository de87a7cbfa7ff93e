"""L-BFGS within bounds, preconditioned by a filter and by the size of gradients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from nst_tf.optimizers.base import UNBOUNDED, Bounds, Evaluation, ValueAndGrad, all_finite, clip

Filter = Callable[[tf.Tensor], tf.Tensor]


class Pair(NamedTuple):
    """A move, the change of the gradient along it, and their dot product, 0 for no pair."""

    move: tf.Tensor
    change: tf.Tensor
    curvature: tf.Tensor


class LbfgsState(NamedTuple):
    """The best picture so far, to within the noise, and the line searched from it.

    `least` is the least total met, `total` and `gradient` are the picture's own. `trial` is the
    picture that the next step evaluates: `length` along `direction`. The history holds the oldest
    pair first, each in tensors of its own, so that a step hands them on uncopied. `square` is a
    decaying sum of the squares of the gradients of the pictures that were accepted.
    """

    image: tf.Tensor
    bounds: tf.Tensor
    least: tf.Tensor
    total: tf.Tensor
    gradient: tf.Tensor
    square: tf.Tensor
    direction: tf.Tensor
    length: tf.Tensor
    trial: tf.Tensor
    history: tuple[Pair, ...]


@dataclass(frozen=True)
class Lbfgs:
    """Limited-memory BFGS: Nocedal & Wright 2006, "Numerical Optimization", algorithm 7.5.

    Departures: the step is shortened until the loss has fallen enough (algorithm 3.1), without
    Wolfe's second condition, so pairs without positive curvature are left out; a pixel that sits
    at a bound and is pushed outward rests for that step, and the history counts only where pixels
    move (gradient projection, section 16.7); for the identity as the first guess of the inverse
    Hessian stands D P D, where P is `precondition`, a symmetric positive filter, and D the diagonal
    of `_evening`, and its scale is `boldness` times equation 7.20's.
    """

    history: int
    precondition: Filter = tf.identity
    # How much further pixels with small gradients move: 0 leaves them as they are, 1 divides by
    # the gradient's size, much as Adam does.
    evenness: float = 0.0
    # Times equation 7.20's scale: most of a picture's directions are flatter than the few that
    # the history has seen.
    boldness: float = 1.0
    # Root mean square of the first move, in units of the variable. At 0.03 it drew lace into skies,
    # which the few steps of a fine scale did not take out again.
    first_move: float = 0.01
    # Armijo's condition: how much of the promised fall must come true.
    sufficient: float = 1e-4
    # How far, relatively, a total may be off. Without this allowance above the least total met, one
    # that once came out too low would refuse every later trial.
    noise: float = 0.0

    def init(self, image: tf.Tensor, bounds: Bounds = UNBOUNDED) -> LbfgsState:
        """Start from a picture.

        Args:
            image: float32, any shape.
            bounds: the least and the greatest value of a pixel.

        Returns:
            The state before the first step, which evaluates the picture itself.
        """
        zeros = tf.zeros_like(image)
        nothing = Pair(zeros, zeros, tf.constant(0.0))
        return LbfgsState(
            image=image,
            bounds=tf.constant(bounds, tf.float32),
            least=tf.constant(float("inf")),
            total=tf.constant(float("inf")),
            gradient=zeros,
            square=zeros,
            direction=zeros,
            length=tf.constant(0.0),
            trial=image,
            history=(nothing,) * self.history,
        )

    def step(
        self, state: LbfgsState, value_and_grad: ValueAndGrad
    ) -> tuple[LbfgsState, Evaluation]:
        """Evaluate the trial picture; move on from it, or shorten the step if the loss rose.

        Args:
            state: the state before the step.
            value_and_grad: the objective: picture -> (losses, gradient).

        Returns:
            The state after the step, and the losses of the trial.
        """
        losses, gradient = value_and_grad(state.trial)
        # At the bounds the way to the trial is bent, and may even lead uphill.
        slope = tf.minimum(_dot(state.gradient, state.trial - state.image), 0.0)
        allowed = state.least * (1 + self.noise) + self.sufficient * slope
        finite = all_finite(losses.total, gradient)
        accepted = finite & (losses.total <= allowed)
        after = tf.cond(
            accepted,
            lambda: self._advance(state, losses.total, gradient),
            lambda: self._shorten(state, losses.total, slope),
        )
        return after, Evaluation(losses, accepted, finite & all_finite(after.trial))

    def resize(self, state: LbfgsState, image: tf.Tensor) -> LbfgsState:
        """Start anew at the next scale; curvature measured at another size only misleads.

        Args:
            state: the state at the end of a scale.
            image: the picture at the next scale, float32, any shape.

        Returns:
            A state at that picture, without history.
        """
        return self.init(image)._replace(bounds=state.bounds)

    def _advance(self, state, total, gradient) -> LbfgsState:
        image = state.trial
        move, change = image - state.image, gradient - state.gradient
        history = tf.cond(
            _bends_up(move, change),
            lambda: (*state.history[1:], Pair(move, change, _dot(move, change))),
            lambda: state.history,
        )
        # One gradient alone is near 0 wherever it changes its sign. To halve what was before did
        # better than to keep eight tenths of it.
        square = tf.square(gradient) + state.square / 2
        direction = self._direction(image, gradient, square, history, state.bounds)
        return state._replace(
            image=image,
            least=tf.minimum(state.least, total),
            total=total,
            gradient=gradient,
            square=square,
            direction=direction,
            length=tf.constant(1.0),
            trial=clip(image + direction, state.bounds),
            history=history,
        )

    def _shorten(self, state, total, slope) -> LbfgsState:
        """Go to the least of the parabola through what is known, within a tenth and a half.

        Nocedal & Wright, section 3.5, "Interpolation".
        """
        least = -slope / (2 * (total - state.total - slope))
        shrink = tf.where(tf.math.is_finite(least), tf.clip_by_value(least, 0.1, 0.5), 0.1)
        length = state.length * shrink
        trial = clip(state.image + length * state.direction, state.bounds)
        return state._replace(length=length, trial=trial)

    def _evening(self, square: tf.Tensor, free: tf.Tensor) -> tf.Tensor:
        """The diagonal of D: the root of how much further a pixel moves for its gradient."""
        mean = tf.math.divide_no_nan(_dot(square, free), tf.reduce_sum(free))
        # Levels off below a tenth of the root mean square, so that no pixel moves without limit.
        return (tf.math.divide_no_nan(square, mean) + 0.01) ** (-self.evenness / 4)

    def _direction(self, image, gradient, square, history, bounds) -> tf.Tensor:
        """The two-loop recursion (Nocedal & Wright, algorithm 7.4), over the pixels that move."""
        outward = ((image <= bounds[0]) & (gradient > 0)) | ((image >= bounds[1]) & (gradient < 0))
        free = tf.cast(~outward, tf.float32)
        gradient *= free
        rest, backwards = gradient, []
        for pair in reversed(history):
            move = pair.move * free
            curvature = _dot(move, pair.change)
            # A pair whose moves now rest at the bounds says nothing more.
            rho = tf.where(curvature > 1e-3 * pair.curvature, 1 / curvature, 0.0)
            share = rho * _dot(move, rest)
            rest -= share * pair.change
            backwards.append((pair, rho, share))
        rest *= free
        evening = self._evening(square, free)

        def guess(values: tf.Tensor) -> tf.Tensor:
            return evening * self.precondition(evening * values)

        # Equation 7.20 with the guess for the identity; before the first pair, the first move.
        newest = history[-1]
        steepest = guess(rest)
        scale = tf.where(
            newest.curvature > 0,
            self.boldness * newest.curvature / _dot(newest.change, guess(newest.change)),
            self.first_move / _root_mean_square(steepest),
        )
        direction = scale * steepest * free
        for pair, rho, share in reversed(backwards):
            # Masked again, because keeping the masked moves would take half the history's memory.
            direction += (share - rho * _dot(pair.change, direction)) * (pair.move * free)
        plain = gradient * self.first_move / _root_mean_square(gradient)
        return -tf.where(_dot(gradient, direction) > 0, direction, plain)


def _bends_up(move: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
    """Whether the curvature along a move is positive, by more than rounding."""
    return _dot(move, change) > 1e-7 * tf.norm(move) * tf.norm(change)


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    # tf.tensordot makes a matrix product of this, which took four times as long at 512 px.
    return tf.reduce_sum(a * b)


def _root_mean_square(values: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(values))) + 1e-30
