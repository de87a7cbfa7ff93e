import math
from fractions import Fraction

from absl.testing import absltest, parameterized

from nst_tf.errors import InputError
from nst_tf.video.timing import Shown, make_part


def shown(*durations):
    """Pictures, numbered, each shown for so many milliseconds."""
    time = 0
    for number, duration in enumerate(durations):
        yield Shown(number, Fraction(time, 1000), Fraction(duration, 1000))
        time += duration


def painted(durations, start=0.0, seconds=0.0, fps=0.0):
    """Picture, time and duration, in milliseconds, of a part."""
    part = make_part(start, seconds, fps).of(shown(*durations))
    return [(x.picture, float(1000 * x.time), float(1000 * x.duration)) for x in part]


class PartTest(parameterized.TestCase):
    def test_all_of_it_as_it_is(self):
        self.assertEqual(painted([40, 10]), [(0, 0, 40), (1, 40, 10)])

    @parameterized.parameters((0.0, 0), (0.039, 0), (0.04, 1), (0.05, 1), (0.119, 2))
    def test_begins_with_the_frame_that_is_shown_then(self, start, first):
        self.assertEqual(painted([40, 40, 40], start)[0], (first, 0, 40))

    def test_has_the_seconds_asked_for(self):
        self.assertEqual(painted([40, 40, 40, 40], 0.05, 0.08), [(1, 0, 40), (2, 40, 40)])
        self.assertEqual(painted([2000, 40], seconds=0.5), [(0, 0, 500)])

    def test_nothing_is_left_behind_its_end(self):
        self.assertEqual(painted([40, 40], 0.08), [])

    def test_frames_are_dropped(self):
        self.assertEqual([x[0] for x in painted([20] * 10, fps=25)], [0, 2, 4, 6, 8])

    def test_frames_are_repeated(self):
        found = painted([40, 40], fps=50)
        self.assertEqual(found, [(0, 0, 20), (0, 20, 20), (1, 40, 20), (1, 60, 20)])

    def test_rounded_time_stamps_are_taken_as_meant(self):
        rounded = [33, 34, 33, 33, 34, 33, 33, 34, 33]
        self.assertEqual([x[0] for x in painted(rounded, fps=30)], [*range(9)])

    def test_a_picture_that_stays_long_does_so(self):
        self.assertEqual([x[0] for x in painted([900, 100], fps=10)], [0] * 9 + [1])

    def test_one_frame_at_least(self):
        self.assertEqual(painted([10], fps=1), [(0, 0, 1000)])

    @parameterized.parameters(-1.0, math.nan, math.inf)
    def test_refusals(self, value):
        for name in ("start", "seconds", "fps"):
            with self.assertRaisesRegex(InputError, f"^{name}={value}: expected a number from 0"):
                make_part(**{"start": 0.0, "seconds": 0.0, "fps": 0.0} | {name: value})


if __name__ == "__main__":
    absltest.main()
