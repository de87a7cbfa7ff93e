import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.quadratic import losses_of, quadratic, run, run_in_graph

from nst_tf.optimizers.adam import Adam

DEFAULT, TUTORIAL = (0.02, 0.9, 0.99, 1e-8), (0.02, 0.99, 0.999, 0.1)


class AdamTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        self.start = tf.constant(random.uniform(0.3, 0.7, (1, 4, 5, 3)), tf.float32)
        self.objective = quadratic(
            random.uniform(0.1, 9, self.start.shape), random.uniform(-0.5, 1.5, self.start.shape)
        )

    @parameterized.parameters(DEFAULT, TUTORIAL)
    def test_equals_keras_over_20_steps(self, *values):
        adam, keras = Adam(*values), tf.keras.optimizers.Adam(*values)
        variable = tf.Variable(self.start)
        state = adam.init(self.start, bounds=(0.0, 1.0))
        for _ in range(20):
            _, gradient = self.objective(variable)
            keras.apply([gradient], [variable])
            variable.assign(tf.clip_by_value(variable, 0, 1))
            state, _ = adam.step(state, self.objective)
            self.assertAllClose(state.image, variable, rtol=1e-5, atol=1e-6)

    def test_the_evaluation_is_of_the_image_before_the_step(self):
        state, evaluation = run(Adam(*DEFAULT), Adam(*DEFAULT).init(self.start), self.objective, 1)
        self.assertTrue(evaluation.accepted)
        self.assertTrue(evaluation.finite)
        self.assertAllEqual(evaluation.losses.total, self.objective(self.start)[0].total)
        self.assertLess(self.objective(state.image)[0].total, evaluation.losses.total)

    def test_stays_within_its_bounds_and_reaches_them(self):
        adam = Adam(0.1, 0.9, 0.99, 1e-8)
        state, _ = run(adam, adam.init(self.start, bounds=(0.0, 1.0)), self.objective, 50)
        self.assertAllInRange(state.image, 0, 1)
        self.assertAllEqual(tf.reduce_min(state.image), 0)

    def test_a_loop_in_a_graph_equals_eager_steps(self):
        adam = Adam(*DEFAULT)
        start = adam.init(self.start)
        eager, _ = run(adam, start, self.objective, 5)
        self.assertAllClose(run_in_graph(adam, start, self.objective, 5).image, eager.image)

    def test_resize_keeps_the_step_at_the_next_scale(self):
        """A mean loss of twice the size has gradients a quarter as large: the step stays."""
        adam = Adam(*DEFAULT)

        def mean_loss(image):
            slope = tf.constant([-1.0, 0.0, 1.0]) / tf.cast(tf.size(image[..., 0]), tf.float32)
            return losses_of(tf.reduce_sum(slope * image)), slope + tf.zeros_like(image)

        state, _ = run(adam, adam.init(tf.fill([1, 8, 8, 3], 0.5)), mean_loss, 10)
        resized = adam.resize(state, tf.fill([1, 16, 16, 3], 0.5))
        self.assertEqual(resized.t, 10)
        after, _ = adam.step(resized, mean_loss)
        step = np.broadcast_to([0.02, 0, -0.02], [1, 16, 16, 3])
        self.assertAllClose(after.image - 0.5, step, rtol=1e-3, atol=1e-5)


if __name__ == "__main__":
    tf.test.main()
