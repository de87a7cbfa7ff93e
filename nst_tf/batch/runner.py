"""Every photograph in every style: what is missing is painted, and a log tells what became of it.

A picture is done when it is there as the log says, and photograph, painting and settings are those
that the log says it was painted from: by their digests, not by their dates.
"""

import functools
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nst_tf import files
from nst_tf.batch.jobs import Job
from nst_tf.batch.requests import Errand, Order, Painted
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.networks import vgg

_LOG = logging.getLogger(__name__)
LOG = "batch.jsonl"
# What a picture is made from, and what it is.
_DIGESTS = ("content_sha256", "style_sha256", "order_sha256", "output_sha256")
# `local.paint` or `cluster.paint`, but for what they need to know besides.
Runner = Callable[[Order, Iterable[Errand]], Iterator[Painted]]


class Batch:
    """The jobs of a batch, and what has become of them.

    Attributes:
        jobs: all of them.
        missing: those that are to be painted yet.
        entries: by output, the last line of the log about each; none for jobs that were never
            begun.
    """

    def __init__(self, jobs: Sequence[Job], order: Order, folder: str | os.PathLike):
        """Find out what is missing.

        Args:
            jobs: of `jobs.pair`.
            order: how they are painted.
            folder: where pictures and log go.

        Raises:
            InputError: the weights or the model cannot be read, or the log cannot be written.
        """
        self.jobs, self._order, self._folder = list(jobs), order, Path(folder)
        self._made_by = digest(order)
        self._log = self._folder / LOG
        files.check(self._log)
        told = _read(self._log)
        self.entries = {job.output: told[job.output] for job in jobs if job.output in told}
        self._settle()
        file_digest = functools.cache(_file_digest)
        self.missing = [job for job in self.jobs if not self._done(job, file_digest)]

    def paint(self, runner: Runner) -> Iterator[dict[str, Any]]:
        """Paint what is missing.

        Args:
            runner: paints errands.

        Yields:
            A job's line of the log, when the picture is there, or will not be.

        Raises:
            InputError: as of the runner.
        """
        unread: list[Painted] = []
        digests: dict[int, dict[str, str]] = {}

        def errands() -> Iterator[Errand]:
            for number, job in enumerate(self.missing):
                try:
                    content, style = image_io.load(job.content), image_io.load(job.style)
                except InputError as error:
                    unread.append(Painted(number, error=str(error)))
                    continue
                digests[number] = {
                    "content_sha256": _sha256(content),
                    "style_sha256": _sha256(style),
                    "order_sha256": self._made_by,
                }
                yield Errand(number, (job.content, content), (job.style, style))

        for painted in runner(self._order, errands()) if self.missing else ():
            yield self._keep(painted, digests.pop(painted.number))
            while unread:
                yield self._keep(unread.pop(), {})
        while unread:
            yield self._keep(unread.pop(), {})

    def failed(self) -> list[dict[str, Any]]:
        """The lines of the log about the jobs that failed."""
        return [entry for entry in self.entries.values() if entry["error"] is not None]

    def _settle(self) -> None:
        """Go on in the precision of before: `auto` may choose another the next time."""
        for entry in self.entries.values():
            if entry["order_sha256"] == self._made_by and entry.get("precision"):
                self._order = self._order._replace(precision=entry["precision"])

    def _done(self, job: Job, file_digest: Callable[[str], str | None]) -> bool:
        entry = self.entries.get(job.output)
        if entry is None or entry["error"] is not None:
            return False
        now = (
            file_digest(job.content),
            file_digest(job.style),
            self._made_by,
            file_digest(str(self._folder / job.output)),
        )
        return now == tuple(entry[name] for name in _DIGESTS)

    def _keep(self, painted: Painted, digests: dict[str, str]) -> dict[str, Any]:
        """Write a picture and its line of the log."""
        job, error = self.missing[painted.number], painted.error
        if painted.data is not None:
            try:
                files.replace(self._folder / job.output, painted.data)
                digests["output_sha256"] = _sha256(painted.data)
            except InputError as trouble:
                error = str(trouble)
        entry = {
            **job._asdict(),
            "error": error,
            "losses": painted.losses,
            "seconds": painted.seconds,
            "worker": painted.worker,
            "precision": painted.kind,
            **digests,
        }
        if painted.trace:
            entry["trace"] = painted.trace
        self.entries[job.output] = entry
        _append(self._log, entry)
        return entry


def digest(order: Order) -> str:
    """SHA-256 of all that pictures are made from besides photograph and painting.

    Args:
        order: how they are painted.

    Returns:
        Its hexadecimal digits.

    Raises:
        InputError: the network's weights cannot be read.
    """
    if order.method == "fast":
        told = {"handle": order.handle, "model": _model(order.handle), "size": order.settings.size}
    else:
        told = {**asdict(order.settings), "weights": vgg.origin(order.settings).get("sha256")}
        if told["weights"]:
            del told["vgg_weights"]  # where they lie does not matter
    return _sha256(json.dumps({"method": order.method, **told}, sort_keys=True).encode())


def _model(handle: str) -> list[str | None]:
    """What a feed-forward model's files hold, where they are here."""
    place = Path(handle)
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    return [_file_digest(str(path)) for path in files if path.is_file()]


def _file_digest(path: str) -> str | None:
    try:
        return _sha256(Path(path).read_bytes())
    except OSError:
        return None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(log: Path) -> dict[str, dict[str, Any]]:
    """The last whole line about each output; a killed run may have left half a line."""
    if not log.is_file():
        return {}
    found = {}
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(
            f"{log}: cannot be read ({error.strerror}); choose another folder"
        ) from error
    for line in lines:
        try:
            entry = json.loads(line)
            found[entry["output"]] = {**dict.fromkeys((*_DIGESTS, "error")), **entry}
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _append(log: Path, entry: dict[str, Any]) -> None:
    """Add a line; where it cannot be, the job is done again the next time."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a+b") as file:
            whole = file.tell() == 0 or _ends_a_line(file)
            file.write((b"" if whole else b"\n") + json.dumps(entry).encode() + b"\n")
    except OSError as error:
        _LOG.warning("%s: cannot be written (%s); painting on", log, error.strerror)


def _ends_a_line(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
