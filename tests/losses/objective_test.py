import itertools
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from testing import references
from testing.networks import LAYERS, extractor, small_network
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut, whole

from nst_tf.losses import gram, terms
from nst_tf.losses.objective import style_statistic
from nst_tf.losses.style_targets import StyleImage
from nst_tf.losses.tiled_objective import build_objective
from nst_tf.settings import RECIPES, Settings

BEE = SAMPLES / "content" / "honey_bee.jpg"


def mse(value, target):
    return np.mean((value - target) ** 2)


def relative(value, target):
    return np.sum((value - target) ** 2) / np.sum(target**2)


def of_grams(distance):
    return lambda x, y: distance(references.gram_matrix(x), references.gram_matrix(y))


# By recipe: style loss, content loss, and what is taken of the absolute differences of neighbors.
FORMULAS = {
    "default": (references.wasserstein, relative, np.mean),
    "gatys": (of_grams(relative), relative, np.mean),
    "tutorial": (of_grams(mse), mse, np.sum),
}


def cosine(a, b):
    return tf.reduce_sum(a * b) / tf.norm(a) / tf.norm(b)


class Images(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.content, cls.style = cut(PHOTOGRAPH, 40, 56)[None], cut(PAINTING, 48, 64)[None]
        cls.image = tf.constant(cut(BEE, 40, 56)[None])


class ObjectiveTest(Images):
    def settings(self, recipe, **values):
        return replace(RECIPES[recipe], **LAYERS, **values)

    def build(self, settings, style=None):
        style = self.style if style is None else style
        return build_objective(small_network(), self.content, [StyleImage(style)], settings)

    @parameterized.parameters(*RECIPES)
    def test_total_equals_numpy(self, recipe):
        weights = dict(style_weight=3.0, content_weight=0.2, tv_weight=0.5)
        settings = self.settings(recipe, style_layer_weights=(1.0, 3.0), **weights)
        found = self.build(settings).value(self.image)
        image, content, style = (
            tf.nest.map_structure(np.array, small_network()(each))
            for each in (self.image, self.content, self.style)
        )
        style_distance, content_distance, mean_or_sum = FORMULAS[recipe]
        layers = zip(image["style"].values(), style["style"].values(), strict=True)
        distances = [style_distance(*pair) for pair in layers]
        name = "block2_conv2"
        differences = [np.abs(np.diff(self.image, axis=axis)).ravel() for axis in (1, 2)]
        expected = [
            3.0 * np.average(distances, weights=(1, 3)),
            0.2 * content_distance(image["content"][name], content["content"][name]),
            0.5 * mean_or_sum(np.concatenate(differences)),
        ]
        self.assertAllClose(list(found), [sum(expected), *expected], rtol=1e-4, atol=0)

    @parameterized.parameters(*RECIPES)
    def test_gradient_is_that_of_the_total(self, recipe):
        objective = self.build(self.settings(recipe))
        value, gradient = objective.value_and_grad(self.image)
        self.assertAllClose(value, objective.value(self.image), rtol=1e-6)
        # Short, because ReLU, maxima and total variation have kinks.
        step = 1e-3 * gradient / tf.norm(gradient)
        ahead, behind = (objective.value(self.image + sign * step).total for sign in (1, -1))
        self.assertAllClose((ahead - behind) / 2e-3, tf.norm(gradient), rtol=0.01)

    @parameterized.parameters(*RECIPES)
    def test_zero_at_its_own_targets(self, recipe):
        objective = self.build(self.settings(recipe, tv_weight=0.0), self.content)
        self.assertAllClose(objective.value(self.content).total, 0, atol=1e-6)

    @parameterized.parameters("default", "gatys")
    def test_with_masks_it_compares_the_masked_parts(self, recipe):
        left = np.zeros([1, 40, 56, 1], np.float32)
        left[:, :, :28] = 1
        other = cut(BEE, 30, 50)[None]
        # The first layer, whose guides are the masks themselves.
        style_images = [
            StyleImage(self.style, 3.0, ["block1_conv1"], tf.constant(left)),
            StyleImage(other, 1.0, ["block1_conv1"], tf.constant(1 - left)),
        ]
        network, settings = small_network(), self.settings(recipe)
        found = build_objective(network, self.content, style_images, settings).value(self.image)
        image, style, other = (
            network(each)["style"]["block1_conv1"].numpy()
            for each in (self.image, self.style, other)
        )
        distance = FORMULAS[recipe][0]
        expected = [distance(image[:, :, :28], style), distance(image[:, :, 28:], other)]
        self.assertAllClose(found.style, np.average(expected, weights=(3, 1)), rtol=1e-4)


class LowPrecisionTest(Images):
    """All layers of the recipes; block4 has activations of up to 23,000."""

    def value_and_grad(self, settings, precision, style, image):
        network = extractor(settings, precision)
        objective = build_objective(network, self.content, [StyleImage(style)], settings)
        return objective.value_and_grad(image)

    @parameterized.product(
        recipe=["default", "gatys"], low=[("bfloat16", 0.99), ("float16", 0.999)]
    )
    def test_neither_overflows_nor_loses_the_gradient(self, recipe, low):
        (precision, min_cosine), settings = low, RECIPES[recipe]
        (exact, expected), (found, gradient) = (
            self.value_and_grad(settings, each, self.style, self.image)
            for each in ("float32", precision)
        )
        self.assertEqual({t.dtype for t in (*found, gradient)}, {tf.float32})
        self.assertAllClose(found.total, exact.total, rtol=0.02)
        self.assertGreater(cosine(gradient, expected), min_cosine)
        self.assertAllClose(tf.norm(gradient), tf.norm(expected), rtol=0.05)

    @parameterized.product(zero=["content", "style"], recipe=["default", "gatys"])
    def test_float16_keeps_the_gradient_where_a_term_is_0_at_the_content_image(self, zero, recipe):
        settings, style = replace(RECIPES[recipe], style_weight=0.0), self.style
        if zero == "style":
            settings, style = RECIPES[recipe], self.content
        noise = tf.random.stateless_normal(self.image.shape, (0, 0), 0.5, 0.1)
        found, expected = (
            self.value_and_grad(settings, precision, style, noise)[1]
            for precision in ("float16", "float32")
        )
        self.assertGreater(cosine(found, expected), 0.99)

    @parameterized.parameters("default", "gatys")
    @pytest.mark.slow
    def test_float16_at_256_px(self, recipe):
        """Gradients get smaller as images get larger."""
        settings = RECIPES[recipe]
        content, style, image = (whole(each, 256)[None] for each in (PHOTOGRAPH, PAINTING, BEE))
        image = tf.image.resize(image, content.shape[1:3])
        found, expected = (
            build_objective(
                extractor(settings, precision), content, [StyleImage(style)], settings
            ).value_and_grad(image)[1]
            for precision in ("float16", "float32")
        )
        self.assertGreater(cosine(found, expected), 0.99)


class SizeTest(tf.test.TestCase):
    @pytest.mark.slow
    def test_the_style_loss_hardly_changes_with_the_size(self):
        """Of each content image against each style image, at 512 px compared with 256 px."""
        settings = Settings()
        network = extractor(settings)
        by_moments, by_grams = (
            style_statistic(replace(settings, style_loss=name)) for name in ("wasserstein", "gram")
        )

        def moments(path, size):
            style = network(whole(path, size)[None])["style"]
            return {name: gram.moments(layer) for name, layer in style.items()}

        def losses(content, style):
            grams = ({name: each[..., :-1] for name, each in x.items()} for x in (content, style))
            cases = (by_moments, content, style), (by_grams, *grams)
            for statistic, values, targets in cases:
                targets = {name: statistic.prepare(each) for name, each in targets.items()}
                yield terms.style_loss(values, targets, statistic, settings.layer_weights).numpy()

        contents, styles = (
            [[moments(path, size) for size in (256, 512)] for path in SAMPLES.glob(pattern)]
            for pattern in ("content/*.jpg", "style/*.jpg")
        )
        changes = []
        for content, style in itertools.product(contents, styles):
            small, large = (list(losses(*pair)) for pair in zip(content, style, strict=True))
            changes.append(np.abs(np.divide(large, small) - 1))
        self.assertLen(changes, 12)
        self.assertAllLess(np.median(changes, axis=0), 0.2)
        self.assertAllLess(np.max(changes, axis=0), 0.4)


if __name__ == "__main__":
    tf.test.main()
