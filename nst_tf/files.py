"""Whole files and folders or none: an old one stays untouched until the new one is complete."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nst_tf.errors import InputError


def replace(path: str | os.PathLike, data: bytes) -> None:
    """Put `data` at `path` in one step, making its folder where it is missing.

    Args:
        path: where the file is to be; an existing one is replaced once the new one is whole.
        data: the complete content.

    Raises:
        InputError: the folder cannot be made or written to, or the disk is full.
    """
    with writing(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing(
    path: str | os.PathLike, *, previous: str | os.PathLike | None = None
) -> Iterator[BinaryIO]:
    """Write a file that appears at `path` when it is whole, making its folder where it is missing.

    Args:
        path: where the file is to be.
        previous: where an existing one is put then; None to replace it.

    Yields:
        The file to write to. It goes if writing fails.

    Raises:
        InputError: the folder cannot be made or written to, or the disk is full.
    """
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
    """Fill a folder that appears at `path` when it is whole, in place of one that is there.

    Args:
        path: where the folder is to be; missing folders above it are made.

    Yields:
        An empty folder to fill. It goes if filling it fails.

    Raises:
        InputError: the folder cannot be made or written to, or the disk is full.
    """
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
    """Find out whether `replace` will be able to write; leaves nothing on disk.

    Args:
        path: where the file is to be; missing folders are fine if they can be made.

    Raises:
        InputError: a folder of that name, or no way to write there.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise InputError(f"{target}: is a folder; expected a file; add the name of one")
        parent = next(folder for folder in target.absolute().parents if folder.exists())
        if not parent.is_dir():
            raise InputError(f"{target}: {parent} is a file; expected a folder; choose another one")
        # Only the attempt tells: root may write anywhere by its rights, and yet not in /proc.
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as error:
        raise _refusal(target, error) from error


def check_folder(path: str | os.PathLike) -> None:
    """Find out whether `folder` will be able to write; leaves nothing on disk.

    Args:
        path: where the folder is to be.

    Raises:
        InputError: a folder above it is a file, or there is no way to write there.
    """
    target = Path(path)
    parent = next(folder for folder in target.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise InputError(f"{target}: {parent} is a file; expected a folder; choose another one")
    try:
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as error:
        raise _refusal(target, error) from error


def _refusal(target: Path, error: OSError) -> InputError:
    return InputError(
        f"{target}: cannot be written ({error.strerror}); choose a folder you can write to"
    )
