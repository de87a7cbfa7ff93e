import math
import weakref
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from scipy import linalg
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut, whole

from nst_tf.losses import terms, tiled_objective, tiles
from nst_tf.losses.objective import Objective
from nst_tf.losses.style_targets import Painting
from nst_tf.networks import vgg
from nst_tf.settings import Settings
from nst_tf.transfer import optimizer_of

RECIPES = ("default", "gatys", "tutorial")
LAYERS = dict(style_layers=("block1_conv1", "block2_conv1"), content_layers=("block2_conv2",))


def extractor(settings, precision="float32"):
    return vgg.extractor(
        settings.style_layers,
        settings.content_layers,
        network="vgg19",
        weights="bundled",
        pooling=settings.pooling,
        precision=precision,
    )


def gram(layer):
    return np.einsum("bijc,bijd->bcd", layer, layer) / (layer.shape[1] * layer.shape[2])


def wasserstein(layer, target):
    """The squared 2-Wasserstein distance over the target's second moment, in float64."""
    x, y = (np.float64(each).reshape(-1, each.shape[-1]) for each in (layer, target))
    a, b = (np.cov(each, rowvar=False, bias=True) for each in (x, y))
    root = np.real(linalg.sqrtm(b))
    overlap = np.trace(np.real(linalg.sqrtm(root @ a @ root)))
    squares = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(a) + np.trace(b) - 2 * overlap
    return squares / (np.trace(b) + np.sum(y.mean(0) ** 2))


def relative(layers, targets):
    return terms.distance(layers, targets, terms.energies(targets))


class ObjectiveTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 40, 56)[None]
        self.painting = cut(PAINTING, 48, 64)[None]
        self.image = tf.constant(cut(SAMPLES / "content" / "honey_bee.jpg", 40, 56)[None])

    def build(self, settings, styles=None):
        self.network = extractor(settings)
        styles = styles or [Painting(self.painting)]
        return Objective(self.network, self.content, styles, settings)

    def features(self, image):
        outputs = self.network(image)
        return [{n: f.numpy() for n, f in outputs[kind].items()} for kind in ("style", "content")]

    def test_tutorial_total_equals_numpy(self):
        found = self.build(Settings(recipe="tutorial", **LAYERS)).value(self.image)
        (s, c), (a, _), (_, p) = map(self.features, (self.image, self.painting, self.content))
        style = sum(np.mean((gram(s[n]) - gram(a[n])) ** 2) for n in s) * 1e-2 / 2
        content = np.mean((c["block2_conv2"] - p["block2_conv2"]) ** 2) * 1e4
        tv = 30 * sum(np.abs(np.diff(self.image, axis=axis)).sum() for axis in (1, 2))
        self.assertAllClose(found.style, style, rtol=1e-4)
        self.assertAllClose(found.content, content, rtol=1e-4)
        self.assertAllClose(found.tv, tv, rtol=1e-4)
        self.assertAllClose(found.total, style + content + tv, rtol=1e-4)

    @parameterized.parameters("default", "gatys")
    def test_scale_free_total_equals_numpy(self, recipe):
        settings = Settings(recipe=recipe, tv_weight=0.5, content_weight=0.2, **LAYERS)
        found = self.build(settings).value(self.image)
        (s, c), (a, _), (_, p) = map(self.features, (self.image, self.painting, self.content))
        distance = {
            "default": wasserstein,
            "gatys": lambda x, y: ((gram(x) - gram(y)) ** 2).sum() / (gram(y) ** 2).sum(),
        }[recipe]
        style = np.mean([distance(s[n], a[n]) for n in s])
        f, t = c["block2_conv2"], p["block2_conv2"]
        content = 0.2 * ((f - t) ** 2).sum() / (t**2).sum()
        steps = [np.abs(np.diff(self.image, axis=axis)).ravel() for axis in (1, 2)]
        tv = 0.5 * np.concatenate(steps).mean()
        self.assertAllClose(found.style, style, rtol=1e-4)
        self.assertAllClose(found.content, content, rtol=1e-4)
        self.assertAllClose(found.tv, tv, rtol=1e-4)
        self.assertAllClose(found.total, style + content + tv, rtol=1e-4)

    @parameterized.parameters("wasserstein", "gram")
    def test_style_is_the_weighted_mean_of_layers(self, style_loss):
        names = LAYERS["style_layers"]
        knobs = dict(style_loss=style_loss, style_weight=2.0)
        network = extractor(Settings(**LAYERS))

        def style(weights, layers=names):
            settings = Settings(**knobs, style_layers=layers, style_layer_weights=weights)
            paintings = [Painting(self.painting)]
            return Objective(network, self.content, paintings, settings).value(self.image).style

        one, other = style((5.0, 0.0)), style((0.0, 0.1))
        self.assertNotAllClose(one, other, rtol=0.1)
        expected = 0.25 * one + 0.75 * other
        for weights in ((1.0, 3.0), (1e-3, 3e-3)):
            self.assertAllClose(style(weights), expected, rtol=1e-5)
        self.assertAllClose(style((3.0, 1.0), names[::-1]), expected, rtol=1e-5)

    def test_the_recipe_weighs_its_layers(self):
        network, painting = extractor(Settings()), [Painting(self.painting)]

        def style(**knobs):
            settings = Settings(**knobs)
            return Objective(network, self.content, painting, settings).value(self.image).style

        parts = [style(style_layer_weights=weights) for weights in np.eye(4)]
        expected = np.average(parts, weights=Settings().style_layer_weights)
        self.assertAllClose(style(), expected, rtol=1e-5)
        self.assertNotAllClose(style(), np.mean(parts), rtol=1e-2)

    def test_a_painting_of_layers_that_weigh_nothing_asks_for_nothing(self):
        settings = Settings(**LAYERS, style_layer_weights=(1.0, 0.0))
        other = cut(SAMPLES / "style" / "hokusai_great_wave.jpg", 64, 48)[None]
        place = tf.ones([1, 40, 56, 1])
        one = [Painting(self.painting)]
        both = [*one, Painting(other, layers=["block2_conv1"], place=place)]
        style, mixed = (self.build(settings, each).value(self.image).style for each in (one, both))
        self.assertAllClose(mixed, 0.5 * style, rtol=1e-5)

    @parameterized.parameters(*RECIPES)
    def test_gradient_is_that_of_the_total(self, recipe):
        # The first layers only: max pooling and ReLU make larger differences kink.
        objective = self.build(Settings(recipe=recipe, tv_weight=0.0, **LAYERS))
        value, gradient = objective.value_and_grad(self.image)
        direction = gradient / tf.norm(gradient)
        small = 1e-2
        ahead = objective.value(self.image + small * direction).total
        behind = objective.value(self.image - small * direction).total
        self.assertAllClose((ahead - behind) / (2 * small), tf.norm(gradient), rtol=0.01)
        self.assertAllClose(value.total, objective.value(self.image).total, rtol=1e-6)

    @parameterized.parameters(*RECIPES)
    def test_zero_at_its_own_targets(self, recipe):
        settings = Settings(recipe=recipe, tv_weight=0.0, **LAYERS)
        value = self.build(settings, [Painting(self.content)]).value(self.content)
        self.assertAllClose(value.total, 0, atol=1e-6)

    @parameterized.product(
        recipe=["default", "gatys"], shorter=[("bfloat16", 0.99), ("float16", 0.999)]
    )
    def test_a_shorter_type_neither_overflows_nor_loses_the_gradient(self, recipe, shorter):
        """All layers of the recipe; block4 has activations of up to 23,000."""
        (precision, cosine), settings = shorter, Settings(recipe=recipe)
        values = [
            Objective(
                extractor(settings, name),
                self.content,
                [Painting(self.painting)],
                settings,
            ).value_and_grad(self.image)
            for name in ("float32", precision)
        ]
        (exact, expected), (found, gradient) = values
        self.assertEqual({t.dtype for t in (*found, gradient)}, {tf.float32})
        self.assertAllClose(found.total, exact.total, rtol=0.02)
        product = tf.reduce_sum(gradient * expected)
        self.assertGreater(product / tf.norm(gradient) / tf.norm(expected), cosine)
        self.assertAllClose(tf.norm(gradient), tf.norm(expected), rtol=0.05)

    @parameterized.product(missing=["content", "style"], recipe=["default", "gatys"])
    def test_float16_keeps_the_gradient_where_a_term_vanishes_at_the_photograph(
        self, missing, recipe
    ):
        settings, paintings = Settings(recipe=recipe, style_weight=0), [Painting(self.painting)]
        if missing == "style":
            settings, paintings = Settings(recipe=recipe), [Painting(self.content)]
        noise = tf.random.stateless_normal(self.image.shape, (0, 0), 0.5, 0.1)
        expected, found = (
            Objective(extractor(settings, name), self.content, paintings, settings).value_and_grad(
                noise
            )[1]
            for name in ("float32", "float16")
        )
        cosine = tf.reduce_sum(found * expected) / tf.norm(found) / tf.norm(expected)
        self.assertGreater(cosine, 0.99)

    @parameterized.product(precision=["bfloat16", "float16"], recipe=["default", "gatys"])
    @pytest.mark.slow
    def test_a_shorter_type_at_256_px(self, precision, recipe):
        settings = Settings(recipe=recipe)
        photograph = whole(PHOTOGRAPH, 256)[tf.newaxis]
        painting = whole(PAINTING, 256)[tf.newaxis]
        start = whole(SAMPLES / "content" / "cincinnati_bridge.jpg", 256)[tf.newaxis]
        start = tf.image.resize(start, photograph.shape[1:3])
        expected, found = (
            tf.function(
                Objective(
                    extractor(settings, name), photograph, [Painting(painting)], settings
                ).value_and_grad
            )(start)[1]
            for name in ("float32", precision)
        )
        cosine = tf.reduce_sum(found * expected) / tf.norm(found) / tf.norm(expected)
        self.assertGreater(cosine, 0.99)

    def test_several_paintings_share_the_target(self):
        other = cut(SAMPLES / "style" / "hokusai_great_wave.jpg", 64, 48)[None]
        objective = self.build(Settings(**LAYERS), [Painting(self.painting, 3.0), Painting(other)])
        (a, _), (b, _) = map(self.features, (self.painting, other))
        for name, target in objective.targets.styles[0].items():
            second = 0.75 * gram(a[name]) + 0.25 * gram(b[name])
            mean = 0.75 * a[name].mean((1, 2)) + 0.25 * b[name].mean((1, 2))
            self.assertAllClose(target.second, second, rtol=1e-4, atol=1e-2)
            self.assertAllClose(target.mean, mean, rtol=1e-4, atol=1e-2)
            covariance = second - np.einsum("bc,bd->bcd", mean, mean)
            found = gram(target.directions.numpy()) * target.directions.shape[1]
            self.assertLess(np.linalg.norm(found - covariance), 1e-5 * np.linalg.norm(covariance))

    def test_the_style_term_hardly_changes_with_the_size(self):
        """Content as start, all pairs of samples/, 256 against 512 px."""
        default, gatys = Settings(), Settings(recipe="gatys", pooling="max")
        network = extractor(gatys)
        moments = {
            (path, size): {
                name: terms.moments(layer)
                for name, layer in network(whole(path, size)[tf.newaxis])["style"].items()
            }
            for path in SAMPLES.glob("*/*.jpg")
            for size in (256, 512)
        }

        normals = {
            (path, size): {name: terms.normal(each[name]) for name in default.style_layers}
            for (path, size), each in moments.items()
            if path.parent.name == "style"
        }

        def by_wasserstein(found, asked):
            weights = zip(default.style_layers, default.style_layer_weights, strict=True)
            return sum(
                weight * terms.wasserstein(moments[found][name], normals[asked][name])
                for name, weight in weights
            )

        def by_gram(*pictures):
            return relative(
                *({name: each[..., :-1] for name, each in moments[key].items()} for key in pictures)
            )

        for distance in (by_wasserstein, by_gram):
            changes = []
            for content in SAMPLES.glob("content/*.jpg"):
                for style in SAMPLES.glob("style/*.jpg"):
                    small, large = (distance((content, size), (style, size)) for size in (256, 512))
                    changes.append(abs(float(large / small) - 1))
            self.assertLen(changes, 12)
            self.assertLess(np.median(changes), 0.2)
            self.assertLess(np.max(changes), 0.4)

    def test_a_repeated_texture_has_nearly_the_same_gram_through_the_network(self):
        """Only the borders differ: less and less of the picture as it grows."""
        settings = Settings(style_layers=("block1_conv1", "block3_conv1"))
        network = extractor(settings)
        tile = cut(PAINTING, 32, 32)[None]
        small, large = (
            {
                name: terms.gram(layer)
                for name, layer in network(np.tile(tile, (1, n, n, 1)))["style"].items()
            }
            for n in (4, 8)
        )
        self.assertLess(relative(small, large), 0.01)


