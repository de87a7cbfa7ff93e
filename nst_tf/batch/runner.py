"""Run a batch: render what is missing, and log the outcome of each job.

A job is done when its output is there as the log says, and content image, style image and config
are those that the log says it was made from: by their SHA-256, not by their dates.
"""

import contextlib
import functools
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from nst_tf import atomic_files, file_lock
from nst_tf.batch.jobs import Job
from nst_tf.batch.requests import RenderConfig, RenderRequest, RenderResult, failure
from nst_tf.digests import file_sha256, sha256
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.networks import vgg

_LOG = logging.getLogger(__name__)
LOG_NAME = "batch.jsonl"
_DIGESTS = ("content_sha256", "style_sha256", "config_sha256", "output_sha256")
# A line of the log: the fields of Job, error, losses, seconds, worker, precision, and the digests.
LogEntry = dict[str, Any]
# `processes.render` or `ray_cluster.render`, with workers and threads bound.
Runner = Callable[[RenderConfig, Iterable[RenderRequest]], Iterator[RenderResult]]


class Batch:
    """The jobs of a batch, and what is known about each. No other batch may have the folder.

    Attributes:
        jobs: all jobs.
        missing: the jobs that were not done when the batch was opened.
        lost: why the output of a missing job would replace a file that is not to be replaced.
        entries: the last entry of the log about each output; none for jobs that never ran.
    """

    def __init__(self, jobs: Sequence[Job], config: RenderConfig, folder: str | os.PathLike):
        """Read the log of the folder, and find out what is missing."""
        self.jobs, self._config, self._folder = list(jobs), config, Path(folder)
        self._config_sha256 = config_sha256(config)
        self._log, self._lock = self._folder / LOG_NAME, contextlib.ExitStack()
        atomic_files.check(self._log)
        self._log_is_new = not self._log.exists()
        if not self._log_is_new:
            self._lock_log("ab")
        logged = _read_log(self._log)
        self.entries = {job.output: logged[job.output] for job in jobs if job.output in logged}
        sha256 = functools.cache(_file_sha256)
        self.missing = [job for job in self.jobs if not self._is_done(job, sha256)]
        self.lost = {job: why for job in self.missing if (why := self._why_lost(job, sha256))}

    def render(self, runner: Runner) -> Iterator[LogEntry]:
        """Render what is missing by a runner, write the images, and yield each entry of the log."""
        if not self.missing:
            return
        digests: dict[int, dict[str, str]] = {}
        unreadable: list[RenderResult] = []
        for result in runner(self._config, self._requests(digests, unreadable)):
            yield self._finish(result, digests.pop(result.number))
            while unreadable:
                yield self._finish(unreadable.pop(0), {})
        for result in unreadable:
            yield self._finish(result, {})

    def failed(self) -> list[LogEntry]:
        """The entries of the jobs that failed."""
        return [entry for entry in self.entries.values() if entry["error"] is not None]

    def close(self) -> None:
        """Leave the folder to other batches."""
        self._lock.close()

    def _lock_log(self, mode: str) -> None:
        """Open the log in this mode, and refuse the folder if another batch has it."""
        refusal = InputError(
            f"output_dir={self._folder}: another batch is painting into it; wait for its end, or "
            "choose another folder"
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._lock.enter_context(open(self._log, mode))
        except FileExistsError as error:
            raise refusal from error
        except OSError:
            return  # each entry warns of it
        file_lock.lock(file, refusal)

    def _is_done(self, job: Job, sha256: Callable[[str], str | None]) -> bool:
        entry = self.entries.get(job.output)
        if entry is None or entry["error"] is not None:
            return False
        output = str(self._folder / job.output)
        found = sha256(job.content), sha256(job.style), self._config_sha256, sha256(output)
        return found == tuple(entry[name] for name in _DIGESTS)

    def _why_lost(self, job: Job, sha256: Callable[[str], str | None]) -> str:
        """What a file at the place of the output is; empty if it may be replaced.

        That is what this config has made from files of these names: one has changed since.
        """
        output = str(self._folder / job.output)
        if not os.path.lexists(output):
            return ""
        entry = self.entries.get(job.output, {})
        made = entry.get("output_sha256")
        if made is None or made != sha256(output):
            return "not made by a batch, or changed since"
        if entry["config_sha256"] != self._config_sha256:
            return "made with another method or settings"
        if (entry.get("content"), entry.get("style")) != (job.content, job.style):
            return "made from other files"
        return ""

    def _requests(
        self, digests: dict[int, dict[str, str]], unreadable: list[RenderResult]
    ) -> Iterator[RenderRequest]:
        """Read the images of what is missing; notes their digests, or that they are unreadable."""
        if self._log_is_new:
            # Not before the workers are ready: an error of theirs leaves nothing on disk.
            self._lock_log("xb")
        for number, job in enumerate(self.missing):
            try:
                content, style = image_io.load(job.content), image_io.load(job.style)
            except Exception as error:
                unreadable.append(failure(number, error))
                continue
            digests[number] = {
                "content_sha256": sha256(content),
                "style_sha256": sha256(style),
            }
            yield RenderRequest(number, (job.content, content), (job.style, style))

    def _finish(self, result: RenderResult, digests: Mapping[str, str]) -> LogEntry:
        """Write the image and the entry of a job."""
        job = self.missing[result.number]
        # Of an attempt that fails: what an earlier one has made stays.
        made = self.entries.get(job.output, {}).get("output_sha256")
        if result.data is not None:
            try:
                atomic_files.replace(self._folder / job.output, result.data)
                made = sha256(result.data)
            except Exception as error:
                failed = failure(result.number, error)
                result = result._replace(error=failed.error, trace=failed.trace)
        entry = {
            **job._asdict(),
            "error": result.error,
            "losses": result.losses,
            "seconds": result.seconds,
            "worker": result.worker,
            "precision": result.precision,
            "config_sha256": self._config_sha256,
            **digests,
            "output_sha256": made,
        }
        if result.trace:
            entry["trace"] = result.trace
        self.entries[job.output] = entry
        _append(self._log, entry)
        return entry


def config_sha256(config: RenderConfig) -> str:
    """SHA-256 of all that determines the images of a batch besides content and style."""
    inputs: dict[str, Any] = {"method": config.method}
    if config.method == "fast":
        inputs |= {"handle": config.handle, "size": config.settings.size}
        inputs["model"] = _model_sha256s(config.handle)
    else:
        inputs |= config.settings.as_dict()
        inputs["weights"] = vgg.origin(config.settings).get("sha256")
        if inputs["weights"]:
            del inputs["vgg_weights"]  # the path does not matter
    return sha256(json.dumps(inputs, sort_keys=True).encode())


def _model_sha256s(handle: str) -> list[str | None]:
    """SHA-256 of each file of a feed-forward model; none if the handle is no path."""
    root = Path(handle)
    paths = sorted(root.rglob("*")) if root.is_dir() else [root]
    return [_file_sha256(str(path)) for path in paths if path.is_file()]


def _file_sha256(path: str) -> str | None:
    try:
        return file_sha256(path)
    except (OSError, MemoryError):
        return None


def _read_log(path: Path) -> dict[str, LogEntry]:
    """The last whole line about each output; a run that was killed may have left half a line."""
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); choose another folder"
        ) from error
    entries = {}
    for line in lines:
        try:
            entry = json.loads(line)
            entries[entry["output"]] = {**dict.fromkeys((*_DIGESTS, "error")), **entry}
        except (ValueError, KeyError, TypeError):
            continue
    return entries


def _append(path: Path, entry: LogEntry) -> None:
    """Append a line to the log; if that fails, the job is done again the next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            if file.tell() > 0 and not _ends_with_newline(file):
                file.write(b"\n")
            file.write(json.dumps(entry).encode() + b"\n")
    except OSError as error:
        _LOG.warning("%s: cannot be written (%s); painting on", path, error.strerror)


def _ends_with_newline(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
