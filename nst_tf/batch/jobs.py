"""The jobs of a batch: each content image with each style image."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nst_tf.errors import InputError

# Files of a folder that are images; a glob takes whatever it matches.
_EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")


class Job(NamedTuple):
    """An image to render: two paths, and the file name of the output in the batch's folder."""

    content: str
    style: str
    output: str


def find_images(flag: str, patterns: Sequence[str]) -> list[str]:
    """Paths that files, folders and globs stand for, each once, in the order of the patterns.

    InputError names the flag if a pattern stands for none.
    """
    paths: dict[str, None] = {}
    for pattern in patterns:
        try:
            matches = sorted(_matches(os.path.expanduser(pattern)))
        except OSError as error:
            raise InputError(
                f"{flag}={pattern}: cannot be read ({error.strerror}); choose another folder"
            ) from error
        if not matches:
            raise InputError(
                f"{flag}={pattern}: no images found; expected a folder of images, an image, or a "
                f'quoted glob, as --{flag}="photos/*.jpg"'
            )
        paths |= dict.fromkeys(matches)
    return list(paths)


def pair(contents: Sequence[str], styles: Sequence[str]) -> list[Job]:
    """Pair each content image with each style image, style after style, which workers reuse.

    Outputs are `CONTENT__STYLE.png`, with the files' endings where names would be equal, and with
    numbers where that does not help.
    """
    content_names = _short_names(contents)
    jobs = [
        Job(content, style, f"{content_name}__{style_name}")
        for style, style_name in zip(styles, _short_names(styles), strict=True)
        for content, content_name in zip(contents, content_names, strict=True)
    ]
    outputs = number_duplicates(job.output for job in jobs)
    return [job._replace(output=f"{name}.png") for job, name in zip(jobs, outputs, strict=True)]


def _matches(pattern: str) -> Iterator[str]:
    if os.path.isdir(pattern):
        for path in Path(pattern).iterdir():
            is_image = path.suffix.lower() in _EXTENSIONS and not path.name.startswith(".")
            if is_image and path.is_file():
                yield str(path)
    elif os.path.isfile(pattern):  # its name may contain characters of a glob
        yield pattern
    else:
        yield from filter(os.path.isfile, glob.glob(pattern, recursive=True))


def _short_names(paths: Sequence[str]) -> list[str]:
    """Stems, or file names where several files have the same stem."""
    stems = [Path(path).stem for path in paths]
    counts = Counter(stem.casefold() for stem in stems)
    return number_duplicates(
        Path(path).name if counts[stem.casefold()] > 1 else stem
        for path, stem in zip(paths, stems, strict=True)
    )


def number_duplicates(names: Iterable[str]) -> list[str]:
    """The names, with a number if an earlier one is equal but for upper case."""
    taken: set[str] = set()
    unique = []
    for name in names:
        numbered, number = name, 1
        while numbered.casefold() in taken:  # some file systems ignore case
            number += 1
            numbered = f"{name} {number}"
        taken.add(numbered.casefold())
        unique.append(numbered)
    return unique
