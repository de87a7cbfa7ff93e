import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from scipy import linalg
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings
from nst_tf.losses import terms
from nst_tf.networks import vgg


def random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


class GramTest(parameterized.TestCase, tf.test.TestCase):
    def test_equals_numpy(self):
        features = random(2, 5, 7, 3)
        expected = np.einsum("bijc,bijd->bcd", features, features) / 35
        self.assertAllClose(terms.gram(features), expected, rtol=1e-5, atol=1e-6)

    def test_repeated_texture_has_the_same_gram_at_twice_the_size(self):
        texture = random(1, 6, 4, 8)
        twice = np.tile(texture, (1, 2, 2, 1))
        self.assertAllClose(terms.gram(texture), terms.gram(twice), rtol=1e-5, atol=1e-6)

    def test_shuffled_positions_do_not_matter_but_channels_do(self):
        features = random(1, 4, 4, 3)
        self.assertAllClose(terms.gram(features), terms.gram(features[:, ::-1]), atol=1e-6)
        self.assertNotAllClose(terms.gram(features), terms.gram(features[..., ::-1]), atol=1e-2)

    def test_unknown_size_in_a_graph(self):
        features = random(1, 5, 7, 3)
        graph = tf.function(terms.gram, input_signature=[tf.TensorSpec([1, None, None, 3])])
        self.assertAllClose(graph(features), terms.gram(features), rtol=1e-6)

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
        graph = tf.function(lambda x: slope(terms.gram, x), input_signature=[unknown])
        for found in (slope(terms.gram, features), graph(features)):
            self.assertLess(tf.norm(found - expected), tolerance * tf.norm(expected))

    def test_low_precision_features_are_summed_in_float32(self):
        # 100,000 ones: bfloat16 cannot count beyond 256, float16 not beyond 65504.
        for dtype in (tf.bfloat16, tf.float16):
            gram = terms.gram(tf.ones([1, 100, 1000, 1], dtype))
            self.assertEqual(gram.dtype, tf.float32)
            self.assertAllEqual(gram, [[[1.0]]])


class MomentsTest(parameterized.TestCase, tf.test.TestCase):
    def weighted(self, features, guide):
        """By plain einsum: the second moment, and the mean as one more column."""
        wide = tf.cast(features, tf.float32)
        second = tf.einsum("bijc,bijd->bcd", wide, wide * guide) / 35
        mean = tf.reduce_mean(wide * guide, axis=(1, 2))
        return tf.concat([second, mean[..., tf.newaxis]], axis=-1)

    def guides(self):
        guide = np.random.default_rng(2).random((1, 5, 7, 1), np.float32)
        return {"none": None, "even": np.ones_like(guide), "uneven": guide / guide.mean()}

    @parameterized.product(batch=[1, 2], guide=["none", "even", "uneven"])
    def test_equal_numpy(self, batch, guide):
        features, share = random(batch, 5, 7, 3), self.guides()[guide]
        counted = np.ones([1, 5, 7, 1]) if share is None else share
        found = terms.moments(features, share).numpy()
        second = np.einsum("bijc,bijd,bije->bcd", features, features, counted) / 35
        self.assertAllClose(found[..., :-1], second, rtol=1e-5, atol=1e-6)
        self.assertAllClose(found[..., -1], (features * counted).mean((1, 2)), rtol=1e-5, atol=1e-6)

    @parameterized.product(guide=["none", "even", "uneven"])
    def test_the_second_moment_is_the_gram(self, guide):
        features, share = random(1, 5, 7, 3), self.guides()[guide]
        found = terms.moments(features, share)[..., :-1]
        self.assertAllEqual(found, terms.gram(features, share))

    def test_a_guide_of_ones_is_none(self):
        features = random(1, 5, 7, 3)
        self.assertAllClose(
            terms.moments(features, self.guides()["even"]), terms.moments(features), rtol=1e-6
        )

    def test_add_up_over_pieces(self):
        features, guide = random(1, 5, 7, 3), self.guides()["uneven"]
        parts = [
            terms.moments(features[:, rows], guide[:, rows]) * len(range(5)[rows]) / 5
            for rows in (slice(0, 2), slice(2, None))
        ]
        self.assertAllClose(sum(parts), terms.moments(features, guide), rtol=1e-5, atol=1e-6)

    @parameterized.product(
        precision=[("float32", 1e-6), ("bfloat16", 0.01), ("float16", 0.001)],
        batch=[1, 2],
        guide=["none", "uneven"],
    )
    def test_gradient_is_the_automatic_one(self, precision, batch, guide):
        dtype, tolerance = precision
        weights, share = random(batch, 3, 4, seed=1), self.guides()[guide]
        ones = self.guides()["even"]

        def slope(moments, features):
            with tf.GradientTape() as tape:
                tape.watch(features)
                value = tf.reduce_sum(weights * moments(features))
            return tf.cast(tape.gradient(value, features), tf.float32)

        def ours(features):
            return terms.moments(features, share)

        features = tf.cast(random(batch, 5, 7, 3), dtype)
        expected = slope(lambda x: self.weighted(x, ones if share is None else share), features)
        unknown = tf.TensorSpec([None, None, None, None], dtype)
        graph = tf.function(lambda x: slope(ours, x), input_signature=[unknown])
        for found in (slope(ours, features), graph(features)):
            self.assertLess(tf.norm(found - expected), tolerance * tf.norm(expected))

    def test_low_precision_features_are_summed_in_float32(self):
        for dtype in (tf.bfloat16, tf.float16):
            moments = terms.moments(tf.ones([1, 100, 1000, 1], dtype))
            self.assertEqual(moments.dtype, tf.float32)
            self.assertAllEqual(moments, [[[1.0, 1.0]]])


