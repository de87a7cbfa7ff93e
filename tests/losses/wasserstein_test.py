import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing import references
from testing.networks import extractor
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings
from nst_tf.losses import gram, wasserstein


def correlated(height, width, channels, seed, decay=0.7):
    """Features whose directions vary less and less, float32 [1, H, W, C]."""
    rng = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(rng.normal(size=(channels, channels)))
    directions *= decay ** np.arange(channels)
    flat = rng.normal(size=(height * width, channels)) @ directions.T + rng.normal(size=channels)
    return flat.reshape(1, height, width, channels).astype(np.float32)


def uniform(features):
    return np.zeros_like(features) + features[:, :1, :1]


def value_and_grad(features, style):
    features = tf.constant(features)
    target = wasserstein.normal(gram.moments(tf.constant(style)))
    with tf.GradientTape() as tape:
        tape.watch(features)
        value = wasserstein.wasserstein(gram.moments(features), target)
    return value, tape.gradient(value, features)


class WassersteinTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters((8, 0.7, 1.0), (24, 0.8, 1e3), (24, 0.8, 1e-3), (64, 0.9, 1.0))
    def test_equals_numpy(self, channels, decay, scale):
        features = scale * correlated(12, 15, channels, 0, decay)
        style = scale * correlated(16, 14, channels, 1, decay)
        expected = references.wasserstein(features, style)
        self.assertAllClose(references.wasserstein_by_sqrtm(features, style), expected, rtol=1e-6)
        value, _ = value_and_grad(features, style)
        self.assertEqual(value.dtype, tf.float32)
        self.assertAllClose(value, expected, rtol=1e-4, atol=0)

    def test_equals_numpy_on_the_networks_features(self):
        """And for equal features it is 0, with hardly a gradient, though roots are steep there."""
        network = extractor(Settings())
        features, style = (
            network(cut(path, 64, 96)[None])["style"] for path in (PHOTOGRAPH, PAINTING)
        )
        for name, target in style.items():
            value, gradient = value_and_grad(features[name], target)
            expected = references.wasserstein(features[name], target)
            self.assertAllClose(value, expected, rtol=1e-4, atol=0, msg=name)
            match, rest = value_and_grad(target, target)
            self.assertAllClose(match, 0, atol=1e-5)
            self.assertLess(tf.norm(rest), 0.1 * tf.norm(gradient))

    def test_gradient_is_that_of_finite_differences(self):
        """With respect to all moments; the second moment stays symmetric."""
        moments, style = (
            tf.cast(gram.moments(correlated(8, 9, 5, seed)), tf.float64) for seed in (0, 1)
        )
        target = wasserstein.normal(style)
        with tf.GradientTape() as tape:
            tape.watch(moments)
            value = wasserstein.wasserstein(moments, target)
        self.assertEqual(value.dtype, tf.float64)
        gradient = tape.gradient(value, moments).numpy()
        for seed in range(3):
            step = 1e-5 * np.random.default_rng(seed).normal(size=(1, 5, 6))
            step[..., :5] += step[..., :5].swapaxes(1, 2)
            ahead, behind = (
                wasserstein.wasserstein(moments + sign * step, target).numpy() for sign in (1, -1)
            )
            self.assertAllClose(
                (ahead - behind) / 2, (gradient * step).sum(), rtol=1e-6, atol=1e-12
            )

    @parameterized.parameters(((4, 5), (9, 8)), ((9, 8), (4, 5)), ((4, 5), (4, 5)))
    def test_fewer_positions_than_channels(self, size, style_size):
        features, style = correlated(*size, 48, 0, 0.95), correlated(*style_size, 48, 1, 0.95)
        value, gradient = value_and_grad(features, style)
        self.assertAllClose(value, references.wasserstein(features, style), rtol=1e-4, atol=0)
        self.assertTrue(np.isfinite(gradient).all())
        step = 0.1 * gradient / tf.norm(gradient)
        self.assertLess(value_and_grad(features - step, style)[0], value)

    def test_uniform_features(self):
        varied, other = correlated(8, 9, 6, 0), correlated(9, 8, 6, 1)
        for features, style in (
            (uniform(varied), other),
            (varied, uniform(other)),
            (uniform(varied), uniform(other)),
            (np.zeros_like(varied), other),
        ):
            value, gradient = value_and_grad(features, style)
            # A covariance of 0 is, from float32 moments, their rounding; a root makes it more.
            expected = references.wasserstein(features, style)
            self.assertAllClose(value, expected, rtol=1e-3, atol=0)
            self.assertTrue(np.isfinite(gradient).all())
            self.assertGreater(tf.norm(gradient), 0)

    @parameterized.product(in_style=[False, True], number=[np.nan, np.inf])
    def test_is_not_finite_where_features_are_not(self, in_style, number):
        pair = correlated(8, 9, 6, 0), correlated(9, 8, 6, 1)
        pair[in_style][0, 3, 4, 2] = number
        self.assertFalse(np.isfinite(value_and_grad(*pair)[0]))

    def test_directions_that_the_image_hardly_has_count_less(self):
        """Half of a root's inverse, but for roots below a thousandth of the largest."""
        roots = np.array([4.0, 1.0, 0.01, 1e-4, 0.0])
        covariance = tf.constant(np.diag(roots**2))
        with tf.GradientTape() as tape:
            tape.watch(covariance)
            value = wasserstein.fidelity(covariance, tf.eye(5, dtype=tf.float64))
        self.assertAllClose(value, roots.sum())
        expected = np.diag(0.5 / np.array([4.0, 1.0, 0.01, 4e-3, 4e-3]))
        self.assertAllClose(tape.gradient(value, covariance), expected)

    def test_in_a_graph_of_unknown_size(self):
        def value(features, style):
            target = wasserstein.normal(gram.moments(style))
            return wasserstein.wasserstein(gram.moments(features), target)

        unknown = tf.TensorSpec([1, None, None, 6])
        graph = tf.function(value, input_signature=[unknown, unknown])
        for size in ((8, 9), (2, 2)):
            pair = tf.constant(correlated(*size, 6, 0)), tf.constant(correlated(9, 8, 6, 1))
            self.assertAllClose(graph(*pair), value(*pair), rtol=1e-6)


if __name__ == "__main__":
    tf.test.main()
