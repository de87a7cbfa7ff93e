"""Measure what a step costs with the Wasserstein distance beside the Gram matrix.

Both compare the same layers, in turns in one process.

python benchmarks/style_loss_rate.py
"""

import statistics
from collections.abc import Iterator
from time import perf_counter

import machine
import numpy as np
from absl import flags

from nst_tf import Settings, Style, optimize
from nst_tf.cli import app
from nst_tf.images import image_io

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string("content", f"{_SAMPLES}/content/raccoon.jpg", "the content image")
_STYLE = flags.DEFINE_string("style", f"{_SAMPLES}/style/hokusai_great_wave.jpg", "the style image")
_SIZES = flags.DEFINE_list("sizes", ["128", "256", "512"], "long sides in pixels")
_PRECISIONS = flags.DEFINE_list("precisions", ["bfloat16", "float32"], "types to measure in")
_SECONDS = flags.DEFINE_float("seconds", 10, "how long to measure each at least")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_LOSSES = ("wasserstein", "gram")
# The steps until L-BFGS's history is full; how many are timed at least.
_WARM_UP, _MIN_STEPS = 11, 10


def main() -> None:
    """Measure each type and size, and save after each."""
    content, style = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    settings = {"seconds": _SECONDS.value, "style_layers": Settings().style_layers}
    results = machine.provenance() | {"settings": settings, "rows": []}
    for precision in _PRECISIONS.value:
        for size in map(int, _SIZES.value):
            row = {"precision": precision, "size": size} | _measure(content, style, precision, size)
            results["rows"].append(row)
            machine.save(_OUTPUT.value, "style_loss_rate.json", results)
            medians = {name: statistics.median(each) for name, each in row["seconds"].items()}
            print(f"{precision}, {size} px: {medians}", flush=True)


def _measure(content: np.ndarray, style: np.ndarray, precision: str, size: int) -> dict:
    """Take steps of both in turns."""
    runs = {loss: _steps(content, style, precision, size, loss) for loss in _LOSSES}
    for _ in range(_WARM_UP):
        for steps in runs.values():
            height, width = next(steps)
    seconds: dict[str, list[float]] = {loss: [] for loss in runs}
    while any(len(s) < _MIN_STEPS or sum(s) < _SECONDS.value for s in seconds.values()):
        for loss, steps in runs.items():
            started = perf_counter()
            next(steps)
            seconds[loss].append(perf_counter() - started)
    return {"height": height, "width": width, "seconds": seconds}


def _steps(
    content: np.ndarray, style: np.ndarray, precision: str, size: int, loss: str
) -> Iterator[tuple[int, int]]:
    """Steps at one scale, without tiles; each gives the image's height and width."""
    settings = Settings(
        size=size, scales=1, steps=10**6, precision=precision, style_loss=loss, max_memory=1e6
    )
    for progress in optimize(content, [Style(style)], settings):
        # Waits for a device that works asynchronously.
        float(progress.losses.total)
        yield progress.scales[0]


if __name__ == "__main__":
    app.run(main)
