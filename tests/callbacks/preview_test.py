import errno
import itertools
import os
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from testing.runs import fake_run

from nst_tf import InputError
from nst_tf.callbacks import preview
from nst_tf.callbacks.base import notify
from nst_tf.callbacks.preview import Preview
from nst_tf.images import image_io


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


class ToFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    @parameterized.parameters("a.png", "a.jpg", "a.webp", "a.tif")
    def test_each_picture_takes_the_place_of_the_one_before(self, name):
        path = self.folder / "new" / name
        show, shapes = preview.to_file(path), []
        for number, progress in enumerate(fake_run([1.0], [1.0] * 2, size=(16, 24))):
            show(progress)
            found = image_io.read(path).rgb
            np.testing.assert_allclose(found, np.full(found.shape, number / 64), atol=0.01)
            shapes.append(found.shape)
        self.assertEqual(shapes, [(8, 12, 3), (16, 24, 3), (16, 24, 3)])
        self.assertEqual([each.name for each in path.parent.iterdir()], [name])

    def test_what_is_hidden_is_transparent_also_at_coarse_scales(self):
        path, alpha = self.folder / "a.png", np.eye(16, dtype=np.float32)
        coarse, fine = fake_run([1.0], [1.0], size=(16, 16))
        show = preview.to_file(path, alpha)
        show(coarse)
        np.testing.assert_allclose(image_io.read(path).alpha[0, :2], [0.5, 0.0], atol=0.2)
        show(fine)
        np.testing.assert_array_equal(image_io.read(path).alpha, alpha)

    @parameterized.parameters("os.fsync", "os.replace")
    def test_a_full_disk_keeps_the_picture_before_and_fills_no_other(self, function):
        path, temporary = self.folder / "a.png", self.create_tempdir().full_path
        first, second = fake_run([1.0] * 2)
        show = preview.to_file(path)
        show(first)
        before = path.read_bytes()
        with (
            mock.patch(function, side_effect=OSError(errno.ENOSPC, "full")),
            mock.patch("tempfile.gettempdir", lambda: temporary),
            self.assertRaisesRegex(InputError, r"a\.png: cannot be written \(full\)"),
        ):
            show(second)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual((os.listdir(self.folder), os.listdir(temporary)), (["a.png"], []))


if __name__ == "__main__":
    absltest.main()
