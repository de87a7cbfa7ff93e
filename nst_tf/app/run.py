"""A run in a thread of its own, which can be watched and stopped."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.app.painted import Painted
from nst_tf.callbacks.base import notify
from nst_tf.callbacks.preview import Preview
from nst_tf.errors import InputError, one_line
from nst_tf.images import image_io
from nst_tf.images.pixels import Size, resize
from nst_tf.run.progress import Progress, seconds_left

_LOG = logging.getLogger(__name__)
# Of a snapshot, in pixels; it is to be looked at while the run goes on.
_MAX_SIDE = 512
# Between two snapshots.
_MIN_SECONDS = 0.1


class Snapshot(NamedTuple):
    """Where a run stands, and how the picture looks.

    Attributes:
        jpeg: the picture, its long side at most 512 px, on white where it is transparent.
        scale: number of the scale, from 1.
        num_scales: how many there are.
        step: number of the step within its scale, from 1.
        num_steps: how many there are at this scale.
        height: of the scale, in pixels.
        width: of the scale, in pixels.
        seconds: since the run began.
        seconds_left: to its end; None after the first step, which tells nothing.
    """

    jpeg: bytes
    scale: int
    num_scales: int
    step: int
    num_steps: int
    height: int
    width: int
    seconds: float
    seconds_left: float | None


# Makes the picture of the last step, whether it is finished, the seconds and what ended the run.
Finish = Callable[[Progress, float, str], Painted]


class Run:
    """A run in a thread of its own.

    Only one other thread may watch it.
    """

    def __init__(self, steps: Iterator[Progress], finish: Finish, alpha: np.ndarray | None):
        """Start it. `finish` makes the result; `alpha` is the photograph's."""
        self._alpha, self._alpha_at_scale = alpha, np.empty([0, 0, 1], np.float32)
        self._changed = threading.Condition()
        self._newest: Snapshot | None = None
        self._stopping = threading.Event()
        self._painted: Painted | None = None
        self._message = ""
        self._has_ended = False
        self._began = monotonic()
        self._origin: tuple[float, float] | None = None
        self._thread = threading.Thread(target=self._paint, args=(steps, finish), name="painting")
        self._thread.start()

    def stop(self) -> None:
        """End the run after the step under way; before the first step, without a picture."""
        self._stopping.set()

    def newest(self, timeout: float) -> Snapshot | None:
        """Wait for a snapshot that has not been handed out.

        Args:
            timeout: in seconds.

        Returns:
            The newest; None where none comes in that time, or the run has ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._has_ended, timeout)
            newest, self._newest = self._newest, None
            return newest

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; `result` then does not wait."""
        return not self._has_ended

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def result(self) -> Painted:
        """Wait for the end.

        Returns:
            The picture, also of a run that was stopped or failed; `message` tells of the latter.

        Raises:
            InputError: there is no picture.
        """
        self.join()
        if self._painted is None:
            raise InputError(self._message)
        return self._painted

    def _paint(self, steps: Iterator[Progress], finish: Finish) -> None:
        try:
            last = self._follow(steps)
            if last is not None:
                self._painted = finish(last, monotonic() - self._began, self._message)
            else:
                self._message = self._message or "stopped before the first step"
        except Exception as error:
            self._message = in_words(error)
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()

    def _follow(self, steps: Iterator[Progress]) -> Progress | None:
        """Take the steps until the last, `stop`, or an error; where the run then stands."""
        last = None
        following: Any = notify(steps, [Preview(self._show, seconds=_MIN_SECONDS)])
        try:
            with contextlib.closing(following) as run:
                while not self._stopping.is_set():
                    progress = next(run, None)
                    if progress is None:
                        break
                    last = progress
        except Exception as error:
            self._message = in_words(error)
        return last

    def _show(self, progress: Progress) -> None:
        """Make the snapshot of a step."""
        now = monotonic()
        # From the first step on: that one is traced, and a resumed run had work done before.
        self._origin = self._origin or (now, progress.done)
        left = seconds_left(now - self._origin[0], self._origin[1], progress.done)
        height, width = progress.scales[progress.scale]
        snapshot = Snapshot(
            self._jpeg(progress),
            scale=progress.scale + 1,
            num_scales=len(progress.scales),
            step=progress.step + 1,
            num_steps=progress.steps[progress.scale],
            height=height,
            width=width,
            seconds=now - self._began,
            seconds_left=left,
        )
        with self._changed:
            self._newest = snapshot
            self._changed.notify_all()

    def _jpeg(self, progress: Progress) -> bytes:
        picture = progress.image()
        size = _within(picture.shape[:2], _MAX_SIDE)
        alpha = None
        if self._alpha is not None:
            if self._alpha_at_scale.shape[:2] != size:  # once a scale
                self._alpha_at_scale = resize(self._alpha[..., np.newaxis], *size).numpy()
            alpha = self._alpha_at_scale[..., 0]
        return image_io.encode(resize(picture, *size), "snapshot.jpg", alpha=alpha)


def _within(size: Size, long_side: int) -> Size:
    """The size of an image that is reduced to a long side, where it is longer."""
    height, width = size
    shrink = min(1.0, long_side / max(size))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def in_words(error: Exception) -> str:
    """An error as one line; the log has the traceback of those that nobody expects."""
    if isinstance(error, InputError):
        return one_line(error, max_length=1000)
    if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
        return "memory ran out; give a smaller size, or end other programs"
    _LOG.error("painting failed", exc_info=error)
    return "painting failed; the log has the details"
