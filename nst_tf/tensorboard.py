"""A run in TensorBoard: losses, seconds and the picture."""

import logging
from collections.abc import Iterable, Iterator
from time import perf_counter

import numpy as np
import tensorflow as tf

from nst_tf import image
from nst_tf.errors import InputError
from nst_tf.progress import Progress

_LOG = logging.getLogger(__name__)


def write(stream: Iterable[Progress], folder: str, every: int) -> Iterator[Progress]:
    """Write the losses and seconds of each step, and the picture of every so many.

    The step counts on from scale to scale. Trials that the optimiser went back from are left out of
    the losses.

    Args:
        stream: the run.
        folder: of the event file.
        every: steps from one picture to the next.

    Returns:
        An iterator of the same Progress.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        writer = tf.summary.create_file_writer(folder)
        writer.flush()
    except tf.errors.OpError as error:
        raise InputError(
            f"tensorboard_dir={folder}: cannot be written ({error.message}); give another one"
        ) from error
    return _follow(stream, writer, every)


def _follow(stream: Iterable[Progress], writer, every: int) -> Iterator[Progress]:
    before = perf_counter()
    try:
        for progress in stream:
            seconds = perf_counter() - before
            step = sum(progress.steps[: progress.scale]) + progress.step
            last = progress.done == 1
            with writer.as_default(step=step):
                if progress.accepted:
                    for name, loss in progress.losses._asdict().items():
                        _scalar(f"loss/{name}", loss)
                _scalar("seconds", seconds)
                if (step + 1) % every == 0 or last:
                    _picture("picture", progress.image())
            before = perf_counter()
            yield progress
    finally:
        writer.close()


# tf.summary.scalar and tf.summary.image need the package tensorboard; these write what they write.
def _scalar(name: str, value) -> None:
    tf.summary.write(name, tf.cast(value, tf.float32), metadata=_metadata("scalars", 1))


def _picture(name: str, rgb: np.ndarray) -> None:
    height, width = rgb.shape[:2]
    value = [str(width), str(height), image.encode(rgb)]
    tf.summary.write(name, tf.constant(value), metadata=_metadata("images", 3))


def _metadata(plugin: str, kind: int):
    """For a plugin; kind is one of the protocol's DataClass."""
    metadata = tf.compat.v1.SummaryMetadata(data_class=kind)
    metadata.plugin_data.plugin_name = plugin
    return metadata
