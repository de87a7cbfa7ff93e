"""Snapshots: pictures of a run on its way, as files."""

import os
from pathlib import Path

import numpy as np

from nst_tf import atomic_files
from nst_tf.callbacks.base import Callback
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.run.progress import Progress


def check(folder: str | os.PathLike, *, resume: bool) -> None:
    """Refuse, before a run, a folder that cannot be written, or has snapshots of another run."""
    atomic_files.check(Path(folder, "snapshot.png"))
    if not resume and any(Path(folder).glob("scale*_step*.png")):
        raise InputError(
            f"snapshots_dir={folder}: has the snapshots of another run; give another folder"
        )


class Snapshots(Callback):
    """Writes the picture of every nth step of a scale, and of its last, into a folder."""

    def __init__(self, folder: str | os.PathLike, every: int, *, alpha: np.ndarray | None = None):
        """`alpha` is the content image's, for all of them."""
        self._folder, self._every, self._alpha = folder, every, alpha

    def on_step(self, progress: Progress) -> None:
        """Write the picture, if it is due."""
        taken = progress.step + 1
        if taken % self._every == 0 or taken == progress.steps[progress.scale]:
            path = Path(self._folder, f"scale{progress.scale + 1}_step{taken:05d}.png")
            # No rescue: there are many, and they would fill a second disk.
            data = image_io.encode(progress.image(), path, alpha=self._alpha)
            atomic_files.replace(path, data, rescue=False)
