"""The default beside an earlier commit's.

The same pairs, whole processes in turns, scored by the evaluator of `nst_tf/reports/comparison.py`.

python benchmarks/quality.py --content=photo.jpg --style=painting.jpg
"""

import contextlib
import tempfile
from dataclasses import asdict
from pathlib import Path

import commits
import contact_sheet
import machine
import numpy as np
from absl import flags

from nst_tf import atomic_files
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.images.pixels import resize
from nst_tf.reports import comparison
from nst_tf.run.pyramid import style_image_size

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_multi_string(
    "content",
    [f"{_SAMPLES}/content/{name}.jpg" for name in ("cincinnati_bridge", "raccoon", "honey_bee")],
    "content images, one for each style image",
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
    "style images",
)
_BEFORE = flags.DEFINE_string("before", "bf9bda1", "the earlier commit")
_SIZE = flags.DEFINE_integer("size", 512, "long side of the results, in pixels")
_ROUNDS = flags.DEFINE_integer("rounds", 1, "how often each stylizes each pair, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_SUFFIX = flags.DEFINE_string(
    "suffix", "", "of the results' names, for those of another machine, as _avx2"
)
_PICTURES = flags.DEFINE_string("pictures_dir", None, "folder to save the pictures in; none if not")


def main() -> None:
    """Stylize and score pair by pair, and save the numbers and the sheet after each."""
    settings = {
        "size": _SIZE.value,
        "rounds": _ROUNDS.value,
        "before": _BEFORE.value,
        "suffix": _SUFFIX.value,
    }
    results = machine.provenance() | {"settings": settings, "pairs": {}}
    name = f"quality_{_SIZE.value}{_SUFFIX.value}"
    rows = []
    with commits.sources(_BEFORE.value) as sources, _pictures_dir() as folder:
        for content, style in zip(_CONTENT.value, _STYLE.value, strict=True):
            pair, row = _measure(sources, content, style, Path(folder))
            results["pairs"][f"{Path(content).stem} x {Path(style).stem}"] = pair
            rows.append(row)
            machine.save(_OUTPUT.value, f"{name}.json", results)
            atomic_files.replace(Path(_OUTPUT.value, f"{name}.jpg"), contact_sheet.encode(rows))
            print(f"{content}, {style}: {pair}", flush=True)


def _measure(
    sources: dict[str, Path], content_path: str, style_path: str, folder: Path
) -> tuple[dict[str, dict], np.ndarray]:
    """The seconds and scores of a pair by program, and its row of images."""
    stem = f"{Path(content_path).stem}_{Path(style_path).stem}"
    outputs = {name: folder / f"{stem}_{name}.png" for name in sources}
    seconds = _stylize(sources, content_path, style_path, outputs)
    images = {name: image_io.read(path).rgb for name, path in outputs.items()}
    content, style = _scaled(content_path, style_path, *images["after"].shape[:2])
    evaluator = comparison.Evaluator(content, style)
    pair = {
        name: {"seconds": seconds[name]} | asdict(evaluator.measure(image))
        for name, image in images.items()
    }
    return pair, contact_sheet.row([*images.values(), content, style])


def _stylize(
    sources: dict[str, Path], content: str, style: str, outputs: dict[str, Path]
) -> dict[str, list[float]]:
    """Have each program stylize the pair in turns; the last pictures stay."""
    seconds: dict[str, list[float]] = {name: [] for name in sources}
    arguments = [f"--content={content}", f"--style={style}", f"--size={_SIZE.value}", "--quiet"]
    for _ in range(_ROUNDS.value):
        for name, source in sources.items():
            output = f"--output={outputs[name]}"
            seconds[name].append(commits.run_seconds(source, "stylize", *arguments, output))
    return seconds


def _pictures_dir() -> contextlib.AbstractContextManager[str]:
    if _PICTURES.value:
        return contextlib.nullcontext(_PICTURES.value)
    return tempfile.TemporaryDirectory()


def _scaled(
    content_path: str, style_path: str, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Content and style image at the size of the results."""
    content, style = image_io.read(content_path).rgb, image_io.read(style_path).rgb
    style_size = style_image_size(*style.shape[:2], max(height, width))
    return resize(content, height, width).numpy(), resize(style, *style_size).numpy()


if __name__ == "__main__":
    app.run(main)