def correlated(height, width, channels, seed, decay=0.7):
    """Features whose directions vary less and less, float32 [1, H, W, C]."""
    rng = np.random.default_rng(seed)
    mixed, _ = np.linalg.qr(rng.normal(size=(channels, channels)))
    spread = mixed * decay ** np.arange(channels)
    flat = rng.normal(size=(height * width, channels)) @ spread.T + rng.normal(size=channels)
    return flat.reshape(1, height, width, channels).astype(np.float32)


def positions(features):
    """The mean and the deviations from it over the root of their number, float64."""
    flat = np.asarray(features, np.float64).reshape(-1, features.shape[-1])
    return flat.mean(0), (flat - flat.mean(0)) / np.sqrt(len(flat))


class WassersteinTest(parameterized.TestCase, tf.test.TestCase):
    def value_and_grad(self, picture, painting):
        picture = tf.constant(picture)
        target = terms.normal(terms.moments(tf.constant(painting)))
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = terms.wasserstein(terms.moments(picture), target)
        self.assertEqual(value.dtype, tf.float32)
        return value, tape.gradient(value, picture)

    def by_sqrtm(self, picture, painting):
        """Dowson & Landau's formula as it stands."""
        (m, x), (mu, y) = positions(picture), positions(painting)
        a, b = x.T @ x, y.T @ y
        root = np.real(linalg.sqrtm(b))
        overlap = np.trace(np.real(linalg.sqrtm(root @ a @ root)))
        squares = np.sum((m - mu) ** 2) + np.trace(a) + np.trace(b) - 2 * overlap
        return squares / (np.trace(b) + mu @ mu)

    def by_singular_values(self, picture, painting):
        """The same without roots of singular matrices: tr (A B)½ is the nuclear norm of X Yᵀ."""
        (m, x), (mu, y) = positions(picture), positions(painting)
        overlap = np.linalg.svd(x @ y.T, compute_uv=False).sum()
        squares = np.sum((m - mu) ** 2) + np.sum(x**2) + np.sum(y**2) - 2 * overlap
        return squares / (np.sum(y**2) + mu @ mu)

    @parameterized.parameters((8, 0.7), (24, 0.8), (64, 0.9))
    def test_equals_scipy(self, channels, decay):
        picture = correlated(12, 15, channels, 0, decay)
        painting = correlated(16, 14, channels, 1, decay)
        expected = self.by_sqrtm(picture, painting)
        self.assertAllClose(self.by_singular_values(picture, painting), expected, rtol=1e-6)
        value, _ = self.value_and_grad(picture, painting)
        self.assertAllClose(value, expected, rtol=1e-4, atol=0)

    def test_equals_scipy_on_the_networks_features(self):
        network = vgg.of(Settings(), "float32")
        picture, painting = (
            {
                name: layer.numpy()
                for name, layer in network(cut(path, *size)[None])["style"].items()
            }
            for path, size in ((PHOTOGRAPH, (192, 256)), (PAINTING, (208, 240)))
        )
        for name in Settings().style_layers:
            value, _ = self.value_and_grad(picture[name], painting[name])
            expected = self.by_sqrtm(picture[name], painting[name])
            self.assertAllClose(value, expected, rtol=1e-4, atol=0, msg=name)

    def test_gradient_is_that_of_finite_differences(self):
        """With respect to all moments; the second moment stays symmetric."""
        picture, painting = (
            tf.cast(terms.moments(correlated(8, 9, 5, seed)), tf.float64) for seed in (0, 1)
        )
        target = terms.normal(painting)
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = terms.wasserstein(picture, target)
        self.assertEqual(value.dtype, tf.float64)
        gradient = tape.gradient(value, picture).numpy()
        pairs = [(i, j) for i in range(5) for j in range(i, 6)]
        for i, j in pairs:
            move = np.zeros([1, 5, 6])
            move[0, i, j] = 1e-5
            if j < 5:
                move[0, j, i] = 1e-5
            ahead, behind = (
                terms.wasserstein(picture + sign * move, target).numpy() for sign in (1, -1)
            )
            self.assertAllClose(
                (ahead - behind) / 2, (gradient * move).sum(), rtol=1e-6, atol=1e-12
            )

    @parameterized.parameters("picture", "painting", "both")
    def test_fewer_positions_than_channels(self, short):
        sizes = {
            name: (4, 5) if short in (name, "both") else (9, 8) for name in ("picture", "painting")
        }
        picture = correlated(*sizes["picture"], 48, 0, 0.95)
        painting = correlated(*sizes["painting"], 48, 1, 0.95)
        value, gradient = self.value_and_grad(picture, painting)
        expected = self.by_singular_values(picture, painting)
        self.assertAllClose(value, expected, rtol=1e-4, atol=0)
        self.assertTrue(np.isfinite(gradient).all())
        smaller = 0.1 * gradient / tf.norm(gradient)
        self.assertLess(self.value_and_grad(picture - smaller, painting)[0], value)

    @parameterized.parameters(((9, 8), 8), ((4, 5), 48))
    def test_identical_features_have_none(self, size, channels):
        same, other = (correlated(*size, channels, seed, 0.9) for seed in (0, 1))
        value, gradient = self.value_and_grad(same, same)
        self.assertAllClose(value, 0, atol=1e-5)
        self.assertLess(tf.norm(gradient), 0.01 * tf.norm(self.value_and_grad(other, same)[1]))

    def test_identical_features_of_the_network_have_none(self):
        network = vgg.of(Settings(), "float32")
        same, other = (
            network(cut(path, 96, 128)[None])["style"] for path in (PAINTING, PHOTOGRAPH)
        )
        for name in Settings().style_layers:
            value, gradient = self.value_and_grad(same[name], same[name])
            self.assertAllClose(value, 0, atol=1e-5)
            beside = self.value_and_grad(other[name], same[name])[1]
            self.assertLess(tf.norm(gradient), 0.1 * tf.norm(beside))

    @parameterized.parameters("picture", "painting", "both")
    def test_uniform_features(self, uniform):
        picture, painting = correlated(8, 9, 6, 0), correlated(9, 8, 6, 1)
        if uniform in ("picture", "both"):
            picture = np.tile(picture[:, :1, :1], (1, 8, 9, 1))
        if uniform in ("painting", "both"):
            painting = np.tile(painting[:, :1, :1], (1, 9, 8, 1))
        value, gradient = self.value_and_grad(picture, painting)
        # Of moments in float32, a covariance of nothing is their rounding; a root makes it more.
        expected = self.by_singular_values(picture, painting)
        self.assertAllClose(value, expected, rtol=1e-3, atol=0)
        self.assertTrue(np.isfinite(gradient).all())
        self.assertGreater(tf.norm(gradient), 0)

    def test_is_1_for_nothing_at_all(self):
        painting = correlated(9, 8, 6, 1)
        value, gradient = self.value_and_grad(np.zeros_like(painting), painting)
        self.assertAllClose(value, 1, rtol=1e-6)
        self.assertTrue(np.isfinite(gradient).all())

    def test_does_not_depend_on_magnitude(self):
        picture, painting = correlated(8, 9, 6, 0), correlated(9, 8, 6, 1)
        value, _ = self.value_and_grad(picture, painting)
        for scale in (1e3, 1e-3):
            scaled, _ = self.value_and_grad(scale * picture, scale * painting)
            self.assertAllClose(scaled, value, rtol=1e-5)

    def test_a_shift_and_a_stretch_have_their_closed_form(self):
        """A move by d costs |d|², a stretch of a centred picture by s costs (s - 1)² tr A."""
        painting = correlated(9, 8, 6, 1)
        painting -= painting.mean((1, 2))
        energy = np.square(painting).sum(-1).mean()
        shift = np.float32(np.arange(6))
        moved, _ = self.value_and_grad(painting + shift, painting)
        self.assertAllClose(moved, np.sum(shift**2) / energy, rtol=1e-4)
        stretched, _ = self.value_and_grad(1.5 * painting, painting)
        self.assertAllClose(stretched, 0.25, rtol=1e-4)

    @parameterized.product(where=["picture", "painting"], what=[np.nan, np.inf])
    def test_what_is_no_number_is_no_error(self, where, what):
        picture, painting = correlated(8, 9, 6, 0), correlated(9, 8, 6, 1)
        {"picture": picture, "painting": painting}[where][0, 3, 4, 2] = what
        value, _ = self.value_and_grad(picture, painting)
        self.assertFalse(np.isfinite(value))

    def test_directions_that_the_picture_hardly_has_are_drawn_less(self):
        """Half of a root's inverse, but for roots below a thousandth of the largest."""
        roots = np.array([4.0, 1.0, 0.01, 1e-4, 0.0])
        covariance = tf.constant(np.diag(roots**2))
        with tf.GradientTape() as tape:
            tape.watch(covariance)
            value = terms.fidelity(covariance, tf.eye(5, dtype=tf.float64))
        self.assertAllClose(value, roots.sum())
        expected = np.diag(0.5 / np.array([4.0, 1.0, 0.01, 4e-3, 4e-3]))
        self.assertAllClose(tape.gradient(value, covariance), expected)

    def test_in_a_graph_of_unknown_size(self):
        def value(picture, painting):
            target = terms.normal(terms.moments(painting))
            return terms.wasserstein(terms.moments(picture), target)

        unknown = tf.TensorSpec([1, None, None, 6])
        graph = tf.function(value, input_signature=[unknown, unknown])
        for size in ((8, 9), (2, 2)):
            pictures = correlated(*size, 6, 0), correlated(9, 8, 6, 1)
            self.assertAllClose(graph(*pictures), value(*map(tf.constant, pictures)), rtol=1e-6)


class TermsTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.layers = {"a": random(1, 4, 5, 3, seed=1), "b": random(1, 2, 2, 6, seed=2)}
        self.targets = {"a": random(1, 4, 5, 3, seed=3), "b": random(1, 2, 2, 6, seed=4)}

    def plain(self, layers, targets):
        return terms.distance(layers, targets, terms.sizes(targets))

    def relative(self, layers, targets):
        return terms.distance(layers, targets, terms.energies(targets))

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
        norms = terms.energies(self.targets)
        halves = [
            terms.distance(
                {name: layer[:, rows] for name, layer in self.layers.items()},
                {name: target[:, rows] for name, target in self.targets.items()},
                norms,
            )
            for rows in (slice(0, 1), slice(1, None))
        ]
        self.assertAllClose(sum(halves), terms.distance(self.layers, self.targets, norms))


class VariationTest(tf.test.TestCase):
    def test_constant_picture_has_none(self):
        flat = tf.fill([1, 6, 5, 3], 0.7)
        self.assertAllEqual(terms.total_variation(flat), 0)
        self.assertAllEqual(terms.mean_variation(flat), 0)

    def test_checkerboard(self):
        board = np.indices((6, 5)).sum(0) % 2
        image = tf.repeat(tf.constant(board[None, ..., None], tf.float32), 3, -1)
        # 5·5 vertical and 6·4 horizontal pairs a channel, each differing by 1.
        self.assertAllEqual(terms.total_variation(image), 3 * (5 * 5 + 6 * 4))
        self.assertAllEqual(terms.mean_variation(image), 1)

    def test_equals_numpy(self):
        image = random(1, 4, 7, 3)
        down = np.abs(np.diff(image, axis=1))
        across = np.abs(np.diff(image, axis=2))
        tensor = tf.constant(image)
        self.assertAllClose(terms.total_variation(tensor), down.sum() + across.sum())
        self.assertAllClose(
            terms.mean_variation(tensor),
            np.concatenate([down.ravel(), across.ravel()]).mean(),
        )

    def test_its_gradient_is_the_automatic_one(self):
        image = tf.constant(np.round(random(2, 5, 7, 3), 1))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(image)
            ours = terms.total_variation(image)
            theirs = tf.reduce_sum(tf.image.total_variation(image))
        self.assertAllEqual(ours, theirs)
        self.assertAllEqual(tape.gradient(ours, image), tape.gradient(theirs, image))


if __name__ == "__main__":
    tf.test.main()
