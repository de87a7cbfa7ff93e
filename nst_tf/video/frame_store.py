"""The frames of a run as files in a folder, so that a run that ends early loses none."""

import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np

from nst_tf import atomic_files, file_lock
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.run.record import Json

_LOG = logging.getLogger(__name__)
_RUN = "film.json"
_CONTENT = "content"


class FrameStore:
    """A folder with the painted frames of one run.

    The frames of the last pass are in the folder itself, 00001.png and so on; those of earlier
    passes, and the film's own, which these need, in folders within.

    Attributes:
        folder: where they are.
        passes: how many the run has.
        plan: what the run resolved when it began.
    """

    def __init__(self, folder: str, passes: int, inputs: Json, plan: Json, *, resume: bool):
        """Begin, or go on with the frames that are there.

        Args:
            folder: is made where it is missing.
            passes: how many the run has.
            inputs: all that the frames depend on, fit for JSON: values by name.
            plan: what a run that begins resolves by itself, fit for JSON.
            resume: whether frames that are there are this run's.

        Raises:
            InputError: there are frames and they are not to be resumed, or are of other inputs; the
                folder cannot be written; another run writes to it.
        """
        self.folder, self.passes = Path(folder), passes
        inputs = json.loads(json.dumps(inputs))
        self._lock = self._locked()
        try:
            known = self._begin(inputs, plan, resume)
        except BaseException:
            self.close()
            raise
        self.plan: Json = known["plan"]

    def read(self, number: int, index: int) -> np.ndarray | None:
        """A painted frame of a pass, from 1 on, float32 sRGB [H, W, 3]; None if it is not there."""
        return _read(self._path(number, index))

    def write(self, number: int, index: int, rgb: np.ndarray) -> None:
        """Write a painted frame of a pass; InputError where the disk does not take it."""
        self._write(self._path(number, index), rgb)

    def has(self, number: int, index: int) -> bool:
        """Whether a painted frame is there."""
        return self._path(number, index).is_file()

    def num_frames(self) -> int:
        """How many painted frames there are, of all passes."""
        return len([*self.folder.glob("*.png"), *self.folder.glob("pass*/*.png")])

    def latest(self, index: int) -> np.ndarray | None:
        """A frame as the last pass that has it has painted it."""
        for number in range(self.passes, 0, -1):
            if self.has(number, index):
                return self.read(number, index)
        return None

    def content(self, index: int) -> np.ndarray | None:
        """A frame of the film itself, as `keep_content` has it."""
        return _read(self.folder / _CONTENT / _name(index))

    def keep_content(self, index: int, rgb: np.ndarray) -> None:
        """Keep a frame of the film for later passes, which may go backwards."""
        path = self.folder / _CONTENT / _name(index)
        if not path.is_file():
            self._write(path, rgb)

    def close(self) -> None:
        """Let other runs have the folder."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def remove(self) -> None:
        """Remove the folder."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int, index: int) -> Path:
        folder = self.folder if number == self.passes else self.folder / f"pass{number}"
        return folder / _name(index)

    def _write(self, path: Path, rgb: np.ndarray) -> None:
        # No rescue: there are many, and they would fill a second disk.
        atomic_files.replace(path, image_io.encode(rgb, path), rescue=False)

    def _begin(self, inputs: Json, plan: Json, resume: bool) -> Json:
        """Begin, or go on; inputs and plan of the run whose frames these are."""
        known = _read_run(self.folder)
        if known is None and not atomic_files.is_empty(self.folder):
            raise InputError(
                f"frames_dir={self.folder}: has other files; give an empty folder, or another name"
            )
        if known is not None and _has_frames(self.folder):
            if not resume:
                raise _occupied(self.folder)
            _check_equal(self.folder, known["inputs"], inputs)
            return known
        known = {"inputs": inputs, "plan": plan}
        data = json.dumps(known, indent=1).encode()
        atomic_files.replace(self.folder / _RUN, data, rescue=False)
        return known

    def _locked(self) -> int | None:
        """The folder, opened and locked; None where folders cannot be opened."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder, os.O_RDONLY)
        except OSError:
            return None  # what cannot be written is said by what writes
        taken = f"frames_dir={self.folder}: another run writes to it; give another --frames_dir"
        try:
            file_lock.lock(descriptor, InputError(taken))
        except InputError:
            os.close(descriptor)
            raise
        return descriptor


def check(folder: str, *, resume: bool) -> None:
    """Refuse, before the work, a folder that cannot be written, or has another run's frames."""
    atomic_files.check_folder(folder)
    if not resume and _has_frames(Path(folder)):
        raise _occupied(folder)


def _occupied(folder: str | os.PathLike) -> InputError:
    return InputError(
        f"frames_dir={folder}: has the frames of an earlier run; give --resume to go on with "
        "them, or another --frames_dir, or remove it"
    )


def _name(index: int) -> str:
    return f"{index + 1:05d}.png"


def _has_frames(folder: Path) -> bool:
    """Whether a run has painted something there."""
    return (folder / _RUN).is_file() and any(folder.rglob("*.png"))


def _read(path: Path) -> np.ndarray | None:
    """A frame; one that is damaged is removed, and painted again."""
    if not path.is_file():
        return None
    try:
        return image_io.read(path).rgb
    except InputError as error:
        _LOG.warning("%s; it is painted again", error)
        path.unlink()
        return None


def _read_run(folder: Path) -> Json | None:
    path = folder / _RUN
    try:
        run = json.loads(path.read_bytes())
        return {"inputs": dict(run["inputs"]), "plan": dict(run["plan"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read; remove {folder} and begin anew") from error


def _check_equal(folder: Path, known: Json, inputs: Json) -> None:
    names = [name for name in {**known, **inputs} if known.get(name) != inputs.get(name)]
    if names:
        words = [f"{name}={inputs.get(name)} instead of {known.get(name)}" for name in names]
        raise InputError(
            f"frames_dir={folder}: has frames of another run ({'; '.join(words)}); give that run's "
            "film, paintings and settings, or another --frames_dir"
        )
