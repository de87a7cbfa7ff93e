"""Pictures of a run on its way, as files."""

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.run.progress import Progress

_LOG = logging.getLogger(__name__)


def write(stream: Iterable[Progress], folder: str | os.PathLike, every: int) -> Iterator[Progress]:
    """Write the picture of every so many steps; a full disk does not stop the run.

    Args:
        stream: the run.
        folder: where `scale1_step00010.png` and the others go.
        every: steps from one to the next, counted anew at each scale; its last is written, too.

    Yields:
        The same Progress.
    """
    for progress in stream:
        taken = progress.step + 1
        if taken % every == 0 or taken == progress.steps[progress.scale]:
            name = f"scale{progress.scale + 1}_step{taken:05d}.png"
            try:
                image_io.write(Path(folder, name), progress.image())
            except InputError as error:
                _LOG.warning("%s; painting on", error)
        yield progress
