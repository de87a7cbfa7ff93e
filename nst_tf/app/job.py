"""A run that a visitor has asked for, whether it waits, paints or has ended."""

import threading
from collections.abc import Callable
from pathlib import Path

from nst_tf.app.order import Order
from nst_tf.app.run import Run
from nst_tf.errors import InputError


class Job:
    """A run that has been asked for, whether or not it has begun.

    Attributes:
        order: what was asked for.
        folder: for its state and its picture.
    """

    def __init__(self, begin: Callable[[Path], Run], order: Order, folder: Path):
        """`begin` is given a file for the state of the run."""
        self.order, self.folder = order, folder
        self._begin = begin
        self._starting = threading.Lock()
        self._is_stopped = False
        self._run: Run | None = None

    def start(self) -> Run:
        """Begin the run; InputError where it has been stopped, or as `begin` raises it."""
        with self._starting:
            if self._is_stopped:
                raise InputError("stopped before the first step")
            self._run = self._begin(self.folder / "state")
        if self._is_stopped:
            self._run.stop()
        return self._run

    @property
    def has_begun(self) -> bool:
        """Whether its run has begun, which it never does after `stop`."""
        with self._starting:
            return self._run is not None

    def stop(self) -> None:
        """Stop it, wherever it is."""
        self._is_stopped = True
        if self._run is not None:
            self._run.stop()

    def join(self) -> None:
        """Wait for its end; one that has not begun by then never does after `stop`."""
        with self._starting:
            run = self._run
        if run is not None:
            run.join()
