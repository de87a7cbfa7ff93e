"""Visits to the page: the pictures of each, and the folder that goes with it."""

import contextlib
import itertools
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nst_tf.app.job import Job
from nst_tf.app.painted import Painted
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture

# Of a visit's folder.
PREFIX = "visit-"
# Of the pictures of a visit, all together; the oldest go first.
_MAX_PICTURES = 24
_MAX_PIXELS = 24 * 2**20
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
            if self.is_closed:
                raise InputError("the visit has ended; reload the page")
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
        for oldest in [*self._read][:-5]:  # a photograph and four paintings
            self._read.pop(oldest, None)
        return found

    def add(self, entry: Entry) -> None:
        """Add a picture, and choose it; the oldest go where there are too many."""
        with self._lock:
            self.pictures.append(entry)
        self.choose(len(self.pictures) - 1)
        while len(self.pictures) > 1 and (
            len(self.pictures) > _MAX_PICTURES
            or sum(each.painted.picture[..., 0].size for each in self.pictures) > _MAX_PIXELS
        ):
            oldest = self.pictures.pop(0)
            self.before = None if self.before is oldest else self.before
            shutil.rmtree(oldest.file.parent, ignore_errors=True)
        for each in self.pictures[:-_MAX_STATES]:
            if each.painted.saved is not None:
                each.painted.saved.path.unlink(missing_ok=True)

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
        self.is_closed = True
        if self.job is not None:
            self.job.stop()
            self.job.join()
        with self._lock:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.pictures.clear()
        self.chosen = self.before = None
        self._read.clear()


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
            if session not in self._visits:
                # The session comes from the browser, so it names no folder.
                folder = Path(tempfile.mkdtemp(dir=self.folder, prefix=PREFIX))
                self._visits[session or ""] = Visit(folder)
            return self._visits[session or ""]

    def close(self, session: str | None) -> None:
        """End a visit, and delete what its browser sent, but for what another one sent, too."""
        with self._lock:
            visit = self._visits.pop(session or "", None)
            others = {path for each in self._visits.values() for path in each.originals.values()}
        if visit is None:
            return
        visit.close()
        for path in {*visit.originals.values()} - others:
            if self.folder in path.parents:
                with contextlib.suppress(OSError):
                    path.unlink()
                    path.parent.rmdir()
