import itertools
from unittest import mock

from absl.testing import absltest, parameterized
from testing.runs import fake_run

from nst_tf import InputError
from nst_tf.callbacks import preview
from nst_tf.callbacks.base import notify
from nst_tf.callbacks.preview import Preview


class PreviewTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = mock.Mock(return_value=0.0)
        self.enter_context(mock.patch.object(preview, "monotonic", self.clock))

    def follow(self, num_steps, *, seconds, costs, stop_after=None, error=None):
        """The steps whose picture is shown, of a run whose steps take 10 seconds each."""
        costs, shown = iter(costs), []

        def run():
            for progress in fake_run([1.0] * num_steps):
                self.clock.return_value += 10.0
                yield progress

        def show(progress):
            self.clock.return_value += next(costs)
            shown.append(progress.step)
            if error:
                raise error

        steps = notify(run(), [Preview(show, seconds)])
        for _ in itertools.islice(steps, stop_after):
            pass
        steps.close()
        return shown

    @parameterized.parameters((0.0, [*range(7)]), (25.0, [0, 3, 6]), (1e6, [0, 6]))
    def test_first_and_last_and_when_seconds_have_passed(self, seconds, expected):
        shown = self.follow(7, seconds=seconds, costs=itertools.repeat(0.0))
        self.assertEqual(shown, expected)

    def test_pauses_fifty_times_as_long_as_it_took_but_for_the_first(self):
        costs = itertools.chain([9.0, 1.0], itertools.repeat(0.0))
        self.assertEqual(self.follow(9, seconds=0.0, costs=costs), [0, 1, 6, 7, 8])

    def test_takes_two_percent_of_a_long_run(self):
        self.follow(1000, seconds=0.0, costs=itertools.repeat(3.0))
        self.assertBetween((self.clock.return_value - 10_000) / 10_000, 0.015, 0.021)

    @parameterized.parameters((1, [0]), (3, [0, 2]), (6, [0, 5]))
    def test_last_picture_of_a_run_that_is_stopped_is_shown_once(self, stop_after, expected):
        shown = self.follow(9, seconds=45.0, costs=itertools.repeat(0.0), stop_after=stop_after)
        self.assertEqual(shown, expected)

    def test_run_that_ends_before_its_first_step_shows_nothing(self):
        self.assertEqual(self.follow(0, seconds=0.0, costs=[]), [])

    def test_waits_after_a_picture_that_could_not_be_shown_and_tries_at_the_end(self):
        with self.assertLogs("nst_tf", "WARNING") as logs:
            shown = self.follow(
                9, seconds=45.0, costs=itertools.repeat(0.0), error=InputError("full")
            )
        self.assertEqual(shown, [0, 5, 8])
        self.assertLen(logs.output, 1)


if __name__ == "__main__":
    absltest.main()
