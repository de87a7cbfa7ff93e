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

from nst_tf import tensorflow_startup

BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import commits  # noqa: E402  (after the path to it)
import contact_sheet  # noqa: E402
import limit  # noqa: E402
import quality_report  # noqa: E402
import race  # noqa: E402
import rate_report  # noqa: E402
import report  # noqa: E402
import video_report  # noqa: E402
from curves import seconds_to  # noqa: E402
from stepwise import stepwise  # noqa: E402


class CurvesTest(parameterized.TestCase):
    @parameterized.parameters(
        (9.0, 1.0), (8.0, 1.0), (7.0, 2.0), (6.0, 3.0), (5.5, 4.0), (4.0, 7.0), (3.9, None)
    )
    def test_seconds_are_interpolated_between_evaluations(self, target, expected):
        # The loss may rise in between; what counts is when it first comes down.
        curve = [(0, 1.0, 8.0), (1, 3.0, 6.0), (2, 5.0, 5.0), (3, 6.0, 5.4), (4, 7.0, 4.0)]
        self.assertEqual(seconds_to(curve, target), expected)


class LimitTest(absltest.TestCase):
    def test_operations_are_counted_by_hand(self):
        # Each convolution: 9 positions of its kernel, forward and back, 2 operations each.
        first, second, third = 3 * 64 * 70, 64 * 64 * 70, 64 * 128 * 15
        for layer, products in (("block1_conv1", first), ("block2_conv1", first + second + third)):
            counted = limit.step_operations(limit.convolutions(10, 7, [layer]))
            self.assertEqual(counted, 2 * 2 * 9 * products)

    def test_an_unknown_layer_is_refused(self):
        with self.assertRaisesRegex(ValueError, "block9_conv1"):
            limit.convolutions(8, 8, ["block9_conv1"])

    def test_rates_are_medians_of_operations_by_seconds(self):
        calls = []
        measured = limit.Limit({(24, 32): lambda: calls.append(1)})
        with mock.patch.object(limit, "perf_counter", side_effect=[0, 9, 10, 12, 20, 21]):
            for _ in range(3):
                measured.sample()
        self.assertLen(calls, 2 + 3)
        self.assertEqual(measured.rates(), {"24x32": 2 * 9 * 256**2 * 24 * 32 / 2})


class RaceTest(absltest.TestCase):
    def _contender(self, losses, **options):
        """A contender with these losses, one second a step."""
        seconds = 0.0

        def stream():
            nonlocal seconds
            for loss in losses:
                seconds += 1.0
                yield lambda loss=loss: np.float32(loss)

        self.enter_context(mock.patch.object(race, "perf_counter", lambda: seconds))
        return race.Contender(stream(), float, **options)

    def test_it_stops_at_the_target(self):
        contender = self._contender([10, 9, 8, 7])
        contender.advance(target=8.0)
        self.assertEqual(contender.state, race.PASSED)
        self.assertEqual(contender.curve, [(1, 1.0, 10.0), (2, 2.0, 9.0), (3, 3.0, 8.0)])

    def test_it_stops_after_its_seconds_and_is_evaluated_then(self):
        options = {"max_seconds": 5.0, "interval_growth": 100.0, "required_steps": [3]}
        contender = self._contender(range(10, 0, -1), **options)
        contender.advance(target=None)
        self.assertEqual((contender.state, contender.seconds), (race.CAPPED, 5.0))
        self.assertEqual([step for step, *_ in contender.curve], [1, 3, 5])

    def test_its_last_image_is_evaluated(self):
        contender = self._contender([10, 9, 8], interval_growth=100.0)
        contender.advance(target=None)
        self.assertEqual((contender.state, contender.curve[-1]), (race.FINISHED, (3, 3.0, 8.0)))

    def test_a_loss_that_is_not_finite_ends_it(self):
        contender = self._contender([10, np.nan, 8])
        contender.advance(target=None)
        self.assertEqual((contender.state, contender.loss), (race.DIVERGED, 10.0))


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


class CommitsTest(absltest.TestCase):
    def test_an_earlier_commit_has_no_setting_of_this_ones(self):
        with mock.patch.dict(os.environ, tensorflow_startup.ENVIRONMENT | {"NST_TF_TEST": "kept"}):
            environment = commits.python_environment(Path("there"))
        self.assertNotIn("TF_CPU_ALLOCATOR_USE_BFC", environment)
        self.assertEqual((environment["PYTHONPATH"], environment["NST_TF_TEST"]), ("there", "kept"))


_PROVENANCE = {
    "machine": {"processor": "a", "cores": 2, "memory_gib": 1, "system": "b"},
    "versions": {"python": "3"},
    "commit": "c",
    "date": "d",
}


def _scores(style, content, grain, *seconds):
    scores = {"style": style, "content": content, "ssim": 0.5, "grain": grain}
    return scores | {"seconds": list(seconds)}


