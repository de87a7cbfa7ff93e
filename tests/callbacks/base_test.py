from dataclasses import dataclass

from absl.testing import absltest, parameterized
from testing.runs import fake_run

from nst_tf import InputError
from nst_tf.callbacks.base import Callback, notify


class Totals(Callback):
    """All that a callback needs to have."""

    def __init__(self):
        self.totals = []

    def on_step(self, progress):
        self.totals.append(float(progress.losses.total))


@dataclass
class Events(Callback):
    """Appends its calls to a list."""

    name: str
    events: list
    error: Exception | None = None

    def on_begin(self):
        self.events.append(f"begin {self.name}")

    def on_step(self, progress):
        self.events.append(f"step {self.name}")
        if self.error:
            raise self.error

    def close(self):
        self.events.append(f"close {self.name}")
        if self.error:
            raise self.error


class Unreliable(Callback):
    """Fails in some steps, and at begin and end."""

    def on_begin(self):
        raise InputError("begin")

    def on_step(self, progress):
        if progress.step in (0, 1, 3, 4):
            raise InputError("step")

    def close(self):
        raise InputError("close")


class NotifyTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.events = []
        self.callbacks = [Events(name, self.events) for name in "ab"]

    def test_passes_the_run_on(self):
        run, callback = list(fake_run([3.0], [2.0, 1.0])), Totals()
        self.assertEqual(list(notify(iter(run), [callback])), run)
        self.assertEqual(callback.totals, [3, 2, 1])

    def test_in_order_and_closed_in_reverse_order(self):
        for _ in notify(fake_run([2.0, 1.0]), iter(self.callbacks)):
            self.events.append("yielded")
        step = ["step a", "step b", "yielded"]
        closed = ["close b", "close a"]
        self.assertEqual(self.events, ["begin a", "begin b", *step, *step, *closed])

    @parameterized.parameters(InputError("the loss is inf"), KeyboardInterrupt(), ValueError())
    def test_closed_when_the_run_raises(self, error):
        def run():
            yield from fake_run([1.0])
            raise error

        with self.assertRaises(type(error)) as caught:
            list(notify(run(), self.callbacks))
        self.assertIs(caught.exception, error)
        self.assertEqual(self.events[-2:], ["close b", "close a"])

    def test_closed_when_the_run_is_left(self):
        run = notify(fake_run([2.0, 1.0]), self.callbacks)
        next(run)
        run.close()
        self.assertEqual(self.events[-3:], ["step b", "close b", "close a"])

    def test_faults_of_a_callback_end_the_run_and_all_are_closed(self):
        self.callbacks[1].error = ZeroDivisionError()
        with self.assertRaises(ZeroDivisionError):
            list(notify(fake_run([2.0, 1.0]), self.callbacks))
        self.assertEqual(self.events[2:], ["step a", "step b", "close b", "close a"])

    def test_input_errors_are_warnings_that_are_not_repeated(self):
        callback = Totals()
        with self.assertLogs("nst_tf", "WARNING") as logs:
            list(notify(fake_run([1.0] * 6), [Unreliable(), callback]))
        messages = [record.getMessage() for record in logs.records]
        self.assertEqual(
            messages, [f"{x}; the run is not affected" for x in ("begin", "step", "close")]
        )
        self.assertLen(callback.totals, 6)


if __name__ == "__main__":
    absltest.main()
