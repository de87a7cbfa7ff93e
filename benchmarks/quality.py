"""The default beside an earlier commit's.

The same pairs, whole processes in turns, judged by the referee of `nst_tf/report.py`.

python benchmarks/quality.py --content=photo.jpg --style=painting.jpg
"""

import contextlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import commits
import contact_sheet
import machine
import numpy as np
from absl import flags

from nst_tf import files
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.reports import comparison
from nst_tf.run.pyramid import painting_size

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_multi_string(
    "content",
    [f"{_SAMPLES}/content/{name}.jpg" for name in ("cincinnati_bridge", "raccoon", "honey_bee")],
    "photographs, one for each painting",
)
_STYLE = flags.DEFINE_multi_string(
    "style",
    [
        f"{_SAMPLES}/style/{name}.jpg"
        for name in (
            "vangogh_village_street_in_auvers",
            "hokusai_great_wave",
            "kandinsky_composition_viii",
        )
    ],
    "paintings",
)
_BEFORE = flags.DEFINE_string("before", "bf9bda1", "the earlier commit")
_SIZE = flags.DEFINE_integer("size", 512, "long side of the pictures, in pixels")
_ROUNDS = flags.DEFINE_integer("rounds", 1, "how often each paints each pair, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_SUFFIX = flags.DEFINE_string(
    "suffix", "", "of the results' names: _avx2 keeps those of another machine apart"
)
_PICTURES = flags.DEFINE_string("pictures_dir", None, "folder to keep the pictures in; none if not")


def main() -> None:
    """Paint and judge pair by pair, and save the numbers and the sheet after each."""
    settings = {
        "size": _SIZE.value,
        "rounds": _ROUNDS.value,
        "before": _BEFORE.value,
        "suffix": _SUFFIX.value,
    }
    results = machine.provenance() | {"settings": settings, "pairs": {}}
    saved = Path(_OUTPUT.value) / f"quality_{_SIZE.value}{_SUFFIX.value}.json"
    pairs, rows = list(zip(_CONTENT.value, _STYLE.value, strict=True)), []
    with commits.sources(_BEFORE.value) as sources, _pictures_dir() as place:
        folder = Path(place)
        for content, style in pairs:
            name = f"{Path(content).stem} x {Path(style).stem}"
            stem = f"{Path(content).stem}_{Path(style).stem}"
            paths = {source: folder / f"{stem}_{source}.png" for source in sources}
            found = _paint(sources, content, style, paths)
            pictures = [image_io.read(path).rgb for path in paths.values()]
            photograph, painting = _fitted(content, style, *pictures[0].shape[:2])
            judge = comparison.Evaluator(photograph, painting)
            for each, picture in zip(found.values(), pictures, strict=True):
                each |= asdict(judge.measure(picture))
            results["pairs"][name] = found
            rows.append(contact_sheet.row([*pictures, photograph, painting]))
            files.replace(saved, json.dumps(results, indent=1).encode())
            files.replace(saved.with_suffix(".jpg"), contact_sheet.encode(rows))
            print(f"{name}: {found}", flush=True)


def _paint(
    sources: dict[str, Path], content: str, style: str, paths: dict[str, Path]
) -> dict[str, dict]:
    """Have each program paint the pair in turns; the last pictures stay."""
    found: dict[str, dict] = {name: {"seconds": []} for name in sources}
    arguments = [f"--content={content}", f"--style={style}", f"--size={_SIZE.value}", "--quiet"]
    for _ in range(_ROUNDS.value):
        for name, source in sources.items():
            output = f"--output={paths[name]}"
            seconds = commits.run_seconds(source, "stylize", *arguments, output)
            found[name]["seconds"].append(seconds)
    return found


def _pictures_dir() -> contextlib.AbstractContextManager[str]:
    if _PICTURES.value:
        return contextlib.nullcontext(_PICTURES.value)
    return tempfile.TemporaryDirectory()


def _fitted(content: str, style: str, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Photograph and painting at the size of the pictures."""
    photograph, painting = image_io.read(content).rgb, image_io.read(style).rgb
    fitted = painting_size(*painting.shape[:2], max(height, width))
    return image_io.resize(photograph, height, width).numpy(), image_io.resize(
        painting, *fitted
    ).numpy()


if __name__ == "__main__":
    app.run(main)
