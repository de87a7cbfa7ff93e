"""Films to paint: a file, an animated picture, or a folder or pattern of pictures."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from nst_tf.errors import InputError
from nst_tf.images.pixels import Size
from nst_tf.video import frame_files
from nst_tf.video.animated_picture import AnimatedPicture, is_picture
from nst_tf.video.av_film import AvFilm
from nst_tf.video.frame import Frame
from nst_tf.video.frame_files import FrameFiles
from nst_tf.video.sound import Sound
from nst_tf.video.timing import make_part

__all__ = ["Film", "Frame", "open_film"]
_HEADER = 64


class Film(Protocol):
    """The part of a film that is painted."""

    @property
    def path(self) -> str:
        """What was opened, for messages."""

    @property
    def size(self) -> Size:
        """Height and width of the frames, upright and with square pixels."""

    @property
    def num_frames(self) -> int | None:
        """How many there are, an estimate; None if that is not known."""

    @property
    def fingerprint(self) -> str:
        """A SHA-256 that changes when the content does."""

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average."""

    @property
    def time_base(self) -> Fraction:
        """The tick of the time stamps, in seconds."""

    @property
    def lead(self) -> Fraction:
        """Seconds of sound before the first frame."""

    @property
    def sound(self) -> Sound | None:
        """The sound that belongs to the part; None for a silent film."""

    @property
    def metadata(self) -> dict[str, str]:
        """Title and time of creation, as far as the film has them."""

    def frames(self) -> Iterator[Frame]:
        """The frames, one after the other, never all in memory; may be called again."""


def open_film(
    content: str, *, size: int, start: float = 0, seconds: float = 0, fps: float = 0
) -> Film:
    """Open what is to be painted.

    A film's rotation is applied, its pixels become square and HDR becomes sRGB. What is damaged or
    missing at the end is logged as a warning, and the rest is taken.

    Args:
        content: a film; a GIF, WebP or APNG; a folder of pictures, or their pattern, as
            `shots/*.png` or `frames/%04d.png`.
        size: long side of the frames; 0 keeps the film's. Both sides are even.
        start: seconds into the film; the first frame is the one that is shown then.
        seconds: how long the part is; 0 is to the end.
        fps: frames a second, to which the nearest frames are dropped or repeated; 0 keeps the
            film's own time stamps. Of a folder it is the rate; 0 is 24.

    Raises:
        InputError: there is no film that can be read, or nothing of it from `start` on.
    """
    part = make_part(start, seconds, fps)
    path = os.fspath(content)
    if Path(path).is_dir() or (frame_files.is_pattern(path) and not Path(path).exists()):
        return FrameFiles(path, part, size)
    if is_picture(_header(path)):
        return AnimatedPicture(path, part, size)
    return AvFilm(path, part, size)


def _header(path: str) -> bytes:
    """The first bytes of a file."""
    expected = "expected a film, an animated picture or a folder of frames"
    try:
        with open(path, "rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; {expected}; check the name") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: cannot be opened ({reason}); {expected}; check its name and permissions"
        ) from error
    if not header:
        raise InputError(f"{path}: is empty (0 bytes); {expected}; save or download it again")
    return header
