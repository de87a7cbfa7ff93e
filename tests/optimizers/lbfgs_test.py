import numpy as np
import scipy.optimize
import tensorflow as tf
from absl.testing import parameterized
from testing.quadratic import losses_of, quadratic, run, run_in_graph

from nst_tf.optimizers.base import UNBOUNDED
from nst_tf.optimizers.lbfgs import Lbfgs


def rosenbrock(x):
    value = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    slope = [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]
    return losses_of(value), tf.stack(slope)


def root_mean_square(values):
    return np.sqrt(np.mean(np.square(values)))


class LbfgsTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.start = tf.constant(random.uniform(0.3, 0.7, 40), tf.float32)
        self.objective = quadratic(np.geomspace(0.1, 100, 40), random.uniform(-0.5, 1.5, 40))

    def scipy(self, objective, start, bounds):
        """The reference, in float64: in float32 it stops short of the minimum."""

        def value_and_grad(x):
            losses, gradient = objective(tf.constant(x, tf.float64))
            return float(losses.total), gradient.numpy()

        return scipy.optimize.minimize(
            value_and_grad,
            start.numpy(),
            jac=True,
            method="L-BFGS-B",
            bounds=[bounds] * len(start),
            options={"maxcor": 5, "ftol": 0, "gtol": 1e-5},
        )

    @parameterized.parameters(
        ("quadratic", UNBOUNDED, 0.0),
        ("quadratic", (0, 1), 0.0),
        ("quadratic", (0, 1), 0.7),
        ("rosenbrock", UNBOUNDED, 0.7),
    )
    def test_finds_scipys_minimum_in_at_most_three_times_its_evaluations(
        self, name, bounds, diagonal_exponent
    ):
        objective, start = self.objective, self.start
        if name == "rosenbrock":
            objective, start = rosenbrock, tf.constant([-1.2, 1.0])
        expected = self.scipy(objective, start, bounds)
        lbfgs = Lbfgs(history=5, diagonal_exponent=diagonal_exponent)
        found = run_in_graph(lbfgs, lbfgs.init(start, bounds), objective, 3 * expected.nfev)
        self.assertAllClose(found.image, expected.x, rtol=0, atol=1e-4)

    def test_a_loop_in_a_graph_equals_eager_steps(self):
        lbfgs = Lbfgs(history=2, diagonal_exponent=0.7)
        start = lbfgs.init(self.start, (0, 1))
        eager, _ = run(lbfgs, start, self.objective, 8)
        graph = run_in_graph(lbfgs, start, self.objective, 8)
        self.assertAllClose(graph.image, eager.image, rtol=1e-4)

    def test_a_trial_that_rises_is_refused_and_alpha_shortened(self):
        steep = quadratic(1000, 0)
        lbfgs = Lbfgs(history=3, first_step=0.5)
        start = tf.constant([0.1])
        state, (losses, accepted, _) = lbfgs.step(lbfgs.init(start), steep)
        self.assertTrue(accepted)
        self.assertAllClose(losses.total, 10)
        self.assertAllClose(state.trial, [-0.4])
        after, (losses, accepted, _) = lbfgs.step(state, steep)
        self.assertFalse(accepted)
        self.assertAllClose(losses.total, 160)
        self.assertAllEqual(after.image, start)
        self.assertAllEqual(after.square, state.square)
        self.assertAllClose(after.total, 10)
        # The parabola through the two has its minimum at 0, a fifth of the way.
        self.assertAllClose(after.alpha, 0.2)
        self.assertAllClose(after.trial, [0.0], atol=1e-6)

    def test_where_the_total_is_nan_alpha_is_a_tenth(self):
        def cliff(x):
            return losses_of(tf.where(x[0] < 0, np.nan, x[0])), tf.ones_like(x)

        lbfgs = Lbfgs(history=3, first_step=0.5)
        state, (_, accepted, finite) = run(lbfgs, lbfgs.init(tf.constant([0.1])), cliff, 2)
        self.assertFalse(accepted)
        self.assertFalse(finite)
        self.assertAllClose(state.trial, [0.05])

    def test_nothing_is_accepted_of_a_total_that_is_always_nan(self):
        lbfgs = Lbfgs(history=2)
        state = lbfgs.init(tf.constant([0.5]))
        for _ in range(3):
            state, (_, accepted, _) = lbfgs.step(state, lambda x: (losses_of(x[0] * np.nan), x))
            self.assertFalse(accepted)
        self.assertAllEqual(state.image, [0.5])

    @parameterized.parameters(np.nan, np.inf)
    def test_a_gradient_that_is_not_finite_is_not_followed(self, number):
        lbfgs = Lbfgs(history=2)
        state, _ = lbfgs.step(lbfgs.init(self.start), self.objective)
        after, (_, accepted, finite) = lbfgs.step(
            state, lambda x: (losses_of(tf.constant(0.0)), tf.zeros_like(x) + number)
        )
        self.assertFalse(accepted)
        self.assertFalse(finite)
        self.assertAllEqual(after.image, state.image)
        self.assertTrue(np.isfinite(after.trial).all())

    def test_at_a_minimum_it_stays_and_stays_finite(self):
        lbfgs = Lbfgs(history=2, diagonal_exponent=0.7)
        for minimum, start in ((0.25, [0.25, 0.25]), (7, [1.0, 1.0])):
            state, _ = run(lbfgs, lbfgs.init(tf.constant(start), (0, 1)), quadratic(1, minimum), 4)
            self.assertAllEqual(state.image, start)
            for tensor in tf.nest.flatten(state._replace(square=tf.sqrt(state.square))):
                self.assertAllInRange(tensor, -100, 100)

    def test_a_rise_within_the_noise_is_accepted(self):
        totals = iter([1.0, 1.0005, 1.01, 1.0012, 1.0008])

        def noisy(x):
            return losses_of(tf.constant(next(totals))), tf.ones_like(x)

        lbfgs = Lbfgs(history=2, noise=1e-3)
        state = lbfgs.init(tf.constant([0.5]))
        found = []
        for _ in range(5):
            state, (_, accepted, _) = lbfgs.step(state, noisy)
            found.append(bool(accepted))
        # 1.0012 is within the noise of the last total, not of the lowest: rises do not add up.
        self.assertEqual(found, [True, True, False, False, True])
        self.assertAllClose([state.lowest, state.total], [1.0, 1.0008])

    def test_pairs_of_negative_curvature_are_left_out(self):
        def hill(x):
            return losses_of(-tf.reduce_sum(x**2)), -2 * x

        lbfgs = Lbfgs(history=2)
        state, (_, accepted, _) = run(lbfgs, lbfgs.init(tf.constant([0.1])), hill, 3)
        self.assertTrue(accepted)
        self.assertGreater(state.image, 0.11)
        self.assertAllEqual([pair.sy for pair in state.history], [0, 0])

    def test_the_history_is_passed_on_uncopied_and_the_oldest_pair_dropped(self):
        lbfgs = Lbfgs(history=2)
        before, _ = run(lbfgs, lbfgs.init(self.start), self.objective, 3)
        after, _ = lbfgs.step(before, self.objective)
        self.assertIs(after.history[0].s, before.history[1].s)
        self.assertGreater(after.history[1].sy, 0)
        self.assertAllClose(after.history[1].s, after.image - before.image)

    def test_resize_starts_anew_within_the_same_bounds(self):
        lbfgs = Lbfgs(history=2)
        state, _ = run(lbfgs, lbfgs.init(self.start, (0, 1)), self.objective, 3)
        resized = lbfgs.resize(state, tf.zeros(5))
        self.assertAllEqual(resized.bounds, [0, 1])
        self.assertAllEqual(resized.trial, tf.zeros(5))
        self.assertAllEqual([pair.sy for pair in resized.history], [0, 0])

    @parameterized.parameters((UNBOUNDED, 0.0, 1.0), ((0.0, 1.0), 0.7, 1.5))
    def test_the_first_two_steps_are_those_of_the_matrices(self, bounds, exponent, initial_scale):
        """Algorithm 7.5 with one pair written out, around D P D, over the pixels that move."""
        root = np.random.default_rng(1).normal(size=(40, 40)).astype(np.float32) / 40
        matrix = root @ root.T + np.eye(40, dtype=np.float32) / 10
        # Where there are bounds, five pixels rest at once, and five more after the first step.
        start = np.concatenate([np.repeat([1, 1 - 1e-4], 5), self.start[10:]])
        minimum = np.concatenate([np.full(10, 1.5), np.linspace(-0.5, 1.5, 30)])
        objective = quadratic(np.geomspace(0.1, 100, 40)[::-1], minimum)
        lbfgs = Lbfgs(
            history=1,
            precondition=lambda x: tf.linalg.matvec(matrix, x),
            diagonal_exponent=exponent,
            initial_scale=initial_scale,
            first_step=1e-3,
        )
        state = lbfgs.init(tf.constant(start, tf.float32), bounds)
        first, _ = lbfgs.step(state, objective)
        second, (_, accepted, _) = lbfgs.step(first, objective)
        self.assertTrue(accepted)

        def initial(square, free):
            diagonal = (square / square[free].mean() + 0.01) ** (-exponent / 4)
            return diagonal[:, np.newaxis] * matrix * diagonal

        before, after = (np.float64(each.gradient) for each in (first, second))
        free = (start < bounds[1]) | (before > 0)
        step = initial(before**2, free) @ (before * free)
        step *= -1e-3 / root_mean_square(step)
        self.assertAllClose(first.direction, step * free, rtol=1e-3)

        free = (second.image.numpy() < bounds[1]) | (after > 0)
        self.assertEqual(np.sum(~free), 0 if bounds == UNBOUNDED else 10)
        s, y = (second.image - first.image).numpy(), after - before
        inverse = initial(after**2 + before**2 / 2, free)
        inverse *= initial_scale * (s @ y) / (y @ inverse @ y) * np.outer(free, free)
        s, y = s * free, y * free
        left = np.eye(40) - np.outer(s, y) / (s @ y)
        inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
        self.assertAllClose(second.direction, -inverse @ (after * free), rtol=1e-2, atol=1e-4)

    def test_the_diagonal_is_of_the_gradients_so_far(self):
        slopes = np.array([[1, 2, 1, 1], [1, 2, 4, 2], [2, 4, 8, 3]], np.float32)
        gradients = iter(slopes)

        def hill(x):
            """Steeper on the way down, so there is no pair."""
            return losses_of(tf.reduce_sum(x)), tf.constant(next(gradients))

        lbfgs = Lbfgs(history=1, diagonal_exponent=1.0, first_step=0.25)
        state, (_, accepted, _) = run(lbfgs, lbfgs.init(tf.zeros(4)), hill, 3)
        self.assertTrue(accepted)
        self.assertAllEqual(state.history[0].sy, 0)
        square = np.square(slopes[0]) / 4 + np.square(slopes[1]) / 2 + np.square(slopes[2])
        step = -slopes[2] / np.sqrt(square / square.mean() + 0.01)
        self.assertAllClose(state.direction, 0.25 * step / root_mean_square(step), rtol=1e-4)

    def test_pixels_at_rest_do_not_count_for_the_diagonal(self):
        """The third presses against its bound, much harder than the others pull."""
        slope = tf.constant([1.0, -3.0, 100.0])
        lbfgs = Lbfgs(history=1, diagonal_exponent=1.0, first_step=0.25)
        state = lbfgs.init(tf.constant([0.5, 0.5, 0.0]), bounds=(0.0, 1.0))
        state, _ = lbfgs.step(state, lambda x: (losses_of(tf.reduce_sum(x * slope)), slope))
        step = -np.array([1, -3, 0]) / np.sqrt(np.array([1, 9, 0]) / 5 + 0.01)
        self.assertAllClose(state.direction, 0.25 * step / root_mean_square(step), rtol=1e-4)


if __name__ == "__main__":
    tf.test.main()
