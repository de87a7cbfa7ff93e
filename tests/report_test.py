from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings, Style, optimize, report


class EvaluatorTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.content, cls.style = cut(PHOTOGRAPH, 96, 128), cut(PAINTING, 107, 128)
        cls.evaluator = report.Evaluator(cls.content, cls.style)

    def test_the_photograph_has_no_content_loss_and_is_like_itself(self):
        scores = self.evaluator.measure(self.content)
        self.assertAllClose(scores.content, 0, atol=1e-9)
        self.assertAllClose(scores.ssim, 1)
        self.assertGreater(scores.style, 0)
        self.assertAllClose(scores.total, scores.style + scores.content)

    def test_the_painting_has_no_style_error_at_any_layer(self):
        evaluator = report.Evaluator(self.content, self.content)
        scores = evaluator.measure(self.content)
        self.assertAllClose([scores.style, scores.other_style], [0, 0], atol=1e-9)
        self.assertGreater(self.evaluator.measure(self.content).other_style, 0.01)

    def test_the_losses_are_those_of_the_optimisation_in_float32(self):
        settings = Settings(size=128, scales=1, steps=1, precision="float32", tv_weight=0.0)
        losses = next(optimize(self.content, [Style(self.style)], settings)).losses
        scores = self.evaluator.measure(self.content)
        self.assertAllClose([scores.total, scores.style], [losses.total, losses.style], rtol=1e-5)

    def test_noise_is_less_like_the_photograph_than_a_darker_photograph(self):
        noise = np.random.default_rng(0).random(self.content.shape, np.float32)
        self.assertLess(
            self.evaluator.measure(noise).ssim, self.evaluator.measure(0.9 * self.content).ssim
        )

    @pytest.mark.slow
    def test_looking_at_parts_changes_no_score(self):
        whole = self.evaluator.measure(self.content**2)
        with mock.patch.object(report, "_MOST_SEEN", 96 * 64):
            parts = report.Evaluator(self.content, self.style)
        self.assertAllClose(
            [whole.total, whole.other_style],
            [parts.measure(self.content**2).total, parts.measure(self.content**2).other_style],
            rtol=1e-4,
        )


class CompareTest(tf.test.TestCase):
    def test_slow_and_fast_are_painted_and_judged_alike(self):
        content, style = cut(PHOTOGRAPH, 120, 160), cut(PAINTING, 150, 180)
        settings = Settings(size=64, steps=4)
        entries = report.compare(content, style, settings, ["bundled", "bundled"])
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
            judge = report.Evaluator(photograph.rgb, painting.rgb)
            self.assertEqual(judge.measure(entry.rgb), entry.scores)


if __name__ == "__main__":
    tf.test.main()
