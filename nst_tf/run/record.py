"""The record of a run: all that determines its picture, so that it can be repeated."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nst_tf
from nst_tf.errors import InputError
from nst_tf.images import png_text
from nst_tf.settings import Settings

if TYPE_CHECKING:  # TensorFlow, which reading a record does not wait for
    from nst_tf.run.progress import Decided, State
    from nst_tf.style import Style

_PACKAGES = ("tensorflow", "keras", "numpy")


def task(
    content: np.ndarray,
    styles: "Sequence[Style]",
    settings: Settings,
    *,
    weights: str | None,
    start: np.ndarray | None = None,
    keep: np.ndarray | None = None,
) -> dict[str, Any]:
    """What a run paints.

    Args:
        content: as of `transfer.optimize`, as the others.
        styles: likewise.
        settings: likewise.
        weights: SHA-256 of the network's, of `features.origin`, if it is known.
        start: likewise.
        keep: likewise.

    Returns:
        The settings, SHA-256 of the pictures as they were decoded, and the weights'; fit for JSON.
    """
    pictures: dict[str, Any] = {
        "content": _digest(content),
        "start": _digest(start),
        "keep": _digest(keep),
    }
    for number, style in enumerate(styles, 1):
        pictures[f"style {number}"] = {
            "picture": _digest(style.rgb),
            "share": style.share,
            "mask": _digest(style.mask),
            "region": _digest(style.region),
            "layers": None if style.layers is None else list(style.layers),
        }
    told = {"settings": asdict(settings), "pictures": pictures, "weights": weights}
    return json.loads(json.dumps(told))


def of(task: Mapping[str, Any], state: "State") -> dict[str, Any]:
    """The record of a run.

    Args:
        task: of `task`.
        state: any of the run.

    Returns:
        The task, what the run decided by itself before it began, and the versions; fit for JSON.
    """
    return {**task, "decided": decided(state.begun), "versions": versions()}


def decided(how: "Decided") -> dict[str, Any]:
    """What a run decides by itself, fit for JSON."""
    plans = [{"seen_at_a_time": plan.most, "history": plan.history} for plan in how.plans]
    return {"precision": how.precision, "scales": plans}


def versions() -> dict[str, str]:
    """The versions of what computes the picture."""
    packages = {name: version(name) for name in _PACKAGES}
    return {"nst_tf": nst_tf.__version__, "python": platform.python_version(), **packages}


def read(path: str) -> dict[str, Any]:
    """Read a record.

    Args:
        path: a .json that a run has left beside its picture, or a PNG that it has painted.

    Returns:
        The record.

    Raises:
        InputError: the file cannot be read, or is no record.
    """
    expected = "expected the .json beside a picture, or a .png, of an earlier run"
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"settings={path}: cannot be read ({error.strerror}); {expected}"
        ) from error
    try:
        found = json.loads(png_text.find(data) or data)
        complete = isinstance(found, dict) and isinstance(found["settings"], dict)
        plans = [(each["seen_at_a_time"], each["history"]) for each in found["decided"]["scales"]]
        complete &= all(isinstance(n, int) and n > 0 for plan in plans for n in plan)
        complete &= found["decided"]["precision"] in ("float32", "bfloat16", "float16")
        complete &= isinstance(found["pictures"], dict) and isinstance(found["flags"], dict)
        if complete and "weights" in found:
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise InputError(f"settings={path}: is no whole record of a run; {expected}")


def is_record(path: str) -> bool:
    """Whether a file is a record."""
    try:
        return bool(read(path))
    except InputError:
        return False


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two tasks differ in.

    Args:
        one: of `task`, or a record.
        other: likewise.

    Returns:
        A few words for each difference: the second's value and the first's.
    """
    # Of a picture and of weights the digests tell; where the files lie does not matter.
    same = {"init"} if one["pictures"].get("start") and other["pictures"].get("start") else set()
    same |= {"vgg_weights"} if one["weights"] and other["weights"] else set()

    def changed(kind: str) -> list[str]:
        names = [name for name in {**one[kind], **other[kind]} if name not in same]
        return [name for name in names if one[kind].get(name) != other[kind].get(name)]

    words = [
        f"{name}={_text(other['settings'].get(name))} instead of {_text(one['settings'].get(name))}"
        for name in changed("settings")
    ]
    words += [f"another {name}" for name in changed("pictures")]
    if one["weights"] != other["weights"]:
        words.append("other weights of the network")
    return words


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _digest(array: np.ndarray | None) -> str | None:
    """SHA-256 of an array's shape and values."""
    if array is None:
        return None
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
