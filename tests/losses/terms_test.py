import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from nst_tf.losses import terms


def random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


class ContentLossTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.features = {"a": random(1, 4, 5, 3, seed=1), "b": random(1, 2, 2, 6, seed=2)}
        self.targets = {"a": random(1, 4, 5, 3, seed=3), "b": random(1, 2, 2, 6, seed=4)}

    @parameterized.parameters(
        (terms.mse_norms, lambda features, target: np.mean((features - target) ** 2)),
        (
            terms.target_energies,
            lambda features, target: np.sum((features - target) ** 2) / np.sum(target**2),
        ),
    )
    def test_equals_numpy(self, norms, formula):
        expected = np.mean([formula(self.features[name], self.targets[name]) for name in "ab"])
        found = terms.content_loss(self.features, self.targets, norms(self.targets))
        self.assertAllClose(found, expected)

    def test_relative_to_the_target_it_is_1_for_zeros_and_0_for_a_match(self):
        zeros = {name: np.zeros_like(target) for name, target in self.targets.items()}

        def loss(features, targets):
            return terms.content_loss(features, targets, terms.target_energies(targets))

        self.assertAllClose(loss(zeros, self.targets), 1)
        self.assertAllEqual(loss(self.targets, self.targets), 0)
        self.assertAllEqual(loss(zeros, zeros), 0)


class StyleLossTest(parameterized.TestCase, tf.test.TestCase):
    STATISTIC = terms.StyleStatistic(
        compute=lambda features, guide: tf.reduce_mean(features, (1, 2)),
        distance=lambda value, target: tf.reduce_sum(tf.abs(value - target)),
    )

    @parameterized.parameters((1, 3), (1e-3, 3e-3))
    def test_is_the_mean_of_layers_by_their_weights(self, first, second):
        values = {"a": tf.constant([[1.0]]), "b": tf.constant([[2.0, 3.0]])}
        targets = {"b": tf.constant([[4.0, 7.0]]), "a": tf.constant([[2.0]])}
        weights = {"a": first, "b": second, "other": 5}
        found = terms.style_loss(values, targets, self.STATISTIC, weights)
        self.assertAllClose(found, (1 * 1 + 3 * 6) / 4)

    def test_layers_without_weight_have_none(self):
        value, target = {"a": tf.constant([[1.0]])}, {"a": tf.constant([[2.0]])}
        found = terms.style_loss(value, target, self.STATISTIC, {"a": 0.0})
        self.assertAllEqual(found, 0)


if __name__ == "__main__":
    tf.test.main()
