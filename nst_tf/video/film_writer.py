"""Painted films: whole or not at all, with the sound of the film that was painted."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from nst_tf import atomic_files
from nst_tf.errors import InputError
from nst_tf.video import av_writer, chunk_writers, gif_writer
from nst_tf.video.film import Film
from nst_tf.video.frame import Frame

_LOG = logging.getLogger(__name__)
# Pictures that move: how they are written, and the longest side.
_PICTURES: dict[str, tuple[Callable[[BinaryIO, Iterable[Frame]], None], int]] = {
    ".gif": (gif_writer.write, gif_writer.MAX_SIDE),
    ".webp": (chunk_writers.write_webp, chunk_writers.WEBP_MAX_SIDE),
    ".png": (chunk_writers.write_apng, 2**31 - 1),
    ".apng": (chunk_writers.write_apng, 2**31 - 1),
}
FORMATS = (*av_writer.CONTAINERS, *_PICTURES)


def check_output(path: str, film: Film, *, codec: str, crf: int) -> None:
    """Refuse, before a run, a film that could not be written.

    A frame is encoded in memory, so that codec, container and size are known to work together; and
    the film's sound is known to fit. Of sound that is left out an info line is logged.

    Args:
        path: the film to be written; its ending decides the format.
        film: the one that is painted.
        codec: the encoder, as libx264; GIF, WebP and PNG need none.
        crf: its constant rate factor; 0 is the best.

    Raises:
        InputError: an ending, a codec, a size, a sound or a path that does not go.
    """
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        problem = f"unknown ending {ending!r}" if ending else "no ending"
        raise InputError(f"{path}: {problem}; expected one of {', '.join(FORMATS)}; change it")
    atomic_files.check(path)
    if ending in av_writer.CONTAINERS:
        av_writer.check(path, film, codec, crf)
        return
    if max(film.size) > _PICTURES[ending][1]:
        raise InputError(
            f"{path}: a side of {max(film.size)} px is too long for {ending}; expected up to "
            f"{_PICTURES[ending][1]}; give a smaller --size"
        )
    if film.sound:
        _LOG.info("%s: has no sound, which %s cannot hold; .mp4 and .mkv can", path, ending)


def write_film(
    path: str, frames: Iterable[Frame], film: Film, *, codec: str, crf: int, is_whole: bool = True
) -> None:
    """Write painted frames as a film; an old one stays until the new one is whole.

    H.264 and its like are written as BT.709 of limited range, 4:2:0; GIF, WebP and PNG loop. The
    frames keep their time stamps. The film's sound is copied packet by packet, all of it that
    belongs to the painted part.

    Args:
        path: the film to be written.
        frames: of `film.size`; taken one after the other.
        film: the one that is painted.
        codec: as of `check_output`.
        crf: as of `check_output`.
        is_whole: whether these are all frames; otherwise the sound ends with them.

    Raises:
        InputError: there are no frames, or the path cannot be written to.
    """
    ending = Path(path).suffix.lower()

    def write_to(file: BinaryIO) -> None:
        counted = _not_empty(path, frames)
        if ending in _PICTURES:
            _PICTURES[ending][0](file, counted)
        else:
            av_writer.write(file, path, counted, film, codec, crf, is_whole)

    # There is no second time for the frames, as a rescue would need.
    atomic_files.write(path, write_to, rescue=False)


def _not_empty(path: str, frames: Iterable[Frame]) -> Iterable[Frame]:
    empty = True
    for frame in frames:
        empty = False
        yield frame
    if empty:
        raise InputError(f"{path}: not a frame was painted; nothing is written; run it again")
