"""The parts of the benchmarks that decide what their figures mean; these need no PyTorch."""

import sys

from absl.testing import absltest, parameterized
from pictures import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from curves import seconds_to  # noqa: E402  (after the path to it)
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


if __name__ == "__main__":
    absltest.main()
