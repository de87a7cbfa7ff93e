"""A preview: the newest picture of a run, now and then."""

import math
from collections.abc import Callable
from time import monotonic

from nst_tf.callbacks.base import Callback
from nst_tf.run.progress import Progress

# How many times as long as it takes to show a picture the run goes on without the next.
_PAUSE = 50


class Preview(Callback):
    """Shows the newest picture now and then, for at most 2% of the run's time.

    The first and the last are always shown, also the last of a run that is stopped. What `show`
    raises is raised; the next picture then comes as late as after one that was shown.
    """

    def __init__(self, show: Callable[[Progress], None], seconds: float):
        """There are at least `seconds` between two, and more where `show` is slow."""
        self._show, self._seconds = show, seconds
        self._due = -math.inf
        self._newest: Progress | None = None  # that is not shown yet

    def on_step(self, progress: Progress) -> None:
        """Show the picture, if it is due."""
        is_first = self._due == -math.inf
        self._newest = progress
        began = monotonic()
        if began < self._due:
            return
        try:
            self._show_newest()
        finally:
            now = monotonic()
            # The first one loads and builds what the others find, and does not tell their time.
            pause = 0.0 if is_first else _PAUSE * (now - began)
            self._due = now + max(self._seconds, pause)

    def close(self) -> None:
        """Show the last picture."""
        self._show_newest()

    def _show_newest(self) -> None:
        if self._newest is not None:
            self._show(self._newest)
            self._newest = None
