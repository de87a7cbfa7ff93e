import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from nst_tf.losses import gram


def random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def plain_gram(features, guide):
    """The formula of gram_matrix's docstring."""
    features = tf.cast(features, tf.float32)
    return tf.einsum("bijc,bijd,kij->bcd", features, features, guide[..., 0]) / 35


def plain_moments(features, guide):
    """The formula of moments' docstring."""
    mean = tf.einsum("bijc,kij->bc", tf.cast(features, tf.float32), guide[..., 0]) / 35
    return tf.concat([plain_gram(features, guide), mean[..., tf.newaxis]], axis=-1)


STATISTICS = ((gram.gram_matrix, plain_gram), (gram.moments, plain_moments))


def value_and_grad(statistic, features):
    with tf.GradientTape() as tape:
        tape.watch(features)
        value = statistic(features)
        weighted = tf.reduce_sum(random(*value.shape[1:], seed=1) * value)
    return value, tf.cast(tape.gradient(weighted, features), tf.float32)


class GramTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        guide = np.random.default_rng(2).random((1, 5, 7, 1), np.float32)
        self.guides = {"guided": tf.constant(guide / guide.mean()), "everywhere": None}

    @parameterized.product(
        statistic=STATISTICS,
        precision=[("float32", 1e-6), ("bfloat16", 0.01), ("float16", 0.001)],
        batch=[1, 2],
        guide=["everywhere", "guided"],
    )
    def test_value_and_gradient_are_those_of_the_formula(self, statistic, precision, batch, guide):
        (statistic, plain), (dtype, tolerance) = statistic, precision
        features, guide = tf.cast(random(batch, 5, 7, 3), dtype), self.guides[guide]
        ones = tf.ones([1, 5, 7, 1])
        expected = value_and_grad(lambda x: plain(x, ones if guide is None else guide), features)
        found = value_and_grad(lambda x: statistic(x, guide), features)
        self.assertAllClose(found[0], expected[0], rtol=1e-5, atol=1e-6)
        self.assertLess(tf.norm(found[1] - expected[1]), tolerance * tf.norm(expected[1]))

    @parameterized.parameters(*STATISTICS)
    def test_unknown_size_in_a_graph(self, statistic, _):
        features = tf.constant(random(1, 5, 7, 3))
        unknown = tf.TensorSpec([1, None, None, 3])
        graph = tf.function(lambda x: value_and_grad(statistic, x), input_signature=[unknown])
        for found, expected in zip(
            graph(features), value_and_grad(statistic, features), strict=True
        ):
            self.assertAllClose(found, expected, rtol=1e-6)

    @parameterized.product(statistic=STATISTICS, dtype=[tf.bfloat16, tf.float16])
    def test_low_precision_features_are_summed_in_float32(self, statistic, dtype):
        # 100,000 ones: bfloat16 cannot count beyond 256, float16 not beyond 65504.
        found = statistic[0](tf.ones([1, 100, 1000, 1], dtype))
        self.assertEqual(found.dtype, tf.float32)
        self.assertAllEqual(found, tf.ones_like(found))


if __name__ == "__main__":
    tf.test.main()
