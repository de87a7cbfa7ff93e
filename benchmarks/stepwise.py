"""Optimizers that call back, as generators that can be stopped between two calls."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

Run = Callable[[Callable[[Any], None]], None]


class _Left(BaseException):
    """Unwinds an optimizer that nobody waits for any more."""


class _Ended(BaseException):
    """What is raised in place of a report when there is none left."""


class _Worker:
    """Runs in a thread of its own, and stands still between a report and the next request."""

    def __init__(self, run: Run):
        self._run = run
        self._reports: queue.SimpleQueue = queue.SimpleQueue()
        self._requests = threading.Semaphore(0)
        self._left = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def next(self) -> Any:
        self._requests.release()
        item, error = self._reports.get()
        if error is not None:
            raise error
        return item

    def leave(self) -> None:
        self._left = True
        self._requests.release()
        self._thread.join()

    def _work(self) -> None:
        error: BaseException = _Ended()
        try:
            self._wait()
            self._run(self._report)
        except BaseException as raised:  # it is raised again where the steps are asked for
            error = raised
        self._reports.put((None, error))

    def _report(self, item: Any) -> None:
        self._reports.put((item, None))
        self._wait()

    def _wait(self) -> None:
        self._requests.acquire()
        if self._left:
            raise _Left


def stepwise(run: Run) -> Iterator[Any]:
    """Run something that reports through a callback, one report at a time.

    Args:
        run: called, in another thread, with the function to report with.

    Yields:
        What was reported.
    """
    worker = _Worker(run)
    try:
        while True:
            yield worker.next()
    except _Ended:
        return
    finally:
        worker.leave()
