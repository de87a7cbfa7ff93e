"""A run's state in one file, and back, to the last bit.

The file is NumPy's .npz, without compression: an array `head` of the bytes of a JSON object, the
optimizer's tensors, and the film so far. The head has their SHA-256, because a zip file does not
notice all damage by itself: it has a CRC-32 of each member, but none of their list.
"""

import functools
import hashlib
import json
import logging
import os
import shlex
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf import atomic_files
from nst_tf.errors import InputError
from nst_tf.losses.terms import Losses
from nst_tf.optimizers.base import Evaluation
from nst_tf.run import record
from nst_tf.run.memory_plan import ScalePlan
from nst_tf.run.progress import RunPlan, State
from nst_tf.run.record import Json

_LOG = logging.getLogger(__name__)
_FORMAT = "nst_tf checkpoint 4"
# Before the names of the film's arrays.
_FILM = "film_"


class Checkpoint(NamedTuple):
    """What a file holds: the state to resume, and the arrays of `Animation.arrays`, if any."""

    state: State
    film: Mapping[str, np.ndarray]


def check(path: str, *, resume: bool) -> None:
    """Refuse, before a run, a checkpoint that could not be written or would be lost."""
    for each in (path, previous(path)):
        atomic_files.check(each)
    if not os.path.exists(path) or resume:
        return
    if _is_checkpoint(path):
        raise InputError(
            f"checkpoint={path}: is there already; give --resume to continue it, or another name"
        )
    raise InputError(
        f"checkpoint={path}: is another file, or a checkpoint of another version; give another name"
    )


def save(
    path: str,
    state: State,
    inputs: Json,
    film: Mapping[str, np.ndarray] = {},
    *,
    rescue: bool = True,
) -> None:
    """Write a state in one step; the file that was there stays as `previous` names it.

    `inputs` are the run's, from `record.run_inputs`, `film` is of `Animation.arrays`, `rescue` is
    as in `atomic_files.write`. InputError: the file cannot be written.
    """
    evaluation = state.evaluation
    arrays = {f"tensor{index:04d}": np.asarray(each) for index, each in enumerate(state.tensors)}
    arrays |= {f"{_FILM}{name}": array for name, array in film.items()}
    head = {
        "format": _FORMAT,
        "inputs": inputs,
        "versions": record.versions(),
        "scale": state.scale,
        "step": state.step,
        "plan": record.plan_as_json(state.plan),
        "initial_plan": record.plan_as_json(state.initial_plan),
        "losses": [float(loss) for loss in evaluation.losses] if evaluation else None,
        "accepted": bool(evaluation.accepted) if evaluation else None,
        "tensors_sha256": _sha256(arrays),
    }
    members: Json = {"head": np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays}
    write_to = functools.partial(np.savez, **members)
    atomic_files.write(path, write_to, previous=previous(path), rescue=rescue)


def load(path: str, inputs: Json) -> Checkpoint | None:
    """Read a checkpoint of a run with these inputs; None where there is none, nor a previous one.

    InputError: the file is damaged, or of a run with other inputs.
    """
    if not os.path.exists(path):
        # A run may have been killed after it had renamed the last one.
        if not os.path.exists(previous(path)):
            return None
        _LOG.warning("%s is missing; taking %s", path, previous(path))
        path = previous(path)
    head, arrays = _read(path)
    differences = record.differences(head["inputs"], inputs)
    if differences:
        raise InputError(
            f"checkpoint={path}: is of another run ({'; '.join(differences)}); give that run's "
            "settings and pictures, or another --checkpoint, or start afresh without --resume"
        )
    versions = record.versions()
    for name, then in head["versions"].items():
        if versions[name] != then:
            _LOG.warning("begun with %s %s; the rest may differ", name, then)
    evaluation = None
    if head["losses"]:
        losses = Losses(*map(tf.constant, head["losses"]))
        evaluation = Evaluation(losses, tf.constant(head["accepted"]), tf.constant(True))
    plan, initial_plan = _plan(head["plan"]), _plan(head["initial_plan"])
    tensors = [arrays[name] for name in arrays if not name.startswith(_FILM)]
    film = {name[len(_FILM) :]: arrays[name] for name in arrays if name.startswith(_FILM)}
    state = State(head["scale"], head["step"], plan, initial_plan, tensors, evaluation)
    return Checkpoint(state, film)


def initial_state(known: Json) -> State:
    """The state before the first step, with the plan of a record from `record.read`."""
    plan = _plan(known["plan"])
    return State(0, 0, plan, plan)


def previous(path: str) -> str:
    """The path of the checkpoint before that of `path`."""
    return f"{path}.previous"


def _plan(plan: Json) -> RunPlan:
    scales = [ScalePlan(each["max_tile_pixels"], each["lbfgs_history"]) for each in plan["scales"]]
    return RunPlan(plan["precision"], tuple(scales))


def _read(path: str) -> tuple[Json, dict[str, np.ndarray]]:
    """The head and the arrays of a file that is whole."""
    try:
        file = open(path, "rb")
    except OSError as error:
        raise InputError(
            f"checkpoint={path}: cannot be read ({error.strerror}); check its permissions"
        ) from error
    with file:
        try:
            return _arrays(file)
        except MemoryError:
            raise
        except Exception as error:  # there is hardly one that a damaged zip file does not raise
            remedy = "give another --checkpoint, or start afresh without it"
            if _is_whole(previous(path)):
                remedy = f"give --checkpoint={shlex.quote(previous(path))}, which is whole"
            raise InputError(
                f"checkpoint={path}: is damaged, or no checkpoint of this version of nst_tf; "
                f"{remedy}"
            ) from error


def _is_checkpoint(path: str) -> bool:
    """Whether a file has the head of a checkpoint; its tensors are not read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return json.loads(arrays["head"].tobytes())["format"] == _FORMAT
    except Exception:  # of a file of any kind
        return False


def _is_whole(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return bool(_arrays(file))
    except Exception:
        return False


def _arrays(file: BinaryIO) -> tuple[Json, dict[str, np.ndarray]]:
    with np.load(file, allow_pickle=False) as members:
        head = json.loads(members["head"].tobytes())
        arrays = {name: members[name] for name in sorted(members.files) if name != "head"}
    if (head["format"], head["tensors_sha256"]) != (_FORMAT, _sha256(arrays)):
        raise ValueError(head["format"])
    return head, arrays


def _sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of types, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for _, array in sorted(arrays.items()):
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
