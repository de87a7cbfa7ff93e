import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.quadratic import losses_of, quadratic

from nst_tf.optimizers.adam import Adam

DEFAULT, TUTORIAL = (0.02, 0.9, 0.99, 1e-8), (0.02, 0.99, 0.999, 0.1)


class AdamTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.start = tf.constant(random.uniform(0.3, 0.7, (1, 4, 5, 3)), tf.float32)
        self.objective = quadratic(
            random.uniform(0.1, 9, self.start.shape).astype(np.float32),
            random.uniform(-0.5, 1.5, self.start.shape).astype(np.float32),
        )

    @parameterized.parameters(DEFAULT, TUTORIAL)
    def test_equals_keras_over_20_steps(self, *knobs):
        own = Adam(*knobs)
        keras = tf.keras.optimizers.Adam(*knobs)
        variable = tf.Variable(self.start)
        state = own.init(self.start, bounds=(0.0, 1.0))
        for _ in range(20):
            _, gradient = self.objective(variable)
            keras.apply([gradient], [variable])
            variable.assign(tf.clip_by_value(variable, 0, 1))
            state, _ = own.step(state, self.objective)
            self.assertAllClose(state.image, variable, rtol=1e-5, atol=1e-6)

    def test_losses_are_those_before_the_step(self):
        adam = Adam(*DEFAULT)
        state, (losses, accepted, _) = adam.step(adam.init(self.start), self.objective)
        self.assertTrue(accepted)
        self.assertAllEqual(losses.total, self.objective(self.start)[0].total)
        self.assertLess(self.objective(state.image)[0].total, losses.total)

    def test_stays_within_its_bounds_and_reaches_them(self):
        adam = Adam(0.1, 0.9, 0.99, 1e-8)
        state = adam.init(self.start, bounds=(0.0, 1.0))
        for _ in range(50):
            state, _ = adam.step(state, self.objective)
        self.assertAllInRange(state.image, 0, 1)
        self.assertAllInSet(state.image[state.image < 1e-3], [0])
        self.assertAllEqual(tf.reduce_min(state.image), 0)

    def test_eager_graph_and_while_loop_agree(self):
        adam = Adam(*DEFAULT)

        def step(state):
            return adam.step(state, self.objective)[0]

        eager = graph = adam.init(self.start)
        compiled = tf.function(step)
        for _ in range(5):
            eager, graph = step(eager), compiled(graph)
        loop = tf.function(
            lambda state: tf.while_loop(
                lambda state: state.count < 5, lambda state: (step(state),), [state]
            )
        )(adam.init(self.start))[0]
        self.assertAllClose(eager.image, graph.image, rtol=1e-6)
        self.assertAllClose(eager.image, loop.image, rtol=1e-6)

    def test_resize_keeps_the_step_at_the_next_scale(self):
        """A mean loss of twice the size has gradients a quarter as large: the step stays."""
        adam = Adam(*DEFAULT)
        slope = np.linspace(-1, 1, 3, dtype=np.float32) * np.ones((1, 8, 8, 3), np.float32)
        state = adam.init(tf.fill([1, 8, 8, 3], 0.5))
        for _ in range(10):
            state, _ = adam.step(state, lambda x: (losses_of(tf.reduce_sum(x)), slope / 64))
        larger = np.linspace(-1, 1, 3, dtype=np.float32) * np.ones((1, 16, 16, 3), np.float32)
        moved = adam.resize(state, tf.fill([1, 16, 16, 3], 0.5))
        after, _ = adam.step(moved, lambda x: (losses_of(tf.reduce_sum(x)), larger / 256))
        self.assertEqual(moved.count, 10)
        self.assertAllClose(
            (after.image - 0.5)[0, 0, 0], -0.02 * np.sign([-1, 0, 1]), rtol=1e-3, atol=1e-5
        )


if __name__ == "__main__":
    tf.test.main()
