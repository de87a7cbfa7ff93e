"""A run's state in one file, and back, to the last bit.

The file is a line that names the format, a line of JSON, the tensors as NumPy writes them, and a
SHA-256 of all of that.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf

from nst_tf import files
from nst_tf.errors import InputError
from nst_tf.losses.terms import Losses
from nst_tf.optimizers.base import Evaluation
from nst_tf.run import record
from nst_tf.run.memory import Plan
from nst_tf.run.progress import Decided, Progress, State

_LOG = logging.getLogger(__name__)
_FORMAT = b"nst_tf checkpoint 2\n"
_PIECE = 2**20


def keep(
    stream: Iterable[Progress], path: str, task: Mapping[str, Any], every: float
) -> Iterator[Progress]:
    """Write the state of a run now and then, and at its end; a full disk does not stop the run.

    Args:
        stream: the run.
        path: of the file.
        task: what is painted, of `record.task`.
        every: seconds from one file to the next.

    Yields:
        The same Progress.
    """
    last, told = monotonic(), ""
    for progress in stream:
        if monotonic() - last >= every or progress.done == 1:
            try:
                save(path, progress.state(), task)
                told = ""
            except InputError as error:
                if str(error) != told:
                    told = str(error)
                    _LOG.warning("%s; painting on", told)
            last = monotonic()
        yield progress


def check(path: str, *, resume: bool) -> None:
    """Find out before a run whether its checkpoint may be written.

    Args:
        path: of the file.
        resume: whether a checkpoint that is there is to be gone on from.

    Raises:
        InputError: there is another file, or a checkpoint that would be lost, or no way to write.
    """
    files.check(path)
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        start = file.read(len(_FORMAT))
    if not resume and _FORMAT.startswith(start):
        raise InputError(
            f"checkpoint={path}: is there already; give --resume to go on from it, or another name"
        )
    if not resume:
        raise InputError(f"checkpoint={path}: is another file, no checkpoint; give another name")


def save(path: str, state: State, task: Mapping[str, Any]) -> None:
    """Write a state in one step; the file that was there stays as `previous` names it.

    Args:
        path: of the file.
        state: of `Progress.state`.
        task: what is painted, of `record.task`.

    Raises:
        InputError: the file cannot be written.
    """
    head = {
        "task": task,
        "versions": record.versions(),
        "scale": state.scale,
        "step": state.step,
        "decided": record.decided(state.decided),
        "begun": record.decided(state.begun),
        "losses": [float(loss) for loss in state.seen.losses] if state.seen else None,
        "accepted": bool(state.seen.accepted) if state.seen else None,
        "tensors": len(state.tensors),
    }
    with files.writing(path, previous=previous(path)) as file:
        told = _Digested(file)
        told.write(_FORMAT + json.dumps(head).encode() + b"\n")
        for tensor in state.tensors:
            np.save(told, np.asarray(tensor), allow_pickle=False)
        file.write(told.digest.digest())


def load(path: str, task: Mapping[str, Any]) -> State | None:
    """Read a state.

    Args:
        path: of the file.
        task: what is to be painted, of `record.task`.

    Returns:
        The state; None where there is no file, nor one before it.

    Raises:
        InputError: the file is damaged, or of something else than a run of this task.
    """
    if not os.path.exists(path):
        # A run may have been killed after it had put the last one aside.
        if not os.path.exists(previous(path)):
            return None
        _LOG.warning("%s is not there; taking %s", path, previous(path))
        path = previous(path)
    head, tensors = _read(path)
    differences = record.differences(head["task"], task)
    if differences:
        raise InputError(
            f"checkpoint={path}: is of another run ({'; '.join(differences)}); give that run's "
            "settings and pictures, or another --checkpoint, or start afresh without --resume"
        )
    versions = record.versions()
    for name, then in head["versions"].items():
        if versions[name] != then:
            _LOG.warning("begun with %s %s; the rest may differ", name, then)
    seen = None
    if head["losses"]:
        losses = Losses(*map(tf.constant, head["losses"]))
        seen = Evaluation(losses, tf.constant(head["accepted"]), tf.constant(True))
    decided, begun = (_decided(head[name]) for name in ("decided", "begun"))
    return State(head["scale"], head["step"], decided, begun, tensors, seen)


def begun(known: Mapping[str, Any]) -> State:
    """The state that the run of a record began with.

    Args:
        known: the record, of `record.read`.

    Returns:
        The state before the first step, with the record's precision, tiles and history.
    """
    decided = _decided(known["decided"])
    return State(0, 0, decided, decided)


def previous(path: str) -> str:
    """Where the checkpoint before that of `path` is kept."""
    return f"{path}.previous"


def _decided(told: Mapping[str, Any]) -> Decided:
    plans = [Plan(each["seen_at_a_time"], each["history"]) for each in told["scales"]]
    return Decided(told["precision"], tuple(plans))


class _Digested:
    """A file to write to, and the digest of what has been written."""

    def __init__(self, file: BinaryIO):
        self._file, self.digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)


def _read(path: str) -> tuple[dict, list[np.ndarray]]:
    """The head and the tensors of a file that is whole."""
    try:
        with open(path, "rb") as file:
            start = file.read(len(_FORMAT))
            if not _FORMAT.startswith(start):
                raise _refusal(path, "is no checkpoint of this version of nst_tf")
            if not _whole(file):
                raise _refusal(path, "is damaged")
            file.seek(len(_FORMAT))
            head = json.loads(file.readline())
            return head, [np.load(file, allow_pickle=False) for _ in range(head["tensors"])]
    except OSError as error:
        raise InputError(
            f"checkpoint={path}: cannot be read ({error.strerror}); check its permissions"
        ) from error


def _whole(file: BinaryIO) -> bool:
    """Whether the digest at the file's end is that of what is before it."""
    digest = hashlib.sha256()
    left = file.seek(0, os.SEEK_END) - digest.digest_size
    file.seek(0)
    while left > 0:
        piece = file.read(min(left, _PIECE))
        digest.update(piece)
        left -= len(piece)
    return left == 0 and file.read() == digest.digest()


def _refusal(path: str, what: str) -> InputError:
    before = previous(path)
    if _is_whole(before):
        return InputError(f"checkpoint={path}: {what}; give --checkpoint={before}, which is whole")
    return InputError(
        f"checkpoint={path}: {what}; give another --checkpoint, or start afresh without it"
    )


def _is_whole(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_FORMAT)) == _FORMAT and _whole(file)
    except OSError:
        return False
