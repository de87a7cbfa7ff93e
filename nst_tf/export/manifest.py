"""What an export is: a manifest for programs, and the same as README.md for people."""

import json
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

import nst_tf
from nst_tf.export.checks import MAX_STEPS
from nst_tf.export.models import ExportedModel
from nst_tf.run.pyramid import MAX_ASPECT_RATIO, MIN_SIDE, MIN_STYLE_SIDE
from nst_tf.run.record import Json
from nst_tf.validation import plain

# Where the manifest lies in the folder of an export.
PATH = Path("assets.extra", "manifest.json")
_COLORS, _ANY = [0, 1], None
_SIDES, _STYLE_SIDES = (
    f"sides from {side} px, one at most {MAX_ASPECT_RATIO} times the other"
    for side in (MIN_SIDE, MIN_STYLE_SIDE)
)
_FILE = "a JPEG file, turned upright by its EXIF data, or a PNG file"
# What the tensors of signatures hold, and their lowest and highest value; None is no limit.
_MEANINGS: dict[str, tuple[str, list | None]] = {
    "image": (f"pictures, sRGB, {_SIDES}", _COLORS),
    "content": (f"the photograph, sRGB, {_SIDES}", _COLORS),
    "content_image": (f"photographs, sRGB, {_SIDES}", _COLORS),
    "content_bytes": (f"the photograph, {_FILE}", _ANY),
    "style": (f"the painting, sRGB, {_STYLE_SIDES}", _COLORS),
    "style_image": (f"as many paintings, or one for all, sRGB, {_STYLE_SIDES}", _COLORS),
    "style_bytes": (f"the painting, {_FILE}; of a cut-out, what is visible", _ANY),
    "steps": (
        "iterations at the coarsest scale, three fifths as many with each finer one",
        [1, MAX_STEPS],
    ),
    "content_weight": ("how much the photograph's content counts", [0, None]),
    "tv_weight": ("how much total variation counts", [0, None]),
    "stylized": ("the picture, sRGB", _COLORS),
    "stylized_bytes": ("the picture, a PNG file, as transparent as the photograph", _ANY),
    "output_0": ("pictures, sRGB", _COLORS),
    "losses": ("the total before each step, the coarsest scale's first", [0, None]),
}
# Of the extractor's outputs, by the end of their names.
_LAYER_MEANINGS = {
    "gram": "the Gram matrix, divided by the positions, of {}",
    "features": "the features of {}",
}
_SAVED_MODEL = """A SavedModel that needs TensorFlow alone.

```
saved_model_cli show --dir . --all
```

From Python: `tf.saved_model.load(".").signatures["serving_default"]` takes tensors by these names.
Where the settings have a size, 0 is that of the photograph."""
_TFLITE = """For a TensorFlow Lite interpreter (LiteRT): `fast_float32.tflite` computes
in float32, `fast_int8.tflite` has weights of 8 bits. Crop the painting to a square and bring it to
256 x 256 px; shapes and ranges must be exactly these, nothing checks them. From Python,
`Interpreter("fast_int8.tflite").get_signature_runner()` gives a function of these names."""
_README = """# {model}

{title}.

{usage}

`{path}` says the same as this page to programs.

{signatures}
## Made with

| | |
|---|---|
{provenance}"""


def build_manifest(
    model: ExportedModel, functions: Mapping[str, tf.types.experimental.ConcreteFunction]
) -> Json:
    """The manifest of a model with these signatures."""
    return {
        "model": model.model_name,
        "title": model.title,
        "signatures": {name: _signature(function) for name, function in functions.items()},
        "versions": {"nst_tf": nst_tf.__version__, "tensorflow": tf.__version__},
    } | model.provenance()


def write(folder: Path, manifest: Json, *, lite: bool = False) -> None:
    """Write the manifest and README.md into the folder of an export."""
    (folder / PATH).parent.mkdir()
    (folder / PATH).write_text(json.dumps(manifest, indent=2) + "\n")
    rows = manifest["settings"] | manifest["versions"]
    rows |= {f"weights: {name}": value for name, value in manifest["weights"].items()}
    rows |= {f"default {name}": value for name, value in manifest.get("defaults", {}).items()}
    text = _README.format(
        model=manifest["model"],
        title=manifest["title"],
        usage=_TFLITE if lite else _SAVED_MODEL,
        path=PATH,
        signatures="\n".join(_tables(manifest["signatures"])),
        provenance="".join(f"| {name} | {plain(value)} |\n" for name, value in rows.items()),
    )
    (folder / "README.md").write_text(text)


def _signature(function: tf.types.experimental.ConcreteFunction) -> Json:
    args, kwargs = function.structured_input_signature
    inputs = {spec.name: spec for spec in (*args, *kwargs.values())}
    return {
        "inputs": {name: _tensor(name, spec) for name, spec in inputs.items()},
        "outputs": {
            name: _tensor(name, spec) for name, spec in function.structured_outputs.items()
        },
    }


def _tensor(name: str, spec: tf.TensorSpec) -> Json:
    layer, _, suffix = name.rpartition("_")
    if suffix in _LAYER_MEANINGS:
        meaning, limits = _LAYER_MEANINGS[suffix].format(layer), _ANY
    else:
        meaning, limits = _MEANINGS[name]
    return {
        "dtype": spec.dtype.name,
        "shape": spec.shape.as_list(),
        "range": limits,
        "meaning": meaning,
    }


def _tables(signatures: Json) -> list[str]:
    """The lines of README.md that list the signatures' tensors."""
    lines = []
    for name, signature in signatures.items():
        lines += [f"## {name}", "", "| | name | dtype | shape | range | what |", "|" + "---|" * 6]
        lines += [_row("input", tensor, spec) for tensor, spec in signature["inputs"].items()]
        lines += [_row("output", tensor, spec) for tensor, spec in signature["outputs"].items()]
        lines.append("")
    return lines


def _row(side: str, name: str, spec: Json) -> str:
    shape = ", ".join("any" if n is None else str(n) for n in spec["shape"])
    cells = [side, f"`{name}`", spec["dtype"], f"[{shape}]", _range(spec["range"]), spec["meaning"]]
    return f"| {' | '.join(cells)} |"


def _range(limits: list | None) -> str:
    if limits is None:
        return "any"
    lowest, highest = limits
    return f"from {lowest}" if highest is None else f"{lowest} to {highest}"
