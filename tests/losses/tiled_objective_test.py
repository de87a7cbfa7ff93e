import math
import weakref
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from testing.networks import LAYERS, RecordingNetwork, extractor, small_network
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut

from nst_tf.losses import tiles
from nst_tf.losses.style_targets import StyleImage
from nst_tf.losses.terms import StyleStatistic
from nst_tf.losses.tiled_objective import build_objective
from nst_tf.settings import RECIPES, Settings

BEE = SAMPLES / "content" / "honey_bee.jpg"
WAVE = SAMPLES / "style" / "hokusai_great_wave.jpg"
SMALL = Settings(**LAYERS, tv_weight=0.1)


def mean_features(features, guide):
    """The mean over positions, float32 [B, C]."""
    wide = tf.cast(features, tf.float32)
    return tf.reduce_mean(wide if guide is None else wide * guide, axis=(1, 2))


def mean_squared_difference(value, target):
    return tf.reduce_mean(tf.math.squared_difference(value, target))


MEANS = StyleStatistic(compute=mean_features, distance=mean_squared_difference)


def random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).random(shape, np.float32))


def masked_style_images():
    """With masks and a region, larger than the images here, and one for everywhere."""
    style, wave = cut(PAINTING, 90, 100)[None], cut(WAVE, 30, 40)[None]
    return [
        StyleImage(style, 0.7, mask=random(1, 32, 48, 1), region=random(1, 45, 50, 1, seed=1)),
        StyleImage(wave, 0.2, mask=random(1, 20, 20, 1, seed=2)),
        StyleImage(wave, 0.1),
    ]


class Comparison(parameterized.TestCase, tf.test.TestCase):
    def compare(self, network, settings, size, max_tile_pixels, style_images, **options):
        """Value and gradient in tiles are those of the whole image."""
        content, image = (tf.constant(cut(path, *size)[None]) for path in (PHOTOGRAPH, BEE))
        whole, tiled = (
            build_objective(
                network, content, style_images, settings, max_tile_pixels=pixels, **options
            )
            for pixels in (math.inf, max_tile_pixels)
        )
        self.assertEqual((whole.tiled, tiled.tiled), (False, True))
        expected, gradient = whole.value_and_grad(image)
        found, tiled_gradient = tiled.value_and_grad(image)
        self.assertAllClose(found, expected, rtol=1e-5, atol=0)
        self.assertAllClose(tiled.value(image), expected, rtol=1e-5, atol=0)
        self.assertLess(tf.norm(tiled_gradient - gradient), 1e-5 * tf.norm(gradient))


class TiledObjectiveTest(Comparison):
    def compare_recipe(self, recipe, max_tile_pixels):
        """All layers of a recipe, in tiles."""
        settings = replace(RECIPES[recipe], tv_weight=0.1)
        style_images = [StyleImage(cut(PAINTING, 264, 120)[None])]
        self.compare(extractor(settings), settings, (120, 264), max_tile_pixels, style_images)

    def test_equals_the_whole_with_all_layers(self):
        self.compare_recipe("default", 24_000)

    @pytest.mark.slow
    def test_equals_the_whole_with_all_layers_of_gatys(self):
        self.compare_recipe("gatys", 28_000)

    @parameterized.parameters(
        ("default", "max", (64, 64), 1500),
        ("default", "avg", (61, 83), 1200),
        ("gatys", "max", (40, 57), 800),
        ("tutorial", "max", (97, 33), 900),
    )
    def test_many_tiles_equal_the_whole(self, recipe, pooling, size, max_tile_pixels):
        """With neighbors all round, masks and a region."""
        settings = replace(RECIPES[recipe], **LAYERS, tv_weight=0.1)
        network = small_network(pooling=pooling)
        self.compare(network, settings, size, max_tile_pixels, masked_style_images())

    def test_style_images_are_in_tiles_of_twice_the_pixels(self):
        network = RecordingNetwork(small_network())
        content, style = random(1, 40, 50, 3), random(1, 150, 170, 3)
        build_objective(network, content, [StyleImage(style)], SMALL, max_tile_pixels=1000)
        self.assertGreater(len(network.evaluated), 10)
        self.assertBetween(max(network.evaluated), 1000, 2000)

    def test_one_trace_serves_all_tiles(self):
        network = RecordingNetwork(small_network())
        content, style = random(1, 61, 83, 3), random(1, 40, 40, 3)
        objective = build_objective(
            network, content, [StyleImage(style)], SMALL, max_tile_pixels=1200
        )
        for _ in range(2):
            objective.value_and_grad(content)
        # One of the statistics and one of their gradient.
        self.assertEqual(network.traces, 2)

    def test_computing_the_targets_does_not_pile_up_the_features_of_tiles(self):
        tile_features, alive = tiles.tile_features, []

        def watched(*arguments):
            self.assertEqual(sum(tensor() is not None for tensor in alive), 0)
            features = tile_features(*arguments)
            if tf.executing_eagerly():
                alive.append(weakref.ref(features["style"]["block1_conv1"]))
            return features

        content = random(1, 64, 96, 3)
        with mock.patch.object(tiles, "tile_features", watched):
            build_objective(
                small_network(), content, [StyleImage(content)], SMALL, max_tile_pixels=1500
            )
        self.assertGreater(len(alive), 3)

    @parameterized.parameters("bfloat16", "float16")
    def test_equals_the_whole_in_low_precision(self, precision):
        content, image, style = (cut(path, 64, 64)[None] for path in (PHOTOGRAPH, BEE, PAINTING))
        network = small_network(precision)
        expected, found = (
            build_objective(
                network, content, [StyleImage(style)], SMALL, max_tile_pixels=pixels
            ).value_and_grad(tf.constant(image))[1]
            for pixels in (math.inf, 1500)
        )
        self.assertLess(tf.norm(found - expected), 0.05 * tf.norm(expected))


class CustomStatisticTest(Comparison):
    """A style loss is a pair of functions."""

    def test_value_and_gradient(self):
        left = np.zeros([1, 40, 56, 1], np.float32)
        left[:, :, :28] = 1
        content, image, style = (
            random(1, 40, 56, 3),
            random(1, 40, 56, 3, seed=1),
            random(1, 9, 8, 3),
        )
        network = small_network()
        objective = build_objective(
            network,
            content,
            [StyleImage(style, mask=tf.constant(left))],
            replace(SMALL, style_layer_weights=(1.0, 3.0), content_weight=0.0, tv_weight=0.0),
            statistic=MEANS,
        )
        found, gradient = objective.value_and_grad(image)
        with tf.GradientTape() as tape:
            tape.watch(image)
            layers, targets = network(image)["style"], network(style)["style"]
            parts = layers["block1_conv1"][:, :, :28], layers["block2_conv1"][:, :, :14]
            first, second = (
                tf.reduce_mean((tf.reduce_mean(part, (1, 2)) - tf.reduce_mean(target, (1, 2))) ** 2)
                for part, target in zip(parts, targets.values(), strict=True)
            )
            expected = (first + 3 * second) / 4
        self.assertAllClose(found.total, expected, rtol=1e-5)
        expected_gradient = tape.gradient(expected, image)
        self.assertLess(tf.norm(gradient - expected_gradient), 1e-5 * tf.norm(expected_gradient))

    def test_tiled_equals_the_whole(self):
        self.compare(small_network(), SMALL, (61, 83), 1200, masked_style_images(), statistic=MEANS)


if __name__ == "__main__":
    tf.test.main()
