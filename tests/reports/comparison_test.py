from dataclasses import asdict
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from scipy import ndimage
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings
from nst_tf.images.color_transfer import to_oklab
from nst_tf.losses import terms
from nst_tf.networks import vgg
from nst_tf.reports import comparison


class EvaluatorTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.content, cls.style = cut(PHOTOGRAPH, 96, 128), cut(PAINTING, 107, 128)
        cls.evaluator = comparison.Evaluator(cls.content, cls.style)
        cls.painting = cut(PAINTING, 96, 128)
        cls.of_itself = comparison.Evaluator(cls.painting, cls.painting)

    def test_the_photograph_has_its_own_shapes(self):
        scores = self.evaluator.measure(self.content)
        self.assertAllClose(scores.content, 0, atol=1e-9)
        self.assertAllClose(scores.ssim, 1)
        self.assertGreater(scores.style, 0.1)

    def test_the_painting_has_its_own_style_and_grain(self):
        scores = self.of_itself.measure(self.painting)
        self.assertAllClose(scores.style, 0, atol=1e-6)
        self.assertAllClose(scores.grain, 1)
        scores = self.evaluator.measure(self.painting)
        self.assertGreater(scores.content, 0.1)
        self.assertLess(scores.ssim, 0.5)

    def test_style_is_the_mean_of_the_layers_held_out(self):
        network = vgg.of(Settings(style_layers=comparison.HELD_OUT), "float32")
        found, asked = (network(each[None])["style"] for each in (self.content, self.style))
        distances = [
            terms.wasserstein(terms.moments(found[name]), terms.normal(terms.moments(asked[name])))
            for name in comparison.HELD_OUT
        ]
        scores = self.evaluator.measure(self.content)
        self.assertAllClose(scores.style, np.mean(distances), rtol=1e-5)
        for recipe in ("default", "gatys", "tutorial"):
            self.assertEmpty({*comparison.HELD_OUT} & {*Settings(recipe=recipe).style_layers})

    def test_content_is_the_relative_error_of_its_layer(self):
        network = vgg.of(Settings(content_layers=(comparison.CONTENT_LAYER,)), "float32")
        picture = self.content**2
        found, asked = (
            network(each[None])["content"][comparison.CONTENT_LAYER].numpy()
            for each in (picture, self.content)
        )
        expected = np.sum((found - asked) ** 2) / np.sum(asked**2)
        self.assertAllClose(self.evaluator.measure(picture).content, expected, rtol=1e-5)

    def test_a_blurred_picture_has_less_grain_and_a_noisy_one_more(self):
        blurred = ndimage.gaussian_filter(self.painting, (1, 1, 0))
        noise = np.random.default_rng(0).normal(0, 0.1, self.painting.shape)
        noisy = np.clip(self.painting + noise, 0, 1).astype(np.float32)
        self.assertLess(self.of_itself.measure(blurred).grain, 0.5)
        self.assertGreater(self.of_itself.measure(noisy).grain, 1.2)

    def test_grain_is_relative_to_the_painting(self):
        expected = comparison.finest_band(self.content) / comparison.finest_band(self.style)
        self.assertAllClose(self.evaluator.measure(self.content).grain, expected)

    def test_a_painting_without_detail_makes_no_picture_infinitely_grainy(self):
        flat = np.full([64, 64, 3], 0.5, np.float32)
        evaluator = comparison.Evaluator(flat, flat)
        self.assertAllClose([*asdict(evaluator.measure(flat)).values()], [0, 0, 1, 0], atol=1e-2)
        scores = evaluator.measure(self.content[:64, :64])
        self.assertAllInRange(scores.grain, 1, 1e4)

    def test_noise_is_less_like_the_photograph_than_a_darker_photograph(self):
        noise = np.random.default_rng(0).random(self.content.shape, np.float32)
        self.assertLess(
            self.evaluator.measure(noise).ssim, self.evaluator.measure(0.9 * self.content).ssim
        )

    @pytest.mark.slow
    def test_looking_at_parts_changes_no_score(self):
        whole = self.evaluator.measure(self.content**2)
        with mock.patch.object(comparison, "_MOST_SEEN", 96 * 64):
            parts = comparison.Evaluator(self.content, self.style)
        found = parts.measure(self.content**2)
        self.assertTrue(parts._objective.tiled)
        self.assertAllClose([*asdict(found).values()], [*asdict(whole).values()], rtol=1e-5)


class FinestBandTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters((PAINTING, 107, 128), (PHOTOGRAPH, 65, 40))
    def test_equals_scipy(self, path, height, width):
        picture = cut(path, height, width)
        lightness = to_oklab(picture)[..., 0].numpy().astype(np.float64)
        blurred = ndimage.gaussian_filter(lightness, 1, mode="reflect", truncate=4)
        expected = np.sqrt(np.mean((lightness - blurred) ** 2))
        self.assertAllClose(comparison.finest_band(picture), expected, rtol=1e-3)

    def test_a_uniform_picture_has_none(self):
        self.assertAllClose(
            comparison.finest_band(np.full([40, 50, 3], 0.7, np.float32)), 0, atol=1e-6
        )


class CompareTest(tf.test.TestCase):
    def test_slow_and_fast_are_painted_and_judged_alike(self):
        content, style = cut(PHOTOGRAPH, 120, 160), cut(PAINTING, 150, 180)
        settings = Settings(size=64, steps=4)
        entries = comparison.compare(content, style, settings, ["bundled", "bundled"])
        names = ["photograph", "painting", "optimised", "fast (bundled)", "fast (bundled)"]
        self.assertEqual([entry.name for entry in entries], names)
        photograph, painting, slow, fast, again = entries
        self.assertEqual(painting.rgb.shape, (53, 64, 3))
        self.assertIsNone(painting.scores)
        self.assertAllEqual(fast.rgb, again.rgb)
        for entry in (slow, fast):
            self.assertEqual(entry.rgb.shape, (48, 64, 3))
            self.assertGreater(entry.seconds_cold, entry.seconds_warm)
            self.assertLess(entry.scores.style, photograph.scores.style)
            judge = comparison.Evaluator(photograph.rgb, painting.rgb)
            self.assertEqual(judge.measure(entry.rgb), entry.scores)


if __name__ == "__main__":
    tf.test.main()
