"""A folder of pictures, or a pattern of their names, as a film."""

import functools
import glob
import logging
import os
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from nst_tf.digests import sha256
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.cutout import on_white
from nst_tf.images.pillow_decoder import open_image
from nst_tf.images.pixels import resize
from nst_tf.video.frame import Frame, even_size
from nst_tf.video.timing import Part, Shown

_LOG = logging.getLogger(__name__)
_DEFAULT_RATE = Fraction(24)
_NUMBER = re.compile(r"%0?(\d*)d")


class FrameFiles:
    """Pictures of one size in the order of the numbers in their names."""

    lead, sound = Fraction(0), None

    def __init__(self, path: str, part: Part, long_side: int):
        """An InputError says that there are none, or that their sizes differ."""
        self.path = path
        self.metadata: dict[str, str] = {}
        files = _find(path)
        if not part.fps:
            _LOG.info("%s: is shown at %s frames a second; --fps changes it", path, _DEFAULT_RATE)
        self.rate = part.fps or _DEFAULT_RATE
        self.time_base = 1 / self.rate
        _check_sizes(files)
        timed = (Shown(file, n / self.rate, 1 / self.rate) for n, file in enumerate(files))
        self._shown = list(part._replace(fps=Fraction(0)).of(timed))
        if not self._shown:
            raise InputError(
                f"start={float(part.start):g}: {path} has {len(files)} frames, at {self.rate} a "
                "second; give a smaller --start"
            )
        self.num_frames = len(self._shown)
        height, width = image_io.read(self._shown[0].picture).rgb.shape[:2]
        self.size = even_size(height, width, long_side)

    @functools.cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of names, sizes and times of modification."""
        lines = []
        for shown in self._shown:
            status = shown.picture.stat()
            lines.append(f"{shown.picture} {status.st_size} {status.st_mtime_ns}")
        return sha256(os.fsencode("\n".join(lines)))

    def frames(self) -> Iterator[Frame]:
        """Read one file after the other."""
        for shown in self._shown:
            picture = image_io.read(shown.picture, long_side=max(self.size))
            rgb = picture.rgb if picture.alpha is None else on_white(picture.rgb, picture.alpha)
            yield Frame(np.asarray(resize(rgb, *self.size)), shown.time, shown.duration)


def is_pattern(path: str) -> bool:
    """Whether a path stands for several files, as `shots/*.png` or `frames/%04d.png`."""
    return glob.has_magic(path) or _NUMBER.search(path) is not None


def _find(path: str) -> list[Path]:
    """The pictures, by the numbers in their names."""
    if Path(path).is_dir():
        found = [each for each in Path(path).iterdir() if not each.name.startswith(".")]
        what = "in that folder"
    else:
        matches = glob.glob(_NUMBER.sub("*", path))
        names = re.compile(_NUMBER.sub(_digits, re.escape(path)))
        is_numbered = _NUMBER.search(path) is not None and not glob.has_magic(path)
        found = [Path(each) for each in matches if not is_numbered or names.fullmatch(each)]
        what = "of that name"
    files = [x for x in found if x.suffix.lower() in image_io.READ_EXTENSIONS and x.is_file()]
    if not files:
        raise InputError(
            f"{path}: no pictures {what}; expected frames, as 0001.png, 0002.png; check the name"
        )
    return sorted(files, key=_by_number)


def _digits(number: re.Match) -> str:
    """As printf writes a number: with so many digits at least."""
    return rf"\d{{{number[1] or 1},}}"


def _by_number(path: Path) -> list[tuple[int, str]]:
    """A key that has frame_9 before frame_10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _check_sizes(files: list[Path]) -> None:
    first: tuple[int, int] | None = None
    for path in files:
        try:
            with path.open("rb") as file, open_image(file) as image:
                size = image.size
        except Exception:  # it is refused when it is read
            continue
        first = first or size
        if size != first:
            raise InputError(
                f"{path}: is {size[0]} x {size[1]} px, {files[0].name} {first[0]} x {first[1]} px; "
                "expected frames of one size; take it out, or resize it"
            )
