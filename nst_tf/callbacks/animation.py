"""A run as a film: frames evenly spread over the fall of the loss, not over the steps.

Most of the loss goes in the first few steps. So what is spread evenly is its logarithm: from frame
to frame it falls by the same factor.
"""

import io
import logging
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from nst_tf import files
from nst_tf.errors import InputError
from nst_tf.images.image_io import resize
from nst_tf.images.pixels import quantise
from nst_tf.run.progress import Progress

_LOG = logging.getLogger(__name__)
FORMATS = (".gif", ".webp", ".mp4")
# Pixels on a film's long side, frames a second, and seconds that the last one stays.
_LONGEST = 512
_RATE = 12
_STAY = 2
# How many times the frames asked for are held until the end tells which to take.
_SPARE = 3


class Frame(NamedTuple):
    """A picture uint8 [H, W, 3], and how far the logarithm of the loss had fallen by then."""

    fallen: float
    picture: np.ndarray


def check(path: str | os.PathLike) -> None:
    """Find out before a run whether its film can be written.

    Args:
        path: of the film.

    Raises:
        InputError: an ending that is none of `FORMATS`, a package that is missing, or a place that
            cannot be written to.
    """
    kind = Path(path).suffix.lower()
    if kind not in FORMATS:
        raise InputError(
            f"animation={path}: unknown ending {kind!r}; expected one of {', '.join(FORMATS)}"
        )
    if kind == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError as error:
            raise InputError(
                f"animation={path}: .mp4 needs the package av; pip install av, or give .gif or "
                ".webp"
            ) from error
    files.check(path)


def film(stream: Iterable[Progress], path: str | os.PathLike, frames: int) -> Iterator[Progress]:
    """Write a film when the run ends, however it ends; a full disk does not matter to the run.

    Args:
        stream: the run.
        path: ending in .gif or .webp, which loop, or .mp4.
        frames: how many at most, from the first step to the last; fewer where fewer steps have
            changed the picture by as much as the format tells apart.

    Yields:
        The same Progress.
    """
    held: list[Frame] = []
    fall = _Fall()
    try:
        for progress in stream:
            frame = Frame(fall.after(progress), _small(progress))
            # A trial that the optimiser went back from shows nothing new.
            if not held or (frame.picture != held[-1].picture).any():
                held.append(frame)
            if len(held) > _SPARE * frames:
                del held[_least_missed(held)]
            yield progress
    finally:
        try:
            # One picture is no film; a run that had ended before keeps the one it has.
            if len(held) > 1:
                files.replace(path, encode(choose(held, frames), Path(path).suffix.lower()))
        except InputError as error:
            _LOG.warning("%s", error)


def choose(held: Sequence[Frame], count: int) -> list[np.ndarray]:
    """Take frames so that the loss falls evenly from one to the next.

    Args:
        held: in order.
        count: how many to take.

    Returns:
        Their pictures, the first and the last among them, no frame twice.
    """
    if len(held) <= count:
        return [frame.picture for frame in held]
    fallen = np.array([frame.fallen for frame in held])
    taken: list[int] = []
    for number, wanted in enumerate(np.linspace(fallen[0], fallen[-1], count)):
        # Behind the one before, and with enough behind it for those to come.
        least, most = (taken[-1] + 1 if taken else 0), len(held) - count + number
        nearest = int(np.argmin(np.abs(fallen[least : most + 1] - wanted))) + least
        taken.append(most if number == count - 1 else nearest)
    return [held[index].picture for index in taken]


def encode(pictures: Sequence[np.ndarray], kind: str) -> bytes:
    """Make a film.

    Args:
        pictures: uint8 [H, W, 3], all of one size.
        kind: of `FORMATS`.

    Returns:
        The file's bytes.
    """
    file = io.BytesIO()
    if kind == ".mp4":
        _encode_mp4(pictures, file)
        return file.getvalue()
    first, *rest = map(Image.fromarray, pictures)
    durations = [1000 // _RATE] * len(rest) + [1000 * _STAY]
    # A loop of 0 has no end.
    first.save(
        file, kind[1:].upper(), save_all=True, append_images=rest, duration=durations, loop=0
    )
    return file.getvalue()


class _Fall:
    """How far the logarithm of the loss has fallen, at all scales together."""

    def __init__(self):
        self._scale, self._least, self._fallen = -1, math.inf, 0.0

    def after(self, progress: Progress) -> float:
        total = float(progress.losses.total)
        if progress.scale != self._scale:
            self._scale, self._least = progress.scale, total
        # Trials that the optimiser went back from are above the least.
        if 0 < total < self._least:
            self._fallen += math.log(self._least / total)
            self._least = total
        return self._fallen


def _least_missed(held: Sequence[Frame]) -> int:
    """The frame between the two that are the nearest to each other, but for the first and last."""
    fallen = np.array([frame.fallen for frame in held])
    return 1 + int(np.argmin(fallen[2:] - fallen[:-2]))


def _small(progress: Progress) -> np.ndarray:
    height, width = progress.scales[-1]
    shrink = min(1.0, _LONGEST / max(height, width))
    # Even, as films need it.
    sides = [max(2, round(side * shrink) // 2 * 2) for side in (height, width)]
    return quantise(np.asarray(resize(progress.image(), *sides)), np.uint8)


def _encode_mp4(pictures: Sequence[np.ndarray], file: io.BytesIO) -> None:
    import av

    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"crf": "16"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in [*pictures, *[pictures[-1]] * (_RATE * _STAY)]:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
