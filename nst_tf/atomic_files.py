"""Whole files and folders or none: an old one stays untouched until the new one is complete.

Permissions and fsync are best effort, because many disks know neither. A path that cannot be
written raises an InputError, which says where the bytes are instead.
"""

import contextlib
import errno
import functools
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from nst_tf.digests import sha256
from nst_tf.errors import InputError, one_line

# What fsync says of a full or broken disk, not of one that does not know it.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# What is not whole yet, or was rescued.
_PREFIX = "nst_tf-"
_PROCESS_KEY = os.urandom(16)


def replace(path: str | os.PathLike, data: bytes, *, rescue: bool = True) -> None:
    """Write a file in one step, as `write` does."""
    write(path, lambda file: file.write(data), rescue=rescue)


def write(
    path: str | os.PathLike,
    write_to: Callable[[BinaryIO], object],
    *,
    previous: str | os.PathLike | None = None,
    rescue: bool = True,
) -> None:
    """Write a file in one step, through a link and with the mode of the file that is there.

    Args:
        path: the file; its folder is made where it is missing.
        write_to: writes the bytes.
        previous: where a file that is there moves to.
        rescue: whether bytes that cannot be written here are to be left elsewhere, by a second call
            of `write_to` for a temporary folder if they do not fit here.

    Raises:
        InputError: the file cannot be written; of a rescue it says where the bytes are.
    """
    target, scratch = _resolve(path), None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = _write_scratch(_beside(target, ".part"), write_to)
        if target.exists():
            with contextlib.suppress(OSError):
                shutil.copymode(target, scratch)
            if previous is not None:
                _move(target, _resolve(previous))
        _move(scratch, target)
    except OSError as error:
        if not rescue:
            if scratch:
                with contextlib.suppress(OSError):
                    scratch.unlink()
            raise _refusal(path, error) from error
        remedy = _saved_at(scratch) if scratch else _rescue(target, write_to)
        raise _refusal(path, error, remedy) from error


@contextlib.contextmanager
def folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder that appears at `path` when it is filled, in place of an old one.

    What it holds moves into a folder that is empty.
    """
    target, keep_scratch = _resolve(path), False
    with _refusing(path):
        staging = _staging(target)
        staging.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=staging, prefix=_PREFIX))
    new = scratch / "new"
    try:
        with _refusing(path):
            new.mkdir()
            yield new
        if staging == target:
            for each in list(new.iterdir()):
                os.rename(each, target / each.name)
        else:
            _swap(new, target, scratch / "old")
    except OSError as error:
        keep_scratch = True
        raise _refusal(path, error, _saved_at(new)) from error
    finally:
        if not keep_scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def check(path: str | os.PathLike) -> None:
    """Refuse, before the work, a file that could not be written, by writing; leaves nothing."""
    target = _resolve(path)
    with _refusing(path):
        if target.is_dir():
            raise InputError(f"{path}: is a folder; expected a file; add the name of one")
        if target.exists() and not target.is_file():
            raise InputError(f"{path}: is a device or a pipe; expected a file; give another name")
        with _temporary_folders(target.parent, path):
            try:
                _probe(target)  # not every disk knows every name
            except FileExistsError:
                _probe(_beside(target, ".probe"))


def check_folder(path: str | os.PathLike) -> None:
    """Refuse, before the work, a folder that could not be written, by writing; leaves nothing."""
    target = _resolve(path)
    with _refusing(path), _temporary_folders(target, path):
        _probe(_staging(target) / f"{_scratch_name(target)}.probe")


def is_empty(path: Path) -> bool:
    """Whether a folder is there, and nothing in it but what is being written, or was rescued."""
    return path.is_dir() and all(each.name.startswith(_PREFIX) for each in path.iterdir())


def _resolve(path: str | os.PathLike) -> Path:
    """What a link leads to, also where that is missing."""
    return Path(os.path.realpath(path))


def _staging(target: Path) -> Path:
    """Where a folder is filled: an empty one from within, because it may be mounted."""
    return target if is_empty(target) else target.parent


def _scratch_name(target: Path) -> str:
    """The same for a file each time, so that what cannot be moved is one file and not many."""
    key = _PROCESS_KEY + str(os.getpid()).encode() + os.fsencode(target)
    return f"{_PREFIX}{sha256(key)[:12]}{target.suffix}"


def _beside(target: Path, ending: str) -> Path:
    # Not every disk allows names that begin with a dot.
    return target.parent / f"{_scratch_name(target)}{ending}"


def _write_scratch(scratch: Path, write_to: Callable[[BinaryIO], object]) -> Path:
    """Write a file to its end, or leave none."""
    try:
        with open(scratch, "wb") as file:
            write_to(file)
            file.flush()
            _sync(file)
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise
    return scratch


def _sync(file: BinaryIO) -> None:
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno in _DISK_ERRORS:
            raise


def _move(source: Path, target: Path) -> None:
    """Rename, or copy: not every disk renames, or does so where a file is, or is mounted."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno in _DISK_ERRORS:
            raise
        _copy(source, target)
        source.unlink()


def _copy(source: Path, target: Path) -> None:
    """Write over a file, which comes back if that fails."""
    backup = None
    if target.exists():
        with open(target, "rb") as old:
            copy = functools.partial(shutil.copyfileobj, old)
            backup = _write_scratch(_beside(target, ".old"), copy)
    try:
        shutil.copyfile(source, target)
    except BaseException:
        if backup:
            shutil.copyfile(backup, target)
            backup.unlink()
        else:
            target.unlink(missing_ok=True)
        raise
    if backup:
        backup.unlink()


def _swap(new: Path, target: Path, old: Path) -> None:
    """Move a folder to `target`, and what is there to `old`; it comes back if that fails."""
    try:
        if target.exists():
            os.rename(target, old)
            with contextlib.suppress(OSError):
                shutil.copymode(old, new)
        os.rename(new, target)
    finally:
        if old.exists() and not target.exists():
            os.rename(old, target)


def _rescue(target: Path, write_to: Callable[[BinaryIO], object]) -> str:
    """Write to a temporary folder, as the last resort, and say so."""
    try:
        return _saved_at(
            _write_scratch(Path(tempfile.gettempdir(), _scratch_name(target)), write_to)
        )
    except OSError as error:
        return f"nor in a temporary folder ({one_line(error)}); {_advice(error)}"


def _saved_at(path: Path) -> str:
    return f"it is whole as {path}; move it from there"


def _probe(target: Path) -> None:
    """Write a file that is not there, and remove it."""
    file = open(target, "xb")
    try:
        with file:
            file.write(b"?")
            file.flush()
            _sync(file)
    finally:
        target.unlink()


@contextlib.contextmanager
def _temporary_folders(folder: Path, path: str | os.PathLike) -> Iterator[None]:
    """Make a folder where it is missing, for a while; for what is to be written to `path`."""
    folders = [folder, *folder.parents]
    missing = [*itertools.takewhile(lambda each: not each.exists(), folders)]
    existing = folders[len(missing)]
    if not existing.is_dir():
        raise InputError(f"{path}: {existing} is a file; expected a folder; choose another one")
    made = []
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            made.append(each)
        yield
    finally:
        with contextlib.suppress(OSError):  # another program may have put something there
            for each in reversed(made):
                each.rmdir()


@contextlib.contextmanager
def _refusing(path: str | os.PathLike) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: str | os.PathLike, error: OSError, remedy: str = "") -> InputError:
    return InputError(f"{path}: cannot be written ({one_line(error)}); {remedy or _advice(error)}")


def _advice(error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return "choose a shorter name"
    return "choose a folder you can write to"
