"""A film painted into a store of frames, in one pass or several, and read from there again."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nst_tf.video.film import Film
from nst_tf.video.frame import Frame
from nst_tf.video.frame_by_frame import FramePainter, paint
from nst_tf.video.frame_store import FrameStore


class FilmProgress(NamedTuple):
    """Where a film stands after a frame.

    Attributes:
        done: frames that are painted, those of earlier passes counted, too.
        total: frames to paint in all passes, an estimate; None if that is not known.
        is_new: whether the frame was painted now, not by an earlier run.
    """

    done: int
    total: int | None
    is_new: bool


def paint_film(film: Film, painter: FramePainter, store: FrameStore) -> Iterator[FilmProgress]:
    """Paint what the store does not have yet.

    The second pass goes backwards, the third forwards, and so on; each starts from what the one
    before has made of the frame and of its neighbors (Ruder et al. 2016, "Artistic style transfer
    for videos", section 3.4).

    Args:
        film: what is painted.
        painter: the method.
        store: what has been painted so far; new frames are added.

    Yields:
        The progress after each frame.

    Raises:
        InputError: of the painter, of the film, or of a disk that does not take a frame.
    """
    total = film.num_frames and store.passes * film.num_frames
    count = 0
    for is_new in _paint_pass(store, 1, _contents(film, store), painter, None):
        count += 1
        yield FilmProgress(count, total, is_new)
    for number in range(2, store.passes + 1):
        order = range(count) if number % 2 else range(count)[::-1]
        contents = (_kept(store, index) for index in order)
        before = (number - 1) * count
        for done, is_new in enumerate(_paint_pass(store, number, contents, painter, order), 1):
            yield FilmProgress(before + done, store.passes * count, is_new)


def painted_frames(film: Film, store: FrameStore) -> Iterator[Frame]:
    """The frames that are painted, up to the first that is not, with the film's time stamps."""
    for index, frame in enumerate(film.frames()):
        painted = store.latest(index)
        if painted is None:
            return
        yield frame._replace(rgb=painted)


def _paint_pass(
    store: FrameStore,
    number: int,
    contents: Iterator[np.ndarray],
    painter: FramePainter,
    order: range | None,
) -> Iterator[bool]:
    """Paint a pass in an order of frames, None for the film's; after each, whether it was new."""

    def index_of(position: int) -> int:
        return position if order is None else order[position]

    frames = paint(
        contents,
        painter,
        painted=lambda position: store.read(number, index_of(position)),
        earlier=lambda position: store.read(number - 1, index_of(position)) if order else None,
    )
    for position, rgb in enumerate(frames):
        is_new = not store.has(number, index_of(position))
        if is_new:
            store.write(number, index_of(position), rgb)
        yield is_new


def _contents(film: Film, store: FrameStore) -> Iterator[np.ndarray]:
    for index, frame in enumerate(film.frames()):
        if store.passes > 1:
            store.keep_content(index, frame.rgb)
        yield frame.rgb


def _kept(store: FrameStore, index: int) -> np.ndarray:
    content = store.content(index)
    assert content is not None  # the first pass has kept it
    return content
