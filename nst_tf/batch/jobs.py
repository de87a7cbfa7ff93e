"""The jobs of a batch: each content image with each style image."""

import errno
import glob
import hashlib
import importlib.util
import os
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.printable import printable

# Bytes of a file's name that disks take: as a rule, and where names are encrypted (eCryptfs).
_NAME_MAX = 255
_ENCRYPTED_NAME_MAX = 143
# Of one folder, in the line about files that are left out.
_MAX_ENDINGS = 8


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
            found = "".join(f" ({line})" for line in left_out([pattern]))
            raise InputError(
                f"{flag}={pattern}: no images found{found}; expected a folder of images, an image, "
                f'or a quoted glob, as --{flag}="photos/*.jpg"'
            )
        paths |= dict.fromkeys(matches)
    return list(paths)


def left_out(patterns: Iterable[str]) -> list[str]:
    """A line for each folder that holds what `find_images` leaves out: how many of each ending."""
    lines = []
    for folder in dict.fromkeys(filter(os.path.isdir, map(os.path.expanduser, patterns))):
        endings = Counter(
            _ending(path)
            for path in sorted(Path(folder).iterdir())
            if not path.name.startswith(".") and not _is_image(path)
        )
        counts = [f"{count} {ending}" for ending, count in endings.most_common()]
        if len(counts) > _MAX_ENDINGS:
            others = sum(count for _, count in endings.most_common()[_MAX_ENDINGS:])
            counts[_MAX_ENDINGS:] = [f"{others} others"]
        if counts:
            lines.append(f"{folder}: left out {', '.join(counts)}")
    return lines


def pair(
    contents: Sequence[str], styles: Sequence[str], folder: str | os.PathLike = "."
) -> list[Job]:
    """Pair each content image with each style image, style after style, which workers reuse.

    Outputs are `CONTENT__STYLE.png`, with the files' endings where names would be equal, and with
    numbers where that does not help; names that are too long for the folder's disk are shortened.
    """
    content_names = _short_names(contents)
    jobs = [
        Job(content, style, f"{content_name}__{style_name}")
        for style, style_name in zip(styles, _short_names(styles), strict=True)
        for content, content_name in zip(contents, content_names, strict=True)
    ]
    outputs = output_names([job.output for job in jobs], folder)
    return [job._replace(output=output) for job, output in zip(jobs, outputs, strict=True)]


def output_names(names: Iterable[str], folder: str | os.PathLike) -> list[str]:
    """The names with `.png`: each another one, and none too long for the folder's disk.

    Equal for equal names, whether the folder is there yet or not.
    """
    max_bytes = _max_name_bytes(Path(folder)) - len(".png")
    return [f"{name}.png" for name in _distinct(names, max_bytes)]


def _matches(pattern: str) -> Iterator[str]:
    if os.path.isdir(pattern):
        for path in Path(pattern).iterdir():
            if _is_image(path) and not path.name.startswith("."):
                yield str(path)
    elif os.path.isfile(pattern):  # its name may contain characters of a glob
        yield pattern
    else:
        yield from filter(os.path.isfile, glob.glob(pattern, recursive=True))


def _is_image(path: Path) -> bool:
    """Whether a file of a folder is named like an image; a glob takes whatever it matches."""
    ending = path.suffix.lower()
    is_readable = ending not in image_io.HEIF_EXTENSIONS or _has_heif()
    return ending in image_io.READ_EXTENSIONS and is_readable and path.is_file()


def _has_heif() -> bool:
    return importlib.util.find_spec("pillow_heif") is not None


def _ending(path: Path) -> str:
    """The kind of a file that is left out."""
    if path.is_dir():
        return "folder(s)"
    ending = path.suffix.lower()
    if ending in image_io.HEIF_EXTENSIONS and not _has_heif():
        return f"{ending} (needs pip install pillow-heif)"
    return printable(ending) or "without ending"


def _short_names(paths: Sequence[str]) -> list[str]:
    """Stems, or file names where several files have the same stem."""
    stems = [Path(path).stem for path in paths]
    counts = Counter(map(_folded, stems))
    return _distinct(
        Path(path).name if counts[_folded(stem)] > 1 else stem
        for path, stem in zip(paths, stems, strict=True)
    )


def _distinct(names: Iterable[str], max_bytes: int = _NAME_MAX) -> list[str]:
    """The names, shortened, and with a number if a file system may take it for an earlier one."""
    taken: set[str] = set()
    unique = []
    for name in names:
        short, number = _shorten(name, max_bytes), 1
        while _folded(short) in taken:
            number += 1
            short = _shorten(f"{name} {number}", max_bytes)
        taken.add(_folded(short))
        unique.append(short)
    return unique


def _folded(name: str) -> str:
    """Equal for names that some file systems hold to be equal: case and accents as two signs."""
    return unicodedata.normalize("NFC", name.casefold())


def _shorten(name: str, max_bytes: int) -> str:
    """Start and end of a name that is too long, around a digest of the whole."""
    encoded = os.fsencode(name)
    if len(encoded) <= max_bytes:
        return name
    digest = f"~{hashlib.sha256(encoded).hexdigest()[:8]}~"
    half = (max_bytes - len(digest)) // 2
    head, tail = name[:half], name[-half:]  # a character has one byte or more
    while len(os.fsencode(head)) > half:
        head = head[:-1]
    while len(os.fsencode(tail)) > half:
        tail = tail[1:]
    return f"{head}{digest}{tail}"


def _max_name_bytes(folder: Path) -> int:
    """How long the name of a file may be on the disk of a folder, which may not be there yet."""
    parent = next(each for each in (folder, *folder.absolute().parents) if os.path.isdir(each))
    try:
        # Only the attempt tells: an encrypted disk that is shared by a network claims more.
        scratch = tempfile.NamedTemporaryFile(
            dir=parent, prefix=".nst_tf-", suffix="x" * (_NAME_MAX - len(".nst_tf-12345678"))
        )
        scratch.close()
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.ENOENT):
            return _ENCRYPTED_NAME_MAX
    return _NAME_MAX
