"""What there is to know of an export: a manifest for programs, a README for people."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

import nst_tf
from nst_tf.export.checks import MOST_STEPS
from nst_tf.export.models import Extractor, Fast, Optimizer
from nst_tf.run.pyramid import NARROWEST, SHORTEST

PLACE = Path("assets.extra", "manifest.json")
_COLOURS, _ANY = [0, 1], None
_SIDES = f"sides from {SHORTEST} px, one at most {NARROWEST} times the other"
# What the tensors of signatures hold, and between which values; None is no limit.
_MEANINGS: dict[str, tuple[str, list | None]] = {
    "image": (f"pictures, sRGB, {_SIDES}", _COLOURS),
    "content": (f"the photograph, sRGB, {_SIDES}", _COLOURS),
    "content_image": (f"photographs, sRGB, {_SIDES}", _COLOURS),
    "content_bytes": ("the photograph, a JPEG or PNG file", _ANY),
    "style": (f"the painting, sRGB, one side at most {NARROWEST} times the other", _COLOURS),
    "style_image": ("as many paintings, or one for all, sRGB", _COLOURS),
    "style_bytes": ("the painting, a JPEG or PNG file", _ANY),
    "steps": (
        "iterations at the coarsest scale, three fifths as many with each finer one",
        [1, MOST_STEPS],
    ),
    "content_weight": ("how much the photograph's content counts", [0, None]),
    "tv_weight": ("how much total variation counts", [0, None]),
    "stylized": ("the picture, sRGB", _COLOURS),
    "stylized_bytes": ("the picture, a PNG file", _ANY),
    "output_0": ("pictures, sRGB", _COLOURS),
    "losses": ("the total before each step, the coarsest scale's first", [0, None]),
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

`{place}` says the same as this page to programs.

{signatures}
## Made with

| | |
|---|---|
{facts}"""


def of_saved_model(model: Extractor | Optimizer | Fast) -> dict[str, Any]:
    """The manifest of a SavedModel.

    Args:
        model: of `served.py`.

    Returns:
        As of `of`.
    """
    signatures = model.signatures().items()
    return of(model, {name: each.get_concrete_function() for name, each in signatures})


def of(model: Extractor | Optimizer | Fast, functions: Mapping[str, Callable]) -> dict[str, Any]:
    """The manifest of an export.

    Args:
        model: of `served.py`.
        functions: its signatures, as concrete functions.

    Returns:
        Signatures with shapes, dtypes and ranges; settings; where the weights are from, with their
        SHA-256; versions.
    """
    return {
        "model": type(model).__name__.lower(),
        "title": model.title,
        "signatures": {name: _signature(function) for name, function in functions.items()},
        "versions": {"nst_tf": nst_tf.__version__, "tensorflow": tf.__version__},
    } | model.about()


def write(folder: Path, facts: dict[str, Any], *, lite: bool = False) -> None:
    """Write the manifest, and README.md.

    Args:
        folder: the export.
        facts: of `of`.
        lite: whether it holds TensorFlow Lite models.
    """
    (folder / PLACE).parent.mkdir()
    (folder / PLACE).write_text(json.dumps(facts, indent=2) + "\n")
    rows = facts["settings"] | facts["versions"]
    rows |= {f"weights: {name}": value for name, value in facts["weights"].items()}
    rows |= {f"usual {name}": value for name, value in facts.get("usual", {}).items()}
    text = _README.format(
        model=facts["model"],
        title=facts["title"],
        usage=_TFLITE if lite else _SAVED_MODEL,
        place=PLACE,
        signatures="\n".join(_tables(facts["signatures"])),
        facts="".join(f"| {name} | {_plain(value)} |\n" for name, value in rows.items()),
    )
    (folder / "README.md").write_text(text)


def _signature(function: Any) -> dict[str, Any]:
    arguments, named = function.structured_input_signature
    inputs = {spec.name: spec for spec in (*arguments, *named.values())}
    sides = {"inputs": inputs, "outputs": function.structured_outputs}
    return {
        side: {name: _tensor(name, spec) for name, spec in specs.items()}
        for side, specs in sides.items()
    }


def _tensor(name: str, spec: tf.TensorSpec) -> dict[str, Any]:
    meaning, limits = _meaning(name)
    return {
        "dtype": spec.dtype.name,
        "shape": spec.shape.as_list(),
        "range": limits,
        "meaning": meaning,
    }


def _meaning(name: str) -> tuple[str, list | None]:
    if name in _MEANINGS:
        return _MEANINGS[name]
    layer, _, kind = name.rpartition("_")
    words = {"gram": "the Gram matrix, divided by the positions, of", "features": "the features of"}
    return f"{words[kind]} {layer}", _ANY


def _tables(signatures: dict[str, Any]) -> list[str]:
    lines = []
    for name, signature in signatures.items():
        lines += [f"## {name}", "", "| | name | dtype | shape | range | what |", "|" + "---|" * 6]
        for side in ("inputs", "outputs"):
            for tensor, spec in signature[side].items():
                shape = ", ".join("any" if n is None else str(n) for n in spec["shape"])
                cells = [side[:-1], f"`{tensor}`", spec["dtype"], f"[{shape}]"]
                cells += [_range(spec["range"]), spec["meaning"]]
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return lines


def _range(limits: list | None) -> str:
    if limits is None:
        return "any"
    least, most = limits
    return f"from {least}" if most is None else f"{least} to {most}"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
