"""Whole files and folders or none: an old one stays untouched until the new one is complete.

A path that cannot be written raises an InputError.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nst_tf.errors import InputError


def replace(path: str | os.PathLike, data: bytes) -> None:
    """Write a file in one step, making its folder where it is missing."""
    with writing(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing(
    path: str | os.PathLike, *, previous: str | os.PathLike | None = None
) -> Iterator[BinaryIO]:
    """Yield a file that appears at `path` when it is whole; an existing one moves to `previous`."""
    target = Path(path)
    scratch = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(dir=target.parent, prefix=".nst_tf-")
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner can read; give what open() would have given.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(scratch, 0o666 & ~umask)
        if previous is not None and target.exists():
            os.replace(target, previous)
        os.replace(scratch, target)
        scratch = None
    except OSError as error:
        raise _refusal(target, error) from error
    finally:
        if scratch is not None:
            os.unlink(scratch)


@contextlib.contextmanager
def folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder that appears at `path` when it is filled, in place of an old one."""
    target = Path(path).resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".nst_tf-") as scratch:
            new, old = Path(scratch, "new"), Path(scratch, "old")
            new.mkdir()
            yield new
            try:
                if target.exists():
                    os.rename(target, old)
                os.rename(new, target)
            finally:
                if old.exists() and not target.exists():
                    os.rename(old, target)
    except OSError as error:
        raise _refusal(target, error) from error


def check(path: str | os.PathLike) -> None:
    """Refuse, before the work, a file that `replace` could not write; leaves nothing on disk."""
    try:
        if Path(path).is_dir():
            raise InputError(f"{path}: is a folder; expected a file; add the name of one")
    except OSError as error:
        raise _refusal(Path(path), error) from error
    check_folder(path)


def check_folder(path: str | os.PathLike) -> None:
    """Refuse, before the work, a path whose folder cannot be written; leaves nothing on disk."""
    target = Path(path)
    try:
        parent = next(folder for folder in target.absolute().parents if folder.exists())
        if not parent.is_dir():
            raise InputError(f"{target}: {parent} is a file; expected a folder; choose another one")
        # Only the attempt tells: root may write anywhere by its rights, and yet not in /proc.
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as error:
        raise _refusal(target, error) from error


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: str | os.PathLike) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return sha256(Path(path).read_bytes())


def _refusal(target: Path, error: OSError) -> InputError:
    return InputError(
        f"{target}: cannot be written ({error.strerror}); choose a folder you can write to"
    )
