"""Measure painting through an export beside painting with the library, in turns.

python benchmarks/export_rate.py
"""

import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import machine
import numpy as np
import tensorflow as tf
from absl import flags

from nst_tf import Settings, Style, files
from nst_tf.cli import app
from nst_tf.export import models, saving
from nst_tf.images import image_io
from nst_tf.networks import precision
from nst_tf.run import pyramid
from nst_tf.transfer import stylize

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string("content", f"{_SAMPLES}/content/raccoon.jpg", "the photograph")
_STYLE = flags.DEFINE_string(
    "style", f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg", "the painting"
)
_SIZE = flags.DEFINE_integer("size", 512, "long side of the photograph, in pixels")
_STEPS = flags.DEFINE_integer("steps", 20, "steps, as of scripts/stylize.py")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "how often each is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
# The shape that the TensorFlow Lite models take.
_LITE = (384, 384)


def main() -> None:
    """Measure each precision and the TensorFlow Lite models, and save."""
    settings = {"size": _SIZE.value, "steps": _STEPS.value, "rounds": _ROUNDS.value}
    results = machine.provenance() | {"settings": settings}
    content, style = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    size = pyramid.scale_sizes(*content.shape[:2], Settings(size=_SIZE.value, scales=1))[-1]
    content = image_io.resize(content, *size).numpy()
    with tempfile.TemporaryDirectory() as folder:
        results["precisions"] = {
            kind: _measure(Path(folder, kind), content, style, kind)
            for kind in sorted({"float32", precision.fastest()})
        }
        results["lite"] = _compare_lite(Path(folder, "lite"), content, style)
    text = json.dumps(results, indent=1)
    files.replace(Path(_OUTPUT.value) / "export_rate.json", text.encode())


def _measure(folder: Path, content: np.ndarray, style: np.ndarray, kind: str) -> dict:
    settings = Settings(size=0, precision=kind, steps=_STEPS.value)
    saving.save(models.Optimizer(settings), folder)
    loaded = tf.saved_model.load(str(folder)).signatures["serving_default"]
    request = {
        "content": tf.constant(content[None]),
        "style": tf.constant(style[None]),
        "steps": tf.constant(settings.steps),
        "content_weight": tf.constant(settings.content_weight),
        "tv_weight": tf.constant(settings.tv_weight),
    }

    def afresh():
        model = tf.saved_model.load(str(folder))
        return model.signatures["serving_default"](**request)["stylized"].numpy()[0]

    painters: dict[str, Callable] = {
        "the library": lambda: stylize(content, [Style(style)], settings),
        "the export, loaded each time": afresh,
        "the export, kept": lambda: loaded(**request)["stylized"].numpy()[0],
    }
    pictures = {name: paint() for name, paint in painters.items()}
    seconds: dict[str, list[float]] = {name: [] for name in painters}
    for _ in range(_ROUNDS.value):
        for name, paint in painters.items():
            started = perf_counter()
            paint()
            seconds[name].append(perf_counter() - started)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    print(f"{kind}: {medians}", flush=True)
    ours = pictures["the library"]
    off = {name: _difference(picture, ours) for name, picture in pictures.items()}
    return {"seconds": seconds, "difference": off}


def _compare_lite(folder: Path, content: np.ndarray, style: np.ndarray) -> dict[str, float]:
    """How far the TensorFlow Lite models' pictures are from the SavedModel's."""
    model = models.Fast()
    saving.save_lite(model, folder, *_LITE)
    content = image_io.resize(content[None], *_LITE)
    style = image_io.resize(style[None], 256, 256)
    expected = model(content, style)[0]
    off = {}
    for path in sorted(folder.glob("*.tflite")):
        paint = tf.lite.Interpreter(model_path=str(path)).get_signature_runner()
        painted = paint(content_image=content.numpy(), style_image=style.numpy())["output_0"]
        off[path.stem] = _difference(painted, expected)
    print(f"TensorFlow Lite: {off}", flush=True)
    return off


def _difference(picture, other) -> float:
    """The mean absolute difference of two pictures, in 1/255."""
    return float(255 * np.abs(np.asarray(picture) - np.asarray(other)).mean())


if __name__ == "__main__":
    app.run(main)
