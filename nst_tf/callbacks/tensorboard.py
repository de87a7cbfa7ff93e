"""A run in TensorBoard: losses, seconds and the picture.

TensorFlow's summary functions need the package tensorboard, and say nothing of a full disk; this
writes the same event files.
"""

import logging
import os
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.run.progress import Progress

_LOG = logging.getLogger(__name__)
# Of TensorBoard's protocol: the data classes of its plugins.
_PLUGINS = {"scalars": 1, "images": 3}


def write(stream: Iterable[Progress], folder: str, every: int) -> Iterator[Progress]:
    """Write the losses and seconds of each step, and the picture of every so many.

    The step counts on from scale to scale. Trials that the optimiser went back from are left out of
    the losses. A full disk does not stop the run.

    Args:
        stream: the run.
        folder: of the event file.
        every: steps from one picture to the next; the last is written, too.

    Returns:
        An iterator of the same Progress.

    Raises:
        InputError: the folder cannot be written to.
    """
    name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        events = _Events(str(Path(folder, name)))
        events.write(tf.compat.v1.Event(wall_time=time.time(), file_version="brain.Event:2"))
    except (OSError, tf.errors.OpError) as error:
        raise InputError(
            f"tensorboard_dir={folder}: cannot be written ({_reason(error)}); give another one"
        ) from error
    return _follow(stream, events, every)


def _follow(stream: Iterable[Progress], events: "_Events", every: int) -> Iterator[Progress]:
    before, told = perf_counter(), False
    try:
        for progress in stream:
            try:
                events.write(_event(progress, perf_counter() - before, every))
            except tf.errors.OpError as error:
                if not told:
                    _LOG.warning(
                        "%s: cannot be written (%s); painting on", events.path, _reason(error)
                    )
                told = True
            yield progress
            before = perf_counter()
    finally:
        events.close()


class _Events:
    """An event file; each event is on the disk when it has been written."""

    def __init__(self, path: str):
        self.path = path
        self._writer = tf.io.TFRecordWriter(path)

    def write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())
        self._writer.flush()

    def close(self) -> None:
        try:
            self._writer.close()
        except tf.errors.OpError:
            pass  # it has been said


def _event(progress: Progress, seconds: float, every: int) -> Any:
    step = sum(progress.steps[: progress.scale]) + progress.step
    values = [_value("seconds", "scalars", tf.constant(seconds))]
    if progress.accepted:
        named = progress.losses._asdict().items()
        values += [_value(f"loss/{name}", "scalars", loss) for name, loss in named]
    if (step + 1) % every == 0 or progress.done == 1:
        picture = progress.image()
        height, width = picture.shape[:2]
        told = tf.constant([str(width), str(height), image_io.encode(picture)])
        values.append(_value("picture", "images", told))
    summary = tf.compat.v1.Summary(value=values)
    return tf.compat.v1.Event(wall_time=time.time(), step=step, summary=summary)


def _value(tag: str, plugin: str, tensor: tf.Tensor) -> Any:
    metadata = tf.compat.v1.SummaryMetadata(data_class=_PLUGINS[plugin])
    metadata.plugin_data.plugin_name = plugin
    proto = tf.make_tensor_proto(tensor.numpy())
    return tf.compat.v1.Summary.Value(tag=tag, tensor=proto, metadata=metadata)


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "message", None) or getattr(error, "strerror", "")).split())
