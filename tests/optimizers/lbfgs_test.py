import numpy as np
import scipy.optimize
import tensorflow as tf
from absl.testing import parameterized
from testing.quadratic import losses_of, quadratic

from nst_tf.optimizers.lbfgs import Lbfgs


def rosenbrock(x):
    value = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    down = [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]
    return losses_of(value), tf.stack(down)


class LbfgsTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.start = tf.constant(random.uniform(0.3, 0.7, 40), tf.float32)
        self.objective = quadratic(
            np.geomspace(0.1, 100, 40).astype(np.float32),
            random.uniform(-0.5, 1.5, 40).astype(np.float32),
        )

    def scipy(self, objective, start, bounds):
        """The referee, in float64: in float32 it stops short of the minimum."""

        def value_and_grad(x):
            losses, gradient = objective(tf.constant(x, tf.float64))
            return float(losses.total), gradient.numpy()

        return scipy.optimize.minimize(
            value_and_grad,
            start.numpy(),
            jac=True,
            method="L-BFGS-B",
            bounds=[bounds] * len(start),
            options={"maxcor": 10, "ftol": 0, "gtol": 1e-5},
        )

    @parameterized.product(
        problem=(
            ("quadratic", (-np.inf, np.inf)),
            ("quadratic", (0, 1)),
            ("rosenbrock", (-np.inf, np.inf)),
        ),
        evenness=(0.0, 0.7),
    )
    def test_finds_scipys_minimum_in_at_most_three_times_its_evaluations(self, problem, evenness):
        name, bounds = problem
        objective, start = self.objective, self.start
        if name == "rosenbrock":
            objective, start = rosenbrock, tf.constant([-1.2, 1.0])
        referee = self.scipy(objective, start, bounds)
        lbfgs = Lbfgs(history=10, evenness=evenness)
        state = lbfgs.init(start, bounds)
        step = tf.function(lambda state: lbfgs.step(state, objective)[0])
        for _ in range(3 * referee.nfev):
            state = step(state)
        self.assertAllClose(state.image, referee.x, rtol=0, atol=1e-4)

    @parameterized.parameters(0.0, 0.7)
    def test_eager_graph_and_while_loop_agree(self, evenness):
        lbfgs = Lbfgs(history=3, evenness=evenness)

        def step(state):
            return lbfgs.step(state, self.objective)[0]

        eager = graph = lbfgs.init(self.start, (0, 1))
        compiled = tf.function(step)
        for _ in range(8):
            eager, graph = step(eager), compiled(graph)
        loop = tf.function(
            lambda state: tf.while_loop(
                lambda i, state: i < 8, lambda i, state: (i + 1, step(state)), [0, state]
            )
        )(lbfgs.init(self.start, (0, 1)))[1]
        self.assertAllClose(eager.image, graph.image, rtol=1e-4)
        self.assertAllClose(graph.image, loop.image, rtol=1e-5)
        self.assertAllEqual({t.dtype for t in tf.nest.flatten(loop)}, {tf.float32})

    def test_a_trial_that_rises_is_shortened_and_the_best_is_kept(self):
        steep = quadratic(np.float32(1000), np.float32(0))
        lbfgs = Lbfgs(history=3, first_move=0.5)
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
        # The parabola through the two has its least at 0, a fifth of the way.
        self.assertAllClose(after.trial, [0.0], atol=1e-6)

    def test_a_trial_of_no_number_is_shortened_to_a_tenth(self):
        def cliff(x):
            return losses_of(tf.where(x[0] < 0, np.nan, x[0])), tf.ones_like(x)

        lbfgs = Lbfgs(history=3, first_move=0.5)
        state = lbfgs.init(tf.constant([0.1]))
        for _ in range(2):
            state, (_, accepted, _) = lbfgs.step(state, cliff)
        self.assertFalse(accepted)
        self.assertAllClose(state.trial, [0.05])

    @parameterized.parameters(0.0, 0.7)
    def test_at_an_optimum_it_stays_and_stays_finite(self, evenness):
        lbfgs = Lbfgs(history=2, evenness=evenness)
        flat = quadratic(np.float32(1), np.float32(0.25))
        cornered = quadratic(np.float32(1), np.float32(7))
        for objective, start in ((flat, [0.25, 0.25]), (cornered, [1.0, 1.0])):
            state = lbfgs.init(tf.constant(start), (0, 1))
            for _ in range(4):
                state, _ = lbfgs.step(state, objective)
            self.assertAllEqual(state.image, start)
            for tensor in tf.nest.flatten(state._replace(square=tf.sqrt(state.square))):
                self.assertAllInRange(tensor, -100, 100)

    def test_nothing_is_accepted_of_a_total_that_is_no_number(self):
        lbfgs = Lbfgs(history=2)
        state = lbfgs.init(tf.constant([0.5]))
        for _ in range(3):
            state, (_, accepted, _) = lbfgs.step(
                state, lambda x: (losses_of(tf.constant(np.nan)), x * np.nan)
            )
            self.assertFalse(accepted)
        self.assertAllEqual(state.image, [0.5])

    def test_an_allowance_for_noise_accepts_a_rise_within_it(self):
        rising = iter([1.0, 1.0005, 1.01, 1.0012, 1.0008])

        def noisy(x):
            return losses_of(tf.constant(next(rising))), tf.ones_like(x)

        lbfgs = Lbfgs(history=2, noise=1e-3)
        state = lbfgs.init(tf.constant([0.5]))
        found = []
        for _ in range(5):
            state, (_, accepted, _) = lbfgs.step(state, noisy)
            found.append(bool(accepted))
        # 1.0012 is within the noise of the last total, not of the least one: rises do not add up.
        self.assertEqual(found, [True, True, False, False, True])

    @parameterized.parameters(np.nan, np.inf)
    def test_a_gradient_that_is_not_finite_is_not_followed(self, value):
        lbfgs = Lbfgs(history=2)
        state, _ = lbfgs.step(lbfgs.init(self.start), self.objective)
        after, (_, accepted, _) = lbfgs.step(
            state, lambda x: (losses_of(tf.constant(0.0)), tf.fill(x.shape, np.float32(value)))
        )
        self.assertFalse(accepted)
        self.assertAllEqual(after.image, state.image)
        self.assertTrue(np.isfinite(after.trial).all())

    def test_pairs_of_negative_curvature_are_not_kept(self):
        def hill(x):
            return losses_of(-tf.reduce_sum(x**2)), -2 * x

        lbfgs = Lbfgs(history=2)
        state = lbfgs.init(tf.constant([0.1]))
        for _ in range(3):
            state, (_, accepted, _) = lbfgs.step(state, hill)
            self.assertTrue(accepted)
        self.assertAllEqual([pair.curvature for pair in state.history], [0, 0])

    def test_the_history_is_handed_on_uncopied_and_the_oldest_dropped(self):
        lbfgs = Lbfgs(history=2)
        states = [lbfgs.init(self.start)]
        for _ in range(4):
            states.append(lbfgs.step(states[-1], self.objective)[0])
        before, after = states[-2:]
        self.assertIs(after.history[0].move, before.history[1].move)
        self.assertGreater(after.history[1].curvature, 0)
        self.assertAllClose(after.history[1].move, after.image - before.image)

    def test_the_history_speeds_it_up(self):
        totals = []
        for history in (1, 10):
            lbfgs = Lbfgs(history)
            state = lbfgs.init(self.start)
            for _ in range(40):
                state, _ = lbfgs.step(state, self.objective)
            totals.append(float(state.total))
        least = float(self.scipy(self.objective, self.start, (-np.inf, np.inf)).fun)
        self.assertLess(totals[1] - least, 0.5 * (totals[0] - least))

    def test_resize_starts_anew_within_the_same_bounds(self):
        lbfgs = Lbfgs(history=2)
        state = lbfgs.init(self.start, (0, 1))
        for _ in range(3):
            state, _ = lbfgs.step(state, self.objective)
        fresh = lbfgs.resize(state, tf.zeros(5))
        self.assertAllEqual(fresh.bounds, [0, 1])
        self.assertAllEqual(fresh.trial, tf.zeros(5))
        self.assertAllEqual([pair.curvature for pair in fresh.history], [0, 0])

    def test_a_fitting_preconditioner_needs_no_history(self):
        """With the inverse Hessian for a filter a quadratic falls at once."""
        curvature = np.geomspace(0.1, 100, 40).astype(np.float32)
        lbfgs = Lbfgs(history=1, precondition=lambda gradient: gradient / (2 * curvature))
        state = lbfgs.init(self.start)
        for _ in range(4):
            state, _ = lbfgs.step(state, self.objective)
        self.assertAllClose(self.objective(state.image)[1], np.zeros(40), atol=1e-3)

    @parameterized.parameters(0.0, 0.5, 1.0)
    def test_moves_are_evened_out_on_both_sides_of_the_preconditioner(self, evenness):
        """Two moves, against algorithm 7.5 with one pair written out in matrices."""
        root = np.random.default_rng(1).normal(size=(40, 40)).astype(np.float32) / 40
        between = root @ root.T + np.eye(40, dtype=np.float32) / 10
        lbfgs = Lbfgs(
            history=1,
            precondition=lambda x: tf.linalg.matvec(between, x),
            evenness=evenness,
            first_move=1e-3,
        )
        first, _ = lbfgs.step(lbfgs.init(self.start), self.objective)
        second, (_, accepted, _) = lbfgs.step(first, self.objective)
        self.assertTrue(accepted)

        def guess(*gradients):
            square = 0
            for gradient in gradients:
                square = square / 2 + np.square(gradient, dtype=np.float64)
            diagonal = (square / square.mean() + 0.01) ** (-evenness / 4)
            return diagonal[:, np.newaxis] * between * diagonal

        before, after = first.gradient.numpy(), second.gradient.numpy()
        move = -guess(before) @ before
        self.assertAllClose(first.trial - self.start, 1e-3 * move / _rms(move), rtol=1e-3)
        move, change = (second.image - first.image).numpy(), after - before
        inverse = guess(before, after)
        rho = 1 / (move @ change)
        inverse *= move @ change / (change @ inverse @ change)
        left = np.eye(40) - rho * np.outer(move, change)
        inverse = left @ inverse @ left.T + rho * np.outer(move, move)
        self.assertAllClose(second.direction, -inverse @ after, rtol=1e-2, atol=1e-4)

    def test_evenness_is_of_the_gradients_so_far(self):
        slopes = np.array([[1, 2, 1, 1], [1, 2, 4, 2], [2, 4, 8, 3]], np.float32)
        given = iter(slopes)

        def hill(x):
            """It gets steeper on the way down, so nothing is remembered."""
            return losses_of(tf.reduce_sum(x)), tf.constant(next(given))

        lbfgs = Lbfgs(history=1, evenness=1.0, first_move=0.25)
        state = lbfgs.init(tf.zeros(4))
        for _ in range(3):
            state, (_, accepted, _) = lbfgs.step(state, hill)
            self.assertTrue(accepted)
        self.assertAllEqual(state.history[0].curvature, 0)
        square = np.square(slopes[0]) / 4 + np.square(slopes[1]) / 2 + np.square(slopes[2])
        move = -slopes[2] / np.sqrt(square / square.mean() + 0.01)
        self.assertAllClose(state.trial - state.image, 0.25 * move / _rms(move), rtol=1e-4)

    def test_pixels_at_rest_do_not_count_for_evenness(self):
        """The third presses against its bound, much harder than the others pull."""
        slope = tf.constant([1.0, -3.0, 100.0])
        lbfgs = Lbfgs(history=1, evenness=1.0, first_move=0.25)
        state = lbfgs.init(tf.constant([0.5, 0.5, 0.0]), bounds=(0.0, 1.0))
        state, _ = lbfgs.step(state, lambda x: (losses_of(tf.reduce_sum(x * slope)), slope))
        move = -np.array([1, -3, 0]) / np.sqrt(np.array([1, 9, 0]) / 5 + 0.01)
        self.assertAllClose(state.direction, 0.25 * move / _rms(move), rtol=1e-4)

    def test_evenness_speeds_it_up_where_curvatures_differ(self):
        falls = []
        for evenness in (0.0, 0.7):
            lbfgs = Lbfgs(history=3, evenness=evenness)
            state = lbfgs.init(self.start)
            for _ in range(40):
                state, _ = lbfgs.step(state, self.objective)
            falls.append(float(state.total))
        least = float(self.scipy(self.objective, self.start, (-np.inf, np.inf)).fun)
        self.assertLess(falls[1] - least, 0.5 * (falls[0] - least))


def _rms(values):
    return np.sqrt(np.mean(np.square(values)))


if __name__ == "__main__":
    tf.test.main()