class TilesTest(parameterized.TestCase, tf.test.TestCase):
    def compare(self, settings, height, width, most, styles=1):
        content = cut(PHOTOGRAPH, height, width)[None]
        image = tf.constant(cut(SAMPLES / "content" / "honey_bee.jpg", height, width)[None])
        paintings = [
            Painting(cut(PAINTING, width, height)[None], 0.75),
            Painting(cut(SAMPLES / "style" / "hokusai_great_wave.jpg", 150, 170)[None], 0.25),
        ][:styles]
        network = extractor(settings)
        whole, pieced = (
            tiled_objective.objective(network, content, paintings, settings, most=pixels)
            for pixels in (math.inf, most)
        )
        self.assertFalse(whole.tiled)
        self.assertTrue(pieced.tiled)
        expected, gradient = whole.value_and_grad(image)
        found, tiled_gradient = pieced.value_and_grad(image)
        self.assertAllClose(found, expected, rtol=1e-5, atol=0)
        self.assertAllClose(pieced.value(image), expected, rtol=1e-5, atol=0)
        self.assertLess(tf.norm(tiled_gradient - gradient) / tf.norm(gradient), 1e-5)

    @parameterized.parameters(
        ("default", (199, 331), 40_000),
        ("gatys", (199, 331), 50_000),
        ("tutorial", (208, 304), 50_000),
    )
    def test_tiled_is_whole(self, recipe, size, most):
        """Value and gradient, with all layers of the recipe."""
        self.compare(Settings(recipe=recipe, tv_weight=0.1), *size, most)

    @parameterized.product(size=[(208, 304), (199, 331)], most=[40_000, 50_000])
    @pytest.mark.slow
    def test_tiled_is_whole_at_every_size(self, size, most):
        self.compare(Settings(tv_weight=0.1), *size, most)

    @parameterized.parameters(((64, 64), 1500), ((61, 83), 1200), ((40, 57), 800), ((97, 33), 900))
    def test_many_tiles_are_the_whole(self, size, most):
        """Shallow layers look less far, so that there are many tiles with neighbours all round."""
        self.compare(Settings(**LAYERS), *size, most, styles=2)

    def test_tiled_is_whole_along_ten_steps(self):
        """At every picture that L-BFGS comes by; see transfer_test for the pictures themselves."""
        settings = Settings(**LAYERS, precision="float32")
        content, painting = cut(PHOTOGRAPH, 61, 83)[None], cut(PAINTING, 83, 61)[None]
        whole, pieced = (
            tiled_objective.objective(
                extractor(settings), content, [Painting(painting)], settings, most=most
            )
            for most in (math.inf, 1200)
        )
        lbfgs = optimizer_of(settings, history=10)
        state = lbfgs.init(tf.constant(content), bounds=(0.0, 1.0))
        for _ in range(10):
            expected, gradient = whole.value_and_grad(state.trial)
            found, tiled_gradient = pieced.value_and_grad(state.trial)
            self.assertAllClose(found.total, expected.total, rtol=1e-5)
            self.assertLess(tf.norm(tiled_gradient - gradient) / tf.norm(gradient), 1e-5)
            state, _ = lbfgs.step(state, lambda _, seen=(expected, gradient): seen)
        self.assertGreater(tf.norm(state.image - content), 1)

    @parameterized.parameters(
        dict(pooling="avg"),
        dict(content_layers=("block3_conv4",), style_layers=("block2_conv1", "block4_conv1")),
    )
    def test_other_networks_are_the_whole_too(self, **knobs):
        self.compare(Settings(**(LAYERS | knobs)), 150, 211, 21_000)

    def test_a_painting_larger_than_the_picture_is_tiled(self):
        settings = Settings(**LAYERS)
        content, painting = cut(PHOTOGRAPH, 40, 50)[None], cut(PAINTING, 150, 170)[None]
        arguments = extractor(settings), content, [Painting(painting)], settings
        expected = tiled_objective.objective(*arguments).value(content)
        with mock.patch.object(tiles, "look", wraps=tiles.look) as look:
            found = tiled_objective.objective(*arguments, most=2000).value(content)
        self.assertGreater(look.call_count, 5)
        self.assertAllClose(found, expected, rtol=1e-5, atol=1e-12)

    def test_computing_the_targets_does_not_pile_up_the_features_of_tiles(self):
        settings = Settings(**LAYERS)
        content = cut(PHOTOGRAPH, 64, 96)[None]
        look, alive = tiles.look, []

        def watched(*arguments):
            # A loop holds the last tile's until it has the next.
            self.assertLessEqual(sum(tensor() is not None for tensor in alive), 1)
            features = look(*arguments)
            if tf.executing_eagerly():
                alive.append(weakref.ref(features["style"]["block1_conv1"]))
            return features

        network = extractor(settings)
        with mock.patch.object(tiles, "look", watched):
            tiled_objective.objective(network, content, [Painting(content)], settings, most=1500)
        self.assertGreater(len(alive), 3)

    def test_one_trace_serves_all_tiles(self):
        settings = Settings(**LAYERS)
        content = cut(PHOTOGRAPH, 61, 83)[None]
        objective = tiled_objective.objective(
            extractor(settings), content, [Painting(content)], settings, most=1200
        )
        for _ in range(2):
            objective.value_and_grad(tf.constant(content))
        counts = [
            function.experimental_get_tracing_count()
            for function in (objective._tile_sums, objective._tile_gradient)
        ]
        self.assertEqual(counts, [1, 1])

    @parameterized.parameters("bfloat16", "float16")
    def test_tiled_in_a_shorter_type(self, precision):
        settings = Settings(**LAYERS)
        content = cut(PHOTOGRAPH, 64, 64)[None]
        painting = cut(PAINTING, 64, 64)[None]
        image = tf.constant(cut(SAMPLES / "content" / "honey_bee.jpg", 64, 64)[None])
        expected, found = (
            tiled_objective.objective(
                extractor(settings, precision), content, [Painting(painting)], settings, most=most
            ).value_and_grad(image)[1]
            for most in (math.inf, 1500)
        )
        self.assertLess(tf.norm(found - expected) / tf.norm(expected), 0.05)


if __name__ == "__main__":
    tf.test.main()
