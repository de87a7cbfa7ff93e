import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from nst_tf import losses


def random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


class GramTest(parameterized.TestCase, tf.test.TestCase):
    def test_equals_numpy(self):
        features = random(2, 5, 7, 3)
        expected = np.einsum("bijc,bijd->bcd", features, features) / 35
        self.assertAllClose(losses.gram(features), expected, rtol=1e-5, atol=1e-6)

    def test_repeated_texture_has_the_same_gram_at_twice_the_size(self):
        texture = random(1, 6, 4, 8)
        twice = np.tile(texture, (1, 2, 2, 1))
        self.assertAllClose(losses.gram(texture), losses.gram(twice), rtol=1e-5, atol=1e-6)

    def test_shuffled_positions_do_not_matter_but_channels_do(self):
        features = random(1, 4, 4, 3)
        self.assertAllClose(losses.gram(features), losses.gram(features[:, ::-1]), atol=1e-6)
        self.assertNotAllClose(losses.gram(features), losses.gram(features[..., ::-1]), atol=1e-2)

    def test_unknown_size_in_a_graph(self):
        features = random(1, 5, 7, 3)
        graph = tf.function(losses.gram, input_signature=[tf.TensorSpec([1, None, None, 3])])
        self.assertAllClose(graph(features), losses.gram(features), rtol=1e-6)

    @parameterized.parameters(("float32", 1e-6), ("bfloat16", 0.01), ("float16", 0.001))
    def test_gradient_is_that_of_the_formula(self, dtype, tolerance):
        weights = random(2, 3, 3, seed=1)

        def slope(gram, features):
            with tf.GradientTape() as tape:
                tape.watch(features)
                value = tf.reduce_sum(weights * gram(features))
            return tf.cast(tape.gradient(value, features), tf.float32)

        def plain(features):
            wide = tf.cast(features, tf.float32)
            return tf.einsum("bijc,bijd->bcd", wide, wide) / 35

        features = tf.cast(random(2, 5, 7, 3), dtype)
        expected = slope(plain, features)
        unknown = tf.TensorSpec([None, None, None, None], dtype)
        graph = tf.function(lambda x: slope(losses.gram, x), input_signature=[unknown])
        for found in (slope(losses.gram, features), graph(features)):
            self.assertLess(tf.norm(found - expected), tolerance * tf.norm(expected))

    def test_low_precision_features_are_summed_in_float32(self):
        # 100,000 ones: bfloat16 cannot count beyond 256, float16 not beyond 65504.
        for dtype in (tf.bfloat16, tf.float16):
            gram = losses.gram(tf.ones([1, 100, 1000, 1], dtype))
            self.assertEqual(gram.dtype, tf.float32)
            self.assertAllEqual(gram, [[[1.0]]])


class TermsTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.layers = {"a": random(1, 4, 5, 3, seed=1), "b": random(1, 2, 2, 6, seed=2)}
        self.targets = {"a": random(1, 4, 5, 3, seed=3), "b": random(1, 2, 2, 6, seed=4)}

    def plain(self, layers, targets):
        return losses.distance(layers, targets, losses.sizes(targets))

    def relative(self, layers, targets):
        return losses.distance(layers, targets, losses.energies(targets))

    def test_plain_distance_equals_numpy(self):
        a, b = (np.mean((self.layers[n] - self.targets[n]) ** 2) for n in "ab")
        self.assertAllClose(self.plain(self.layers, self.targets), (a + b) / 2)

    def test_relative_distance_equals_numpy(self):
        a, b = (
            np.sum((self.layers[n] - self.targets[n]) ** 2) / np.sum(self.targets[n] ** 2)
            for n in "ab"
        )
        self.assertAllClose(self.relative(self.layers, self.targets), (a + b) / 2)

    def test_relative_distance_does_not_depend_on_magnitude(self):
        value = self.relative(self.layers, self.targets)
        layers = {name: 1000 * layer for name, layer in self.layers.items()}
        targets = {name: 1000 * target for name, target in self.targets.items()}
        self.assertAllClose(self.relative(layers, targets), value)

    def test_relative_distance_is_zero_at_the_target_and_one_for_nothing(self):
        nothing = {name: np.zeros_like(target) for name, target in self.targets.items()}
        self.assertAllEqual(self.relative(self.targets, self.targets), 0)
        self.assertAllClose(self.relative(nothing, self.targets), 1)
        self.assertAllEqual(self.relative(nothing, nothing), 0)

    def test_pieces_add_up(self):
        norms = losses.energies(self.targets)
        halves = [
            losses.distance(
                {name: layer[:, rows] for name, layer in self.layers.items()},
                {name: target[:, rows] for name, target in self.targets.items()},
                norms,
            )
            for rows in (slice(0, 1), slice(1, None))
        ]
        self.assertAllClose(sum(halves), losses.distance(self.layers, self.targets, norms))


class VariationTest(tf.test.TestCase):
    def test_constant_picture_has_none(self):
        flat = tf.fill([1, 6, 5, 3], 0.7)
        self.assertAllEqual(losses.total_variation(flat), 0)
        self.assertAllEqual(losses.mean_variation(flat), 0)

    def test_checkerboard(self):
        board = np.indices((6, 5)).sum(0) % 2
        image = tf.repeat(tf.constant(board[None, ..., None], tf.float32), 3, -1)
        # 5·5 vertical and 6·4 horizontal pairs a channel, each differing by 1.
        self.assertAllEqual(losses.total_variation(image), 3 * (5 * 5 + 6 * 4))
        self.assertAllEqual(losses.mean_variation(image), 1)

    def test_equals_numpy(self):
        image = random(1, 4, 7, 3)
        down = np.abs(np.diff(image, axis=1))
        across = np.abs(np.diff(image, axis=2))
        tensor = tf.constant(image)
        self.assertAllClose(losses.total_variation(tensor), down.sum() + across.sum())
        self.assertAllClose(
            losses.mean_variation(tensor),
            np.concatenate([down.ravel(), across.ravel()]).mean(),
        )

    def test_its_gradient_is_the_automatic_one(self):
        image = tf.constant(np.round(random(2, 5, 7, 3), 1))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(image)
            ours = losses.total_variation(image)
            theirs = tf.reduce_sum(tf.image.total_variation(image))
        self.assertAllEqual(ours, theirs)
        self.assertAllEqual(tape.gradient(ours, image), tape.gradient(theirs, image))


if __name__ == "__main__":
    tf.test.main()
