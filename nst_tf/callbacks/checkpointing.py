"""Checkpoints of a run now and then, and at its end."""

from time import monotonic

from nst_tf.callbacks.base import Callback
from nst_tf.run import checkpoint
from nst_tf.run.progress import Progress
from nst_tf.run.record import Json


class Checkpointing(Callback):
    """Writes a checkpoint every so many seconds, and after the last step.

    `inputs` are the run's, from `record.run_inputs`.
    """

    def __init__(self, path: str, inputs: Json, seconds: float):
        self._path, self._inputs, self._seconds = path, inputs, seconds
        self._last = monotonic()

    def on_step(self, progress: Progress) -> None:
        """Write a checkpoint, if one is due."""
        if monotonic() - self._last >= self._seconds or progress.done == 1:
            try:
                checkpoint.save(self._path, progress.state(), self._inputs)
            finally:
                self._last = monotonic()
