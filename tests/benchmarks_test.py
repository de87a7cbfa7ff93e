"""The parts of the benchmarks that decide what their figures mean; these need no PyTorch."""

import io
import os
import sys
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import ROOT

from nst_tf import startup

sys.path.insert(0, str(ROOT / "benchmarks"))
import commits  # noqa: E402  (after the path to it)
import contact_sheet  # noqa: E402
import crowsonkb_report  # noqa: E402
import quality_report  # noqa: E402
import rate_report  # noqa: E402
from curves import seconds_to  # noqa: E402
from limit import Limit, convolutions, step_operations  # noqa: E402
from stepwise import stepwise  # noqa: E402


class CurvesTest(parameterized.TestCase):
    @parameterized.parameters(
        (9.0, 1.0), (8.0, 1.0), (7.0, 2.0), (6.0, 3.0), (5.5, 4.0), (4.0, 7.0), (3.9, None)
    )
    def test_seconds_are_interpolated_between_evaluations(self, target, expected):
        # The loss may rise in between; what counts is when it first comes down.
        curve = [(0, 1.0, 8.0), (1, 3.0, 6.0), (2, 5.0, 5.0), (3, 6.0, 5.4), (4, 7.0, 4.0)]
        self.assertEqual(seconds_to(curve, target), expected)

    def test_a_curve_without_points_never_gets_there(self):
        self.assertIsNone(seconds_to([], 1.0))


class LimitTest(absltest.TestCase):
    def test_operations_are_counted_by_hand(self):
        # Each convolution: 9 positions of its kernel, forward and back, 2 operations each.
        first, second = 3 * 64, 64 * 64
        pixels = 10 * 7
        counted = step_operations(convolutions(10, 7, ["block1_conv1"]))
        self.assertEqual(counted, 2 * 2 * 9 * first * pixels)
        counted = step_operations(convolutions(10, 7, ["block1_conv1", "block2_conv1"]))
        quarter = 5 * 3
        expected = 2 * 2 * 9 * ((first + second) * pixels + 64 * 128 * quarter)
        self.assertEqual(counted, expected)

    def test_an_unknown_layer_is_refused(self):
        with self.assertRaisesRegex(ValueError, "block9_conv1"):
            convolutions(8, 8, ["block9_conv1"])

    def test_rates_are_operations_by_seconds(self):
        calls = []
        limit = Limit({(24, 32): lambda: calls.append(1)})
        limit.sample()
        self.assertLen(calls, 3)
        self.assertGreater(limit.rates()["24x32"], 1e9)


class StepwiseTest(absltest.TestCase):
    def test_reports_come_one_at_a_time(self):
        done = []

        def run(report):
            for number in range(3):
                done.append(number)
                report(number)

        stream = stepwise(run)
        self.assertEqual((next(stream), done), (0, [0]))
        self.assertEqual(list(stream), [1, 2])

    def test_leaving_early_ends_the_run(self):
        ended = []

        def run(report):
            try:
                report(1)
                report(2)
            finally:
                ended.append(True)

        stream = stepwise(run)
        next(stream)
        stream.close()
        self.assertEqual(ended, [True])

    def test_an_error_comes_out_where_the_steps_are_asked_for(self):
        def run(report):
            report(1)
            raise RuntimeError("broken")

        stream = stepwise(run)
        next(stream)
        with self.assertRaisesRegex(RuntimeError, "broken"):
            next(stream)


_PROVENANCE = {
    "machine": {"processor": "a", "cores": 2, "memory_gib": 1, "system": "b"},
    "versions": {"python": "3"},
    "commit": "c",
    "date": "d",
}


def _judged(style, content, grain, *seconds):
    return {
        "style": style,
        "content": content,
        "ssim": 0.5,
        "grain": grain,
        "seconds": list(seconds),
    }


class CommitsTest(absltest.TestCase):
    def test_an_earlier_commit_has_no_setting_of_this_ones(self):
        with mock.patch.dict(os.environ, startup.ENVIRONMENT | {"NST_TF_TEST": "kept"}):
            found = commits._environment(Path("there"))
        self.assertNotIn("TF_CPU_ALLOCATOR_USE_BFC", found)
        self.assertEqual((found["PYTHONPATH"], found["NST_TF_TEST"]), ("there", "kept"))


class QualityReportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        before, after = _judged(0.2, 0.5, 1.2, 60.0, 50.0, 55.0), _judged(0.1, 0.4, 1.0, 11.0)
        self.pairs = {
            "a x b": {"before": before, "after": after},
            "c x d": {"before": before, "after": _judged(0.18, 0.45, 1.1, 22.0, 5.0, 30.0)},
            "e x f": {"before": before, "after": _judged(0.3, 0.25, 0.9, 5.5)},
        }

    def test_medians_are_of_ratios_and_of_grain(self):
        found = quality_report.medians(list(self.pairs.values()))
        expected = {"style": 0.9, "content": 0.8, "seconds": 0.2}
        expected |= {"grain_before": 1.2, "grain_after": 1.0}
        self.assertEqual(set(found), set(expected))
        for key, value in expected.items():
            self.assertAlmostEqual(found[key], value)

    def test_each_size_has_a_table_the_smaller_first(self):
        looks = [
            _PROVENANCE
            | {"settings": {"size": size, "rounds": 1, "before": "1234567"}, "pairs": self.pairs}
            for size in (1024, 512)
        ]
        page = "\n".join(quality_report.parts(looks))
        self.assertLess(page.index("### At 512 px"), page.index("### At 1024 px"))
        self.assertIn("| a x b | 0.2000 → 0.1000 | 0.500 → 0.400 |", page)
        self.assertIn("| 0.20x (5.0 times sooner) |", page)
        self.assertIn("(quality_1024.jpg)", page)

    def test_another_machine_has_a_table_of_its_own(self):
        settings = {"size": 512, "rounds": 1, "before": "1234567"}
        looks = [
            _PROVENANCE | {"settings": each, "pairs": self.pairs}
            for each in (settings | {"suffix": "_avx2"}, settings)
        ]
        page = "\n".join(quality_report.parts(looks))
        self.assertLess(page.index("(quality_512.jpg)"), page.index("### At 512 px, avx2"))
        self.assertIn("(quality_512_avx2.jpg)", page)

    def test_nothing_measured_is_nothing_said(self):
        self.assertEqual(quality_report.parts([]), [])


class CrowsonkbReportTest(absltest.TestCase):
    def test_a_pair_has_both_scores_and_the_ratio_of_seconds(self):
        scores = {"style": 0.0687, "content": 0.43, "ssim": 0.6, "grain": 1.05}
        pair = {"seconds": 1600.0, "our_seconds": 16.0, "content_weight": 0.1, "steps": 50}
        pair |= {"theirs": scores, "ours": scores | {"style": 0.05}}
        page = "\n".join(crowsonkb_report.parts(_PROVENANCE | {"pairs": {"a x b": pair}}))
        self.assertIn("| 0.0687 | 0.430 | 0.600 | 1.05 | 1600 |", page)
        self.assertIn("| 0.0500 | 0.430 | 0.600 | 1.05 | 16.0 | 100 times |", page)
        self.assertIn("](crowsonkb_a_b.jpg)", page)


class RateReportTest(absltest.TestCase):
    def test_a_step_by_its_style_loss_is_a_ratio_of_medians(self):
        seconds = {"wasserstein": [0.03, 0.9, 0.01], "gram": [0.02]}
        row = {"precision": "float32", "size": 8, "height": 6, "width": 8, "seconds": seconds}
        settings = {"style_layers": ["block1_conv1"]}
        page = rate_report.style_losses(_PROVENANCE | {"settings": settings, "rows": [row]})
        self.assertIn("| float32 | 8 x 6 | 20.0 ms | 30.0 ms | 1.50x |", "\n".join(page))


class ContactSheetTest(absltest.TestCase):
    def test_pictures_of_a_row_have_one_height(self):
        wide, tall = np.zeros((10, 20, 3), np.float32), np.ones((40, 20, 3), np.float32)
        row = contact_sheet.row([wide, tall])
        self.assertEqual(row.shape, (10, 20 + contact_sheet.GAP + 5, 3))
        self.assertEqual((row[:, :20].max(), row[:, 20:].min()), (0, 255))
        with mock.patch.object(contact_sheet, "HEIGHT", 5):
            self.assertEqual(contact_sheet.row([wide, tall]).shape[0], 5)

    def test_rows_are_as_wide_as_the_widest(self):
        rows = [np.zeros((5, width, 3), np.uint8) for width in (7, 9)]
        sheet = contact_sheet.stack(rows)
        self.assertEqual(sheet.shape, (10 + contact_sheet.GAP, 9, 3))
        self.assertEqual((sheet[:5, :7].max(), sheet[:5, 7:].min()), (0, 255))

    def test_quality_gives_way_to_size(self):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        large = contact_sheet.encode([noise])
        with mock.patch.object(contact_sheet, "MAX_BYTES", len(large) // 2):
            small = contact_sheet.encode([noise])
        self.assertLessEqual(len(small), len(large) // 2)
        self.assertEqual(Image.open(io.BytesIO(small)).size, (64, 64))


if __name__ == "__main__":
    absltest.main()
