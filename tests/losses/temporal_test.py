import numpy as np
import tensorflow as tf
from testing.quadratic import Quadratic

from nst_tf.losses import terms
from nst_tf.losses.temporal import TemporalObjective, temporal_loss


class TemporalTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        pixels = np.random.default_rng(0).random((4, 1, 5, 7, 3), np.float32)
        self.image, self.first, self.second, self.carried = map(tf.constant, pixels)
        self.trust = tf.constant(np.linspace(0, 1, 35, dtype=np.float32).reshape(1, 5, 7, 1))

    def objective(self, target, carried, trust, weight):
        norm = terms.target_energies({"carried": carried})["carried"]
        return TemporalObjective(Quadratic(target), carried, trust, norm, tf.constant(weight))

    def test_the_loss_is_ruders_with_the_mean_for_a_norm(self):
        size = tf.constant(105.0)
        loss = temporal_loss(self.image, self.carried, self.trust, size)
        expected = np.mean(self.trust * (self.image - self.carried) ** 2)
        self.assertAllClose(loss, expected)

    def test_relative_it_is_1_for_a_black_image_and_0_for_the_same(self):
        norm = terms.target_energies({"carried": self.carried})["carried"]
        everywhere = tf.ones_like(self.trust)
        for image, expected in ((tf.zeros_like(self.image), 1.0), (self.carried, 0.0)):
            self.assertAllClose(temporal_loss(image, self.carried, everywhere, norm), expected)
        black = tf.zeros_like(self.carried)
        self.assertEqual(temporal_loss(self.image, black, everywhere, tf.constant(0.0)), 0)

    def test_it_is_part_of_the_total_and_of_the_gradient(self):
        objective = self.objective(self.first, self.carried, self.trust, 0.5)
        value, gradient = objective.value_and_grad(self.image)
        norm = tf.reduce_sum(self.carried**2)
        with tf.GradientTape() as tape:
            tape.watch(self.image)
            whole = tf.reduce_sum((self.image - self.first) ** 2)
            difference = self.trust * (self.image - self.carried) ** 2
            expected = whole + 0.5 * tf.reduce_sum(difference) / norm
        self.assertAllClose(value.total, expected)
        self.assertAllClose(gradient, tape.gradient(expected, self.image), atol=1e-6)
        # Where nothing is trusted, it pulls nowhere.
        plain = Quadratic(self.first).value_and_grad(self.image)[1]
        self.assertAllEqual(gradient[:, 0, 0], plain[:, 0, 0])

    def test_with_other_targets(self):
        """As a graph of a step is used for other images."""
        first = self.objective(self.first, self.carried, self.trust, 0.5)
        second = self.objective(self.second, self.first, 1 - self.trust, 2.0)
        expected = second.value_and_grad(self.image)
        found = first.with_targets(second.targets).value_and_grad(self.image)
        for pair in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
            self.assertAllEqual(*pair)


if __name__ == "__main__":
    tf.test.main()
