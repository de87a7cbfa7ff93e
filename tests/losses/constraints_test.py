import numpy as np
import tensorflow as tf
from testing.quadratic import Quadratic

from nst_tf.losses import constraints


class ConstraintsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        pixels = np.random.default_rng(0).random((4, 1, 5, 7, 3), np.float32)
        self.image, self.content, self.first, self.second = map(tf.constant, pixels)
        self.protected = tf.constant(np.linspace(0, 1, 35, dtype=np.float32).reshape(1, 5, 7, 1))

    def test_protected_pixels_are_those_of_the_content_image(self):
        objective = constraints.MaskedObjective(Quadratic(self.first), self.content, self.protected)
        value, gradient = objective.value_and_grad(self.image)
        with tf.GradientTape() as tape:
            tape.watch(self.image)
            mixed = self.image + self.protected * (self.content - self.image)
            expected = tf.reduce_sum((mixed - self.first) ** 2)
        self.assertAllClose(value.total, expected)
        self.assertAllClose(gradient, tape.gradient(expected, self.image), atol=1e-6)
        self.assertAllEqual(gradient[:, -1, -1], [[0, 0, 0]])

    def test_the_gradient_in_luminance_is_equal_in_all_channels(self):
        objective = constraints.LuminanceObjective(Quadratic(self.first))
        value, gradient = objective.value_and_grad(self.image)
        expected, plain = Quadratic(self.first).value_and_grad(self.image)
        self.assertAllEqual(value.total, expected.total)
        self.assertAllClose(gradient, np.repeat(np.mean(plain, -1, keepdims=True), 3, -1))

    def test_with_other_targets(self):
        """As a graph of a step is used for other images."""

        def build(target, content, protected):
            masked = constraints.MaskedObjective(Quadratic(target), content, protected)
            return constraints.LuminanceObjective(masked)

        first = build(self.first, self.content, self.protected)
        second = build(self.second, self.first, 1 - self.protected)
        expected = second.value_and_grad(self.image)
        found = first.with_targets(second.targets).value_and_grad(self.image)
        for pair in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
            self.assertAllEqual(*pair)


if __name__ == "__main__":
    tf.test.main()