class ReportTest(absltest.TestCase):
    def test_the_page_is_what_was_recorded(self):
        text = (BENCHMARKS / "RESULTS.md").read_text(encoding="utf-8")
        self.assertEqual(report.page(BENCHMARKS), text)

    def test_quality_has_medians_and_tables_in_the_order_of_sizes(self):
        before = _scores(0.2, 0.5, 1.2, 60.0, 50.0, 55.0)
        pairs = {
            "a x b": {"before": before, "after": _scores(0.1, 0.4, 1.0, 11.0)},
            "c x d": {"before": before, "after": _scores(0.18, 0.45, 1.1, 22.0, 5.0, 30.0)},
            "e x f": {"before": before, "after": _scores(0.3, 0.25, 0.9, 5.5)},
        }
        settings = {"size": 512, "rounds": 1, "before": "1234567"}
        sheets = [
            _PROVENANCE | {"settings": settings | changes, "pairs": pairs}
            for changes in ({"size": 1024}, {"suffix": "_avx2"}, {})
        ]
        page = "\n".join(quality_report.parts(sheets))
        titles = ("### At 512 px", "### At 512 px, avx2", "### At 1024 px")
        positions = [page.index(f"{title}\n") for title in titles]
        self.assertEqual(positions, sorted(positions))
        self.assertIn("| a x b | 0.2000 → 0.1000 | 0.500 → 0.400 |", page)
        row = "| median | 0.90x | 0.80x |  | 1.20 → 1.00 | 0.20x (5.0 times sooner) |"
        self.assertIn(row, page)
        self.assertIn("(quality_512_avx2.jpg)", page)

    def test_a_step_by_its_style_loss_is_a_ratio_of_medians(self):
        seconds = {"wasserstein": [0.03, 0.9, 0.01], "gram": [0.02]}
        row = {"precision": "float32", "size": 8, "height": 6, "width": 8, "seconds": seconds}
        settings = {"style_layers": ["block1_conv1"]}
        page = rate_report.style_losses(_PROVENANCE | {"settings": settings, "rows": [row]})
        self.assertIn("| float32 | 8 x 6 | 20.0 ms | 30.0 ms | 1.50x |", "\n".join(page))

    def test_a_frame_is_beside_one_painted_alone(self):
        scores = {"12": _scores(0.2, 0.5, 1.1), "1": _scores(0.1, 0.4, 1.0)}
        calm = {"warping_error": {"1": 0.002, "8": 0.003}, "frame_difference": 0.004}
        calm |= {"flicker": 0.1, "drift": 0.98, "scores": scores}
        seconds = {
            "frame by frame": [9.0, 4.0, 2.0, 3.0],
            "keyframes": [9.0, 3.0, 0.0, 0.0],
            "fast, frame by frame": [9.0, 0.1],
            "fast": [9.0, 0.2],
        }
        methods = {name: calm | {"seconds": each} for name, each in seconds.items()}
        settings = {
            "size": 320,
            "frames": 4,
            "sigma": 0.01,
            "keyframes": 6,
            "film": "",
            "style": "a",
        }
        clips = {"pan": {"source": calm} | methods}
        page = "\n".join(video_report.parts(_PROVENANCE | {"settings": settings, "clips": clips}))
        cells = "2.00 | 3.00 | 4.00 | 0.980 | 0.100, 0.200 | 0.40, 0.50 | 1.00, 1.10"
        self.assertIn(f"| source | {cells} |  |  |", page)
        self.assertIn(f"| frame by frame | {cells} | 3.00 s | 1.00x |", page)
        self.assertIn(f"| keyframes | {cells} | 1.00 s | 0.33x |", page)
        self.assertIn(f"| fast | {cells} | 0.20 s | 2.00x |", page)
        self.assertNotIn("`film`", page)


class ContactSheetTest(absltest.TestCase):
    def test_images_of_a_row_have_one_height(self):
        wide, tall = np.zeros((10, 20, 3), np.float32), np.ones((40, 20, 3), np.float32)
        row = contact_sheet.row([wide, tall])
        self.assertEqual(row.shape, (10, 20 + contact_sheet.GAP + 5, 3))
        self.assertEqual((row[:, :20].max(), row[:, 20:].min()), (0, 255))
        self.assertEqual(contact_sheet.row([wide, tall], max_height=5).shape[0], 5)

    def test_rows_are_as_wide_as_the_widest(self):
        rows = [np.zeros((5, width, 3), np.uint8) for width in (7, 9)]
        sheet = contact_sheet.stack(rows)
        self.assertEqual(sheet.shape, (10 + contact_sheet.GAP, 9, 3))
        self.assertEqual((sheet[:5, :7].max(), sheet[:5, 7:].min()), (0, 255))

    def test_quality_gives_way_to_size(self):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        large = contact_sheet.encode([noise])
        small = contact_sheet.encode([noise], max_bytes=len(large) // 2)
        self.assertLessEqual(len(small), len(large) // 2)
        self.assertEqual(Image.open(io.BytesIO(small)).size, (64, 64))


if __name__ == "__main__":
    absltest.main()
