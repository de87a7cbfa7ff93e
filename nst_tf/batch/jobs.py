"""Which pictures a batch paints: each photograph in the manner of each painting."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nst_tf.errors import InputError

# What is a picture in a folder, by its name; a glob takes whatever it names.
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")


class Job(NamedTuple):
    """One picture to paint.

    Attributes:
        content: the photograph's file.
        style: the painting's file.
        output: the name of what is painted, in the batch's folder.
    """

    content: str
    style: str
    output: str


def pictures(name: str, places: Sequence[str]) -> list[str]:
    """The files that a flag names.

    Args:
        name: of the flag.
        places: files, folders (the pictures right in them) and globs (`**` for folders within).

    Returns:
        Their paths, each once, in the order of the places and of their names.

    Raises:
        InputError: there are none, or a folder cannot be read.
    """
    found: dict[str, None] = {}
    for place in places:
        try:
            here = sorted(_files(os.path.expanduser(place)))
        except OSError as error:
            raise InputError(
                f"{name}={place}: cannot be read ({error.strerror}); choose another folder"
            ) from error
        if not here:
            raise InputError(
                f"{name}={place}: no pictures are there; expected a folder with some, a picture, "
                f'or a quoted glob, as --{name}="photos/*.jpg"'
            )
        found |= dict.fromkeys(here)
    return list(found)


def pair(contents: Sequence[str], styles: Sequence[str]) -> list[Job]:
    """Pair every photograph with every painting.

    Args:
        contents: the photographs' files.
        styles: the paintings' files.

    Returns:
        The jobs, painting after painting, so that what is learnt from one serves all of its jobs.
        Outputs are `CONTENT__STYLE.png`, with the files' endings where names would be the same,
        and with numbers where that does not help.
    """
    named = zip(styles, _names(styles), strict=True)
    photographs = list(zip(contents, _names(contents), strict=True))
    wanted = [
        (content, style, f"{of_content}__{of_style}")
        for style, of_style in named
        for content, of_content in photographs
    ]
    outputs = _distinct(output for _, _, output in wanted)
    return [
        Job(content, style, f"{output}.png")
        for (content, style, _), output in zip(wanted, outputs, strict=True)
    ]


def _files(place: str) -> Iterator[str]:
    if os.path.isdir(place):
        for path in Path(place).iterdir():
            if path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file():
                yield str(path)
    elif os.path.isfile(place):  # its name may have what means something to a glob
        yield place
    else:
        yield from filter(os.path.isfile, glob.glob(place, recursive=True))


def _names(paths: Sequence[str]) -> list[str]:
    """Names without endings, but where several files would have the same."""
    stems = [Path(path).stem for path in paths]
    how_often = Counter(stem.casefold() for stem in stems)
    names = [
        Path(path).name if how_often[stem.casefold()] > 1 else stem
        for path, stem in zip(paths, stems, strict=True)
    ]
    return _distinct(names)


def _distinct(names: Iterable[str]) -> list[str]:
    """The names, those that were there before with a number; some disks know no upper case."""
    found: dict[str, None] = {}
    result = []
    for name in names:
        numbered, number = name, 1
        while numbered.casefold() in found:
            number += 1
            numbered = f"{name} {number}"
        found[numbered.casefold()] = None
        result.append(numbered)
    return result
