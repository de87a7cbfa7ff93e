import itertools
from dataclasses import asdict
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from scipy import ndimage
from testing.pictures import PAINTING, PHOTOGRAPH, cut
from testing.reports import entries
from testing.runs import fake_run

from nst_tf import Picture, Settings
from nst_tf.callbacks.base import Callback
from nst_tf.images.color_transfer import to_oklab
from nst_tf.losses.gram import moments
from nst_tf.losses.wasserstein import normal, wasserstein
from nst_tf.networks import vgg
from nst_tf.reports import comparison
from nst_tf.settings import RECIPES


class EvaluatorTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.content, cls.style = cut(PHOTOGRAPH, 96, 128), cut(PAINTING, 107, 128)
        cls.evaluator = comparison.Evaluator(cls.content, cls.style)
        cls.painting = cut(PAINTING, 96, 128)
        cls.of_itself = comparison.Evaluator(cls.painting, cls.painting)

    def test_the_content_image_has_its_own_content(self):
        scores = self.evaluator.measure(self.content)
        self.assertAllClose(scores.content, 0, atol=1e-9)
        self.assertAllClose(scores.ssim, 1)
        self.assertGreater(scores.style, 0.1)

    def test_the_style_image_has_its_own_style_and_grain(self):
        scores = self.of_itself.measure(self.painting)
        self.assertAllClose(scores.style, 0, atol=1e-6)
        self.assertAllClose(scores.grain, 1)
        scores = self.evaluator.measure(self.painting)
        self.assertGreater(scores.content, 0.1)
        self.assertLess(scores.ssim, 0.5)

    def test_style_is_the_mean_over_the_layers_held_out(self):
        settings = Settings(style_layers=comparison.HELD_OUT)
        network = vgg.extractor_from_settings(settings, "float32")
        features, targets = (network(each[None])["style"] for each in (self.content, self.style))
        distances = [
            wasserstein(moments(features[name]), normal(moments(targets[name])))
            for name in comparison.HELD_OUT
        ]
        scores = self.evaluator.measure(self.content)
        self.assertAllClose(scores.style, np.mean(distances), rtol=1e-5)
        for recipe in RECIPES.values():
            self.assertNoCommonElements(comparison.HELD_OUT, recipe.style_layers)

    def test_content_is_the_relative_error_at_its_layer(self):
        settings = Settings(content_layers=(comparison.CONTENT_LAYER,))
        network = vgg.extractor_from_settings(settings, "float32")
        image = self.content**2
        features, targets = (
            network(each[None])["content"][comparison.CONTENT_LAYER].numpy()
            for each in (image, self.content)
        )
        expected = np.sum((features - targets) ** 2) / np.sum(targets**2)
        self.assertAllClose(self.evaluator.measure(image).content, expected, rtol=1e-5)

    def test_grain_is_relative_to_the_style_image(self):
        blurred = ndimage.gaussian_filter(self.painting, (1, 1, 0))
        noise = np.random.default_rng(0).normal(0, 0.1, self.painting.shape)
        noisy = np.clip(self.painting + noise, 0, 1).astype(np.float32)
        self.assertLess(self.of_itself.measure(blurred).grain, 0.5)
        self.assertGreater(self.of_itself.measure(noisy).grain, 1.2)
        expected = comparison.finest_band(self.content) / comparison.finest_band(self.style)
        self.assertAllClose(self.evaluator.measure(self.content).grain, expected)

    def test_a_style_image_without_detail_makes_no_image_infinitely_grainy(self):
        flat = np.full([64, 64, 3], 0.5, np.float32)
        evaluator = comparison.Evaluator(flat, flat)
        self.assertAllClose([*asdict(evaluator.measure(flat)).values()], [0, 0, 1, 0], atol=1e-2)
        self.assertAllInRange(evaluator.measure(self.content[:64, :64]).grain, 1, 1e4)

    def test_noise_is_less_similar_than_a_darker_image(self):
        noise = np.random.default_rng(0).random(self.content.shape, np.float32)
        darker = self.evaluator.measure(0.9 * self.content)
        self.assertLess(self.evaluator.measure(noise).ssim, darker.ssim)

    @pytest.mark.slow
    def test_tiles_change_no_score(self):
        whole = self.evaluator.measure(self.content**2)
        with mock.patch.object(comparison, "_MAX_TILE_PIXELS", 96 * 64):
            tiled = comparison.Evaluator(self.content, self.style)
        self.assertTrue(tiled._objective.tiled)
        found = tiled.measure(self.content**2)
        self.assertAllClose([*asdict(found).values()], [*asdict(whole).values()], rtol=1e-5)


class FinestBandTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters((PAINTING, 107, 128), (PHOTOGRAPH, 65, 40))
    def test_equals_scipy(self, path, height, width):
        image = cut(path, height, width)
        lightness = to_oklab(image)[..., 0].numpy().astype(np.float64)
        blurred = ndimage.gaussian_filter(lightness, 1, mode="reflect", truncate=4)
        expected = np.sqrt(np.mean((lightness - blurred) ** 2))
        self.assertAllClose(comparison.finest_band(image), expected, rtol=1e-3)

    def test_a_uniform_image_has_none(self):
        uniform = np.full([40, 50, 3], 0.7, np.float32)
        self.assertAllClose(comparison.finest_band(uniform), 0, atol=1e-6)


class EntryTest(tf.test.TestCase):
    def test_captions_say_what_is_known(self):
        content, style, optimized = entries()
        scores = "style 0.021, content 0.65, SSIM 0.40, grain 0.95"
        self.assertEqual(content.caption(), ["photograph", scores])
        self.assertEqual(style.caption(), ["painting"])
        self.assertEqual(optimized.caption(), ["optimised", "12 s cold, 10 s warm", scores])


class CompareTest(tf.test.TestCase):
    def test_optimization_and_models_are_run_and_measured_alike(self):
        class Counter(Callback):
            steps = 0

            def on_step(self, progress):
                self.steps += 1

        counter = Counter()
        found = comparison.compare(
            Picture(cut(PHOTOGRAPH, 120, 160), None, 8),
            Picture(cut(PAINTING, 150, 180), None, 8),
            Settings(size=64, steps=4),
            ["bundled", "bundled"],
            callbacks=[counter],
        )
        names = ["photograph", "painting", "optimised", "fast (bundled)", "fast (bundled)"]
        self.assertEqual([entry.name for entry in found], names)
        content, style, optimized, fast, again = found
        self.assertEqual(counter.steps, 4)
        self.assertEqual(style.rgb.shape, (53, 64, 3))
        self.assertIsNone(style.scores)
        self.assertAllEqual(fast.rgb, again.rgb)
        evaluator = comparison.Evaluator(content.rgb, style.rgb)
        for entry in (optimized, fast):
            self.assertEqual(entry.rgb.shape, (48, 64, 3))
            self.assertGreater(entry.seconds_cold, entry.seconds_warm)
            self.assertLess(entry.scores.style, content.scores.style)
            self.assertEqual(evaluator.measure(entry.rgb), entry.scores)

    def test_hidden_parts_do_not_count(self):
        alpha = np.zeros([150, 180], np.float32)
        alpha[:90, 60:] = 1
        cut_out = Picture(cut(PAINTING, 150, 180), alpha, 8)
        photograph = Picture(cut(PHOTOGRAPH, 120, 160), np.eye(120, 160, dtype=np.float32), 8)
        run = fake_run([1.0], size=(48, 64))
        with (
            mock.patch.object(comparison, "optimize", return_value=run) as optimize,
            mock.patch.object(comparison, "Evaluator"),
            mock.patch.object(
                comparison, "_run_model", return_value=comparison.Entry("fast", cut_out.rgb)
            ) as model,
        ):
            _, style, *_ = comparison.compare(photograph, cut_out, Settings(size=64), ["bundled"])
        self.assertEqual(style.rgb.shape, (48, 64, 3))
        self.assertEqual(model.call_args.args[2].shape, (90, 120, 3))
        self.assertIs(optimize.call_args.kwargs["alpha"], photograph.alpha)
        self.assertIs(optimize.call_args.args[1][0].region, alpha)

    def test_of_an_optimization_that_is_stopped_the_picture_so_far(self):
        run = fake_run([4.0, 3.0], [2.0, 1.0], size=(72, 96))
        with (
            mock.patch.object(comparison, "optimize", return_value=run),
            mock.patch.object(comparison, "Evaluator") as evaluator,
        ):
            pair = [
                Picture(cut(path, *size), None, 8)
                for path, size in ((PHOTOGRAPH, (120, 160)), (PAINTING, (150, 180)))
            ]
            *_, optimized = comparison.compare(
                *(*pair, Settings(size=96), []),
                follow=lambda steps: itertools.islice(steps, 2),
            )
        # Two steps of 48 x 36 px; two of 96 x 72 are left.
        self.assertEqual(optimized.name, "optimised to 20%")
        self.assertAllClose(optimized.rgb, np.full([72, 96, 3], 1 / 64))
        self.assertIs(optimized.scores, evaluator().measure())


if __name__ == "__main__":
    tf.test.main()
