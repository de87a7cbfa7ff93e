"""A run in TensorBoard: losses, seconds of a step, and the picture."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from nst_tf import atomic_files
from nst_tf.callbacks.base import Callback
from nst_tf.errors import InputError, one_line
from nst_tf.images.pixels import to_uint
from nst_tf.run.progress import Progress


def check(folder: str | os.PathLike, *, resume: bool) -> None:
    """Refuse, before a run, a folder that cannot be written, or has events of another run."""
    atomic_files.check(Path(folder, "events"))
    if not resume and any(Path(folder).glob("events.out.tfevents.*")):
        raise InputError(
            f"tensorboard_dir={folder}: has the events of another run, and TensorBoard would draw "
            "both as one; give a folder for each, as runs/1 and runs/2; --logdir=runs shows both"
        )


def command(folder: str | os.PathLike) -> str:
    """What shows a folder, for a shell: the program beside this Python, if that is there."""
    program = shutil.which("tensorboard", path=os.path.dirname(sys.executable)) or "tensorboard"
    return shlex.join([program, f"--logdir={os.fspath(folder)}"])


class TensorBoard(Callback):
    """Writes the losses and seconds of each step, and the picture of every nth and of the last.

    The step counts on from scale to scale. Losses of images that the optimizer did not keep are
    left out.
    """

    def __init__(self, folder: str | os.PathLike, every: int):
        self._folder, self._every = folder, every
        self._writer: tf.summary.SummaryWriter | None = None

    def on_step(self, progress: Progress) -> None:
        """Write the numbers, and the picture if it is due."""
        step = sum(progress.steps[: progress.scale]) + progress.step
        try:
            if self._writer is None:
                # As bytes: TensorFlow takes no text that is not UTF-8.
                self._writer = tf.summary.create_file_writer(os.fsencode(self._folder))
            with self._writer.as_default(step):
                _write_scalars(progress)
                # On a full disk this raises; the flush after a large picture would not.
                self._writer.flush()
                if (step + 1) % self._every == 0 or progress.done == 1:
                    # TensorFlow would not round, but cut off.
                    tf.summary.image("picture", to_uint(progress.image(), np.uint8)[np.newaxis])
            self._writer.flush()
        except tf.errors.OpError as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Close the event file."""
        try:
            if self._writer is not None:
                self._writer.close()
        except tf.errors.OpError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> InputError:
        reason = one_line(error).split("}} ")[-1]  # without the name of TensorFlow's operation
        return InputError(
            f"tensorboard_dir={self._folder}: cannot be written ({reason}); give another"
        )


def _write_scalars(progress: Progress) -> None:
    tf.summary.scalar("seconds", progress.seconds)
    if progress.accepted:
        for name, loss in progress.losses._asdict().items():
            tf.summary.scalar(f"loss/{name}", loss)
