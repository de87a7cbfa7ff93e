"""The record of a run: all that determines its picture, so that it can be repeated."""

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nst_tf
from nst_tf.errors import InputError
from nst_tf.images import png_text
from nst_tf.settings import Settings
from nst_tf.validation import plain

if TYPE_CHECKING:  # reading a record does not wait for them
    import numpy as np

    from nst_tf.run.progress import RunPlan, State
    from nst_tf.style import Style

# What `json` reads and writes.
Json = dict[str, Any]
_PACKAGES = ("tensorflow", "keras", "numpy")


def run_inputs(
    content: "np.ndarray",
    styles: "Sequence[Style]",
    settings: Settings,
    *,
    weights_sha256: str | None,
    start: "np.ndarray | None" = None,
    keep_mask: "np.ndarray | None" = None,
    alpha: "np.ndarray | None" = None,
) -> Json:
    """The inputs of `coarse_to_fine.optimize`, fit for JSON: settings, and SHA-256 of the images.

    `weights_sha256` is that of the network's weights, from `vgg.origin`, if it is known.
    """
    images: Json = {
        "content": _digest(content),
        "start": _digest(start),
        "keep_mask": _digest(keep_mask),
        "alpha": None if alpha is None or alpha.min() == 1 else _digest(alpha),
    }
    for number, style in enumerate(styles, 1):
        images[f"style {number}"] = {
            "image": _digest(style.rgb),
            "weight": style.weight,
            "mask": _digest(style.mask),
            "region": _digest(style.region),
            "layers": None if style.layers is None else list(style.layers),
        }
    inputs = {"settings": settings.as_dict(), "images": images, "weights": weights_sha256}
    return json.loads(json.dumps(inputs))


def make_record(inputs: Json, state: "State") -> Json:
    """The record of a run: its inputs, the plan that it resolved, and the versions."""
    return {**inputs, "plan": plan_as_json(state.initial_plan), "versions": versions()}


def make_note(record: Json, flags: Json) -> Json:
    """The record as a PNG holds it: with what `read` needs of the flags, but for paths."""
    names = ("style_blend", "style_layers", "recipe")
    return {**record, "flags": {name: flags.get(name) for name in names}}


def plan_as_json(plan: "RunPlan") -> Json:
    """A plan, fit for JSON."""
    scales = [
        {"max_tile_pixels": scale.max_tile_pixels, "lbfgs_history": scale.lbfgs_history}
        for scale in plan.scales
    ]
    return {"precision": plan.precision, "scales": scales}


def versions() -> dict[str, str]:
    """The versions of what computes the picture."""
    packages = {name: version(name) for name in _PACKAGES}
    return {"nst_tf": nst_tf.__version__, "python": platform.python_version(), **packages}


def read(path: str) -> Json:
    """Read a record, from the .json beside a picture or from a PNG that a run has painted."""
    expected = "expected the .json beside a picture, or a .png, of an earlier run"
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"from_record={path}: cannot be read ({error.strerror}); {expected}"
        ) from error
    try:
        record = json.loads(png_text.read(data) or data)
        if _is_whole(record):
            return record
    except (ValueError, KeyError, TypeError):
        pass
    raise InputError(f"from_record={path}: is no whole record of a run; {expected}")


def is_record(path: str) -> bool:
    """Whether a .json file is a record, also of an earlier version."""
    try:
        record = json.loads(Path(path).read_bytes())
        return {"settings", "versions"} <= {*record}
    except (OSError, ValueError, TypeError):
        return False


def differences(record: Json, inputs: Json) -> list[str]:
    """A few words about each difference between the inputs of a record and those of a run."""
    # Digests of images and weights are compared, not where their files are.
    starts = record["images"].get("start") and inputs["images"].get("start")
    ignored = {"init"} if starts else set()
    if record["weights"] and inputs["weights"]:
        ignored |= {"vgg_weights"}

    def changed(section: str) -> list[str]:
        ours, theirs = inputs[section], record[section]
        names = [name for name in {**theirs, **ours} if name not in ignored]
        return [name for name in names if theirs.get(name) != ours.get(name)]

    words = [
        f"{name}={plain(inputs['settings'].get(name))} instead of "
        f"{plain(record['settings'].get(name))}"
        for name in changed("settings")
    ]
    words += [
        _image_difference(name, record["images"].get(name), inputs["images"].get(name))
        for name in changed("images")
    ]
    if record["weights"] != inputs["weights"]:
        words.append("other weights of the network")
    return words


def _is_whole(record: Json) -> bool:
    scales = [(each["max_tile_pixels"], each["lbfgs_history"]) for each in record["plan"]["scales"]]
    return (
        all(isinstance(n, int) and n > 0 for scale in scales for n in scale)
        and record["plan"]["precision"] in ("float32", "bfloat16", "float16")
        and all(isinstance(record[name], dict) for name in ("settings", "images", "flags"))
        and "weights" in record
    )


def _image_difference(name: str, theirs: Any, ours: Any) -> str:
    if ours is None:
        return f"no {name}"
    if isinstance(theirs, dict) and theirs["image"] == ours["image"]:
        parts = [part for part in ours if ours[part] != theirs[part]]
        return f"other {' and '.join(parts)} of {name}"
    return f"another {name}"


def _digest(array: "np.ndarray | None") -> str | None:
    """SHA-256 of an array's shape and values."""
    if array is None:
        return None
    import numpy as np

    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
