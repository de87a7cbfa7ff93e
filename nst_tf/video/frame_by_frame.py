"""The loop over the frames of a film: shots, motion, and a painter that paints each frame."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from nst_tf.images.pixels import to_float, to_uint
from nst_tf.video.history import Carried, History

# The frame of an index, float32 sRGB [H, W, 3] in [0, 1]; None where there is none.
Lookup = Callable[[int], np.ndarray | None]


class FramePainter(Protocol):
    """A method of painting frames; content and result are float32 sRGB [H, W, 3] in [0, 1].

    Attributes:
        distances: how many frames back those are that a frame is painted from, the closest first.
    """

    distances: Sequence[int]

    def first(self, content: np.ndarray) -> np.ndarray:
        """Paint the first frame of a shot."""

    def next(
        self, content: np.ndarray, carried: Carried, earlier: np.ndarray | None = None
    ) -> np.ndarray:
        """Paint a further frame; `earlier` is what an earlier pass has made of it."""

    def skip(self, content: np.ndarray, *, first: bool) -> None:
        """Follow a frame that was painted by an earlier run."""


def _nothing(index: int) -> np.ndarray | None:
    return None


def paint(
    contents: Iterable[np.ndarray],
    painter: FramePainter,
    *,
    painted: Lookup = _nothing,
    earlier: Lookup = _nothing,
) -> Iterator[np.ndarray]:
    """Paint frame by frame, each but the first of a shot from the frames before.

    Args:
        contents: the frames, float32 sRGB [H, W, 3] in [0, 1], all of one size.
        painter: the method.
        painted: frames of an earlier run, which are not painted again.
        earlier: frames of an earlier pass, which this one starts from.

    Yields:
        Each painted frame, float32 sRGB [H, W, 3] in [0, 1], rounded to 8 bits: what a frame
        depends on is then what is stored, and a run that goes on paints the same.
    """
    history = History(painter.distances)
    for index, content in enumerate(contents):
        carried = None if history.begins_shot(content) else history.carried()
        frame, before = painted(index), earlier(index)
        if frame is None and carried is None:
            frame = before  # which has no neighbor to be nearer to
        if frame is not None:
            painter.skip(content, first=carried is None)
        elif carried is None:
            frame = painter.first(content)
        else:
            frame = painter.next(content, carried, before)
        frame = to_float(to_uint(frame, np.uint8))
        history.add(frame)
        yield frame
