"""A preview: the newest picture of a run, now and then."""

import math
from collections.abc import Callable
from time import monotonic

from nst_tf.callbacks.base import Callback
from nst_tf.run.progress import Progress

# How many times as long as it takes to show a picture the run goes on without the next.
_PAUSE = 50


class Preview(Callback):
    """Shows the newest picture now and then, for at most 2% of the run's time."""

    def __init__(self, show: Callable[[Progress], None], seconds: float):
        self._show, self._seconds, self._due = show, seconds, -math.inf

    def on_step(self, progress: Progress) -> None:
        """Show the picture, if it is due; the first and the last always."""
        began = monotonic()
        if began < self._due and progress.done < 1:
            return
        try:
            self._show(progress)
        finally:
            now = monotonic()
            self._due = now + max(self._seconds, _PAUSE * (now - began))
