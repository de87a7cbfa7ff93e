"""Visits to the page: the pictures of each, and the folder that goes with it."""

import contextlib
import itertools
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nst_tf.app.job import Job
from nst_tf.app.painted import Painted
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture

# Of a visit's folder.
PREFIX = "visit-"
# Of the pictures of a visit, all together, with what they were painted from; the oldest go first.
_MAX_PICTURES = 24
_MAX_BYTES = 2**29
# A photograph and four paintings.
_MAX_READ = 5
# Visits that have ended, so that a page that slept is told so.
_MAX_ENDED = 1000
# States of runs, which take up to sixty times as much as the picture; others go on without theirs.
_MAX_STATES = 3


@dataclass(frozen=True, eq=False)
class Entry:
    """A picture of a visit.

    Attributes:
        painted: the picture.
        file: as it is downloaded.
        shown: what the browser shows of it, and `photograph` of its photograph.
        caption: below it.
        knobs: the values on the page that it was painted by.
    """

    painted: Painted
    file: Path
    shown: Path
    photograph: Path
    caption: str
    knobs: tuple[Any, ...]

    def arrays(self) -> Iterator[np.ndarray]:
        """All that it holds in memory; pictures of equal inputs share these."""
        request = self.painted.request
        yield from (self.painted.picture, request.photograph.rgb)
        found = [request.photograph.alpha, request.keep_mask]
        for style in request.styles:
            found += [style.rgb, style.mask, style.region]
        yield from (each for each in found if each is not None)


class Visit:
    """A page in a browser."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.pictures: list[Entry] = []
        self.chosen: Entry | None = None
        self.before: Entry | None = None
        self.originals: dict[str, Path] = {}
        self.job: Job | None = None
        self.is_closed = False
        self._numbers = itertools.count(1)
        self._read: dict[tuple[Path, int], Picture] = {}
        self._lock = threading.Lock()

    def new_folder(self) -> Path:
        """A folder for what belongs together."""
        with self._lock:
            self.check_open()
            return Path(tempfile.mkdtemp(dir=self.folder))

    def count(self) -> int:
        """The number of the next picture, from 1."""
        return next(self._numbers)

    def read(self, path: Path, long_side: int) -> Picture:
        """Read a picture as `image_io.read` does; the last few are kept."""
        found = self._read.pop((path, long_side), None)
        if found is None:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise InputError(f"{path.name}: is gone; give it once more") from error
            # By its name alone: where it lies on the server is nobody's business.
            found = image_io.read(path.name, data, long_side=long_side)
        self._read[path, long_side] = found
        for oldest in [*self._read][:-_MAX_READ]:
            self._read.pop(oldest, None)
        return found

    def add(self, entry: Entry) -> None:
        """Add a picture, and choose it; the oldest go where there are too many.

        InputError where the visit has ended.
        """
        with self._lock:
            self.check_open()
            self.pictures.append(entry)
            self.choose(len(self.pictures) - 1)
            while len(self.pictures) > 1 and (
                len(self.pictures) > _MAX_PICTURES or _num_bytes(self.pictures) > _MAX_BYTES
            ):
                oldest = self.pictures.pop(0)
                self.before = None if self.before is oldest else self.before
                shutil.rmtree(oldest.file.parent, ignore_errors=True)
            for each in self.pictures[:-_MAX_STATES]:
                if each.painted.saved is not None:
                    each.painted.saved.path.unlink(missing_ok=True)

    def has(self, folder: Path) -> bool:
        """Whether a picture lies in a folder."""
        return any(each.file.parent == folder for each in self.pictures)

    def choose(self, index: int) -> Entry:
        """Choose a picture; InputError where there is none of that index."""
        if not 0 <= index < len(self.pictures):
            raise InputError(f"picture {index + 1}: is not there; there are {len(self.pictures)}")
        entry = self.pictures[index]
        if entry is not self.chosen:
            self.before, self.chosen = self.chosen, entry
        return entry

    def close(self) -> None:
        """End its run, and delete its files."""
        with self._lock:
            self.is_closed = True
        # `follow` takes it away as soon as it has stopped.
        if (job := self.job) is not None:
            job.stop()
            job.join()
        with self._lock:
            self.discard(self.folder)
            self.pictures.clear()
            self.chosen = self.before = self.job = None
            self._read.clear()

    def discard(self, folder: Path) -> None:
        """Delete a folder of the visit, and the visit's own where that has ended."""
        shutil.rmtree(self.folder if self.is_closed else folder, ignore_errors=True)

    def check_open(self) -> None:
        """InputError where the visit has ended."""
        if self.is_closed:
            raise InputError("the visit has ended; reload the page")


def _num_bytes(pictures: Sequence[Entry]) -> int:
    """Bytes of all that pictures hold, counted once where they share it."""
    arrays = {id(array): array.nbytes for each in pictures for array in each.arrays()}
    return sum(arrays.values())


class Visits:
    """All visits of a server, by the hash of their session."""

    def __init__(self, folder: Path):
        """`folder` is for those of the visits, and where the browsers' files arrive."""
        self.folder = folder
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()

    def of(self, session: str | None) -> Visit:
        """The visit of a session, which begins with the first question for it."""
        with self._lock:
            name = session or ""
            if name not in self._visits:
                # The session comes from the browser, so it names no folder.
                folder = Path(tempfile.mkdtemp(dir=self.folder, prefix=PREFIX))
                self._visits[name] = Visit(folder)
            return self._visits[name]

    def close(self, session: str | None) -> None:
        """End a visit, and delete what its browser sent, but for what another one sent, too."""
        with self._lock:
            visit = self._visits.get(session or "")
        if visit is None or visit.is_closed:
            return
        visit.close()
        with self._lock:
            others = {
                path
                for each in self._visits.values()
                if not each.is_closed
                for path in [*each.originals.values()]  # others add to theirs meanwhile
            }
            ended = [name for name, each in self._visits.items() if each.is_closed]
            for name in ended[:-_MAX_ENDED]:
                del self._visits[name]
        for path in {*visit.originals.values()} - others:
            if self.folder in path.parents:
                with contextlib.suppress(OSError):
                    path.unlink()
                    path.parent.rmdir()
        visit.originals.clear()
