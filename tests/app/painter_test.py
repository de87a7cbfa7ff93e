import contextlib
import threading
from dataclasses import replace
from unittest import mock

from absl.testing import absltest
from testing.painter import PainterTest, at_one_go, request

from nst_tf import InputError, Settings, coarse_to_fine
from nst_tf.app.painter import Painter
from nst_tf.run.traced_step import Step


@contextlib.contextmanager
def held_at_first_step():
    """Hold the first step of runs until the event that this gives is set."""
    may_go_on, optimize = threading.Event(), coarse_to_fine.optimize

    def held(run):
        may_go_on.wait()
        yield from run

    def checked_and_held(*args, **options):
        return held(optimize(*args, **options))

    with mock.patch.object(coarse_to_fine, "optimize", checked_and_held):
        yield may_go_on


class PainterRunsTest(PainterTest):
    def test_as_without_a_painter_and_again(self):
        asked = request(96, 72, size=96, scales=2)
        for _ in range(2):
            painted = self.paint(asked)
            self.assertEqual(painted.picture.tobytes(), at_one_go(asked))
        self.assertTrue(painted.is_finished)
        self.assertEqual(painted.message, "")
        self.assertNoCommonElements(painted.record, ("stopped", "continued"))

    def test_mistakes_are_raised_at_once(self):
        with self.assertRaisesRegex(InputError, "size=8: the short side would be"):
            self.painter.paint(request(size=8), self.path())
        with self.assertRaisesRegex(InputError, "styles: expected a list of at least one"):
            self.painter.paint(replace(request(), styles=()), self.path())
        self.assertTrue(self.paint(request()).is_finished)

    def test_run_whose_first_loss_is_infinite(self):
        run = self.painter.paint(request(style_weight=1e39), self.path())
        with self.assertRaisesRegex(InputError, "the loss is inf at scale 1 of 1 .*, step 1"):
            run.result()

    def test_runs_wait_for_each_other(self):
        asked = request()
        with held_at_first_step() as may_go_on:
            first = self.painter.paint(asked, self.path())
            self.assertTrue(first.is_running)
            threading.Thread(target=may_go_on.set).start()
            second = self.painter.paint(asked, self.folder / "second")
        self.assertFalse(first.is_running)
        self.assertEqual(second.result().picture.tobytes(), first.result().picture.tobytes())

    def test_fast_while_a_run_paints(self):
        asked = request()
        with held_at_first_step() as may_go_on:
            run = self.painter.paint(asked, self.path())
            fast = self.painter.fast(asked)
            self.assertTrue(run.is_running)
            may_go_on.set()
        self.assertEqual(run.result().picture.tobytes(), at_one_go(asked))
        self.assertEqual(fast.picture.shape, (48, 64, 3))

    def test_close_ends_the_run_and_refuses_another(self):
        painter, before = Painter(), threading.active_count()
        painter.close()
        with self.assertRaisesRegex(InputError, "the server is closing"):
            painter.paint(request(), self.path())
        painter = Painter()
        with held_at_first_step() as may_go_on:
            run = painter.paint(request(steps=10**6), self.path())
            threading.Thread(target=may_go_on.set).start()
            painter.close()
        self.assertFalse(run.is_running)
        self.assertEqual(threading.active_count(), before)

    def test_warm_up_traces_what_the_first_run_takes(self):
        painter = Painter()
        self.addCleanup(painter.close)
        painter.warm_up()
        with mock.patch.object(Step, "_trace", autospec=True) as trace:
            asked = replace(request(), settings=Settings(size=96, steps=1))
            painter.paint(asked, self.path()).result()
            trace.assert_not_called()


if __name__ == "__main__":
    absltest.main()
