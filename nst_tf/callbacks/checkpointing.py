"""Checkpoints of a run now and then, and at its end."""

from time import monotonic

from nst_tf.callbacks.animation import Animation
from nst_tf.callbacks.base import Callback
from nst_tf.run import checkpoint
from nst_tf.run.progress import Progress
from nst_tf.run.record import Json


class Checkpointing(Callback):
    """Writes a checkpoint every so many seconds, and after the last step.

    `inputs` are the run's, from `record.run_inputs`. `film` comes before this among the callbacks;
    what it has so far is part of the checkpoint.
    """

    def __init__(self, path: str, inputs: Json, seconds: float, film: Animation | None = None):
        self._path, self._inputs, self._seconds, self._film = path, inputs, seconds, film
        self._last = monotonic()

    def on_step(self, progress: Progress) -> None:
        """Write a checkpoint, if one is due."""
        if monotonic() - self._last < self._seconds and progress.done < 1:
            return
        film = self._film.arrays() if self._film else {}
        try:
            # No rescue: the run goes on, and the next one may fit.
            checkpoint.save(self._path, progress.state(), self._inputs, film, rescue=False)
        finally:
            self._last = monotonic()
