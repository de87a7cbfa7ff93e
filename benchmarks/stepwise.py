"""Optimizers that call back, as generators that can be stopped between two calls."""

import queue
import threading
from collections.abc import Callable, Generator
from typing import Any

Run = Callable[[Callable[[Any], None]], None]


def stepwise(run: Run) -> Generator[Any, None, None]:
    """Call `run`, in another thread, with a function to report with; yield each report."""
    worker = _Worker(run)
    try:
        while True:
            yield worker.next()
    except _Ended:
        return
    finally:
        worker.stop()


class _Stopped(BaseException):
    """Unwinds an optimizer whose steps nobody asks for any more."""


class _Ended(BaseException):
    """Raised in place of a report when there is none left."""


class _Worker:
    """Runs in a thread of its own, and waits between a report and the next request."""

    def __init__(self, run: Run):
        self._run = run
        self._reports: queue.SimpleQueue = queue.SimpleQueue()
        self._requests = threading.Semaphore(0)
        self._stopped = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def next(self) -> Any:
        self._requests.release()
        item, error = self._reports.get()
        if error is not None:
            raise error
        return item

    def stop(self) -> None:
        self._stopped = True
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
        if self._stopped:
            raise _Stopped
