import io
import threading
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from PIL import Image
from testing.runs import fake_run

from nst_tf import InputError
from nst_tf.app.run import Run
from nst_tf.callbacks.base import notify

SECONDS = 20.0


def begin(steps, alpha=None, finish=lambda *arguments: arguments):
    return Run(steps, finish, alpha)


def watched(run):
    """All snapshots that are handed out."""
    snapshots = []
    while (snapshot := run.newest(SECONDS)) is not None:
        snapshots.append(snapshot)
    return snapshots


def image(snapshot):
    return np.asarray(Image.open(io.BytesIO(snapshot.jpeg)))


class RunTest(parameterized.TestCase):
    def paced(self, *totals, **options):
        """A fake run, each step of which waits for a permit."""
        permits = threading.Semaphore(0)

        def steps():
            for progress in fake_run(*totals, **options):
                permits.acquire()
                yield progress

        return steps(), permits

    def test_first_and_last_step_are_shown(self):
        steps, permits = self.paced([3.0, 2.0], [1.0], size=(8, 12))
        run = begin(steps)
        self.assertTrue(run.is_running)
        self.assertIsNone(run.newest(0.01))
        permits.release()
        first = run.newest(SECONDS)
        self.assertEqual(first[1:7], (1, 2, 1, 2, 4, 6))
        self.assertIsNone(first.seconds_left)
        self.assertEqual(image(first).shape, (4, 6, 3))
        self.assertIsNone(run.newest(0.01))  # it has been handed out
        permits.release(2)
        last = watched(run)[-1]
        self.assertEqual(last[1:7], (2, 2, 1, 1, 8, 12))
        self.assertEqual(last.seconds_left, 0)
        self.assertGreaterEqual(last.seconds, first.seconds)
        self.assertAllClose(image(last) / 255, np.full([8, 12, 3], 2 / 64))
        progress, seconds, message = run.result()
        self.assertFalse(run.is_running)
        self.assertEqual((progress.done, message), (1, ""))
        self.assertGreater(seconds, 0)
        self.assertIsNone(run.newest(SECONDS))

    def assertAllClose(self, one, other):
        np.testing.assert_allclose(one, other, atol=2 / 255)

    def test_large_picture_is_reduced_and_what_is_hidden_is_white(self):
        alpha = np.zeros([60, 40], np.float32)
        alpha[:30] = 1
        (snapshot, *_) = watched(begin(fake_run([1.0], size=(1536, 1024)), alpha))
        shown = image(snapshot) / 255
        self.assertEqual(shown.shape, (512, 341, 3))
        self.assertEqual((snapshot.height, snapshot.width), (1536, 1024))
        self.assertAllClose(shown[:240], 0)
        self.assertAllClose(shown[270:], 1)

    def test_stop_ends_after_the_step_under_way(self):
        runs, closed, may_stop = [], [], threading.Event()

        def steps():
            try:
                for progress in fake_run([5.0, 4.0, 3.0, 2.0]):
                    if progress.step == 1:
                        may_stop.wait()
                        runs[0].stop()
                    yield progress
            finally:
                closed.append(True)

        runs.append(begin(steps()))
        may_stop.set()
        progress, _, message = runs[0].result()
        self.assertEqual((progress.step, message, closed), (1, "", [True]))

    def test_stop_before_the_first_step(self):
        may_begin = threading.Event()

        def late(*arguments):
            may_begin.wait()
            return notify(*arguments)

        with mock.patch("nst_tf.app.run.notify", late):
            run = begin(fake_run([5.0]))
            run.stop()
            may_begin.set()
            with self.assertRaisesRegex(InputError, "^stopped before the first step$"):
                run.result()
        self.assertIsNone(run.newest(SECONDS))

    @parameterized.parameters(
        (InputError("the loss is nan"), "the loss is nan"),
        (MemoryError(), "memory ran out; give a smaller size, or end other programs"),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
            "memory ran out; give a smaller size, or end other programs",
        ),
    )
    def test_error_after_a_step_and_before(self, error, message):
        def steps(count):
            yield from list(fake_run([2.0, 1.0]))[:count]
            raise error

        with self.assertNoLogs("nst_tf", "ERROR"):
            after = begin(steps(1)).result()
            with self.assertRaisesRegex(InputError, f"^{message}$"):
                begin(steps(0)).result()
        self.assertEqual(after[2], message)
        self.assertEqual(after[0].step, 0)

    def test_error_that_nobody_expects_is_logged(self):
        def steps():
            yield from fake_run([2.0])
            raise ValueError("a fault")

        with self.assertLogs("nst_tf", "ERROR") as logs:
            after = begin(steps()).result()
        self.assertEqual(after[2], "painting failed; the log has the details")
        self.assertIn("ValueError: a fault", logs.output[0])

    def test_picture_that_cannot_be_made(self):
        def finish(*arguments):
            raise MemoryError

        with self.assertRaisesRegex(InputError, "memory ran out"):
            begin(fake_run([1.0]), finish=finish).result()

    def test_no_thread_is_left_of_a_run_that_nobody_watches(self):
        run = begin(fake_run([2.0, 1.0]))
        run.join()
        self.assertNotIn("painting", [thread.name for thread in threading.enumerate()])


if __name__ == "__main__":
    absltest.main()
