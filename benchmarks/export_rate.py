"""Measure stylizing through an export beside stylizing with the library, in turns.

python benchmarks/export_rate.py
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import machine
import numpy as np
import tensorflow as tf
from absl import flags

from nst_tf import Settings, Style, stylize
from nst_tf.cli import app
from nst_tf.export import models, saving
from nst_tf.images import image_io
from nst_tf.images.pixels import resize
from nst_tf.networks.precision import resolve
from nst_tf.run.pyramid import scale_sizes

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string("content", f"{_SAMPLES}/content/raccoon.jpg", "the content image")
_STYLE = flags.DEFINE_string(
    "style", f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg", "the style image"
)
_SIZE = flags.DEFINE_integer("size", 512, "long side of the content image, in pixels")
_STEPS = flags.DEFINE_integer("steps", 20, "steps, as for scripts/stylize.py")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "how often each is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
# Height and width of the TensorFlow Lite models' content and style image.
_LITE_CONTENT, _LITE_STYLE = (384, 384), (256, 256)


def main() -> None:
    """Measure each precision and the TensorFlow Lite models, and save."""
    settings = {"size": _SIZE.value, "steps": _STEPS.value, "rounds": _ROUNDS.value}
    results = machine.provenance() | {"settings": settings}
    content, style = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    size = scale_sizes(*content.shape[:2], Settings(size=_SIZE.value, scales=1))[-1]
    content = resize(content, *size).numpy()
    with tempfile.TemporaryDirectory() as folder:
        results["precisions"] = {
            precision: _measure(Path(folder, precision), content, style, precision)
            for precision in sorted({"float32", resolve("auto")})
        }
        results["lite"] = _compare_lite(Path(folder, "lite"), content, style)
    machine.save(_OUTPUT.value, "export_rate.json", results)


def _measure(folder: Path, content: np.ndarray, style: np.ndarray, precision: str) -> dict:
    """The seconds of each way to stylize, and how far its picture is from the library's."""
    settings = Settings(size=0, precision=precision, steps=_STEPS.value)
    saving.save(models.ExportedOptimization(settings), folder)
    runs = _runs(folder, content, style, settings)
    images = {name: run() for name, run in runs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(_ROUNDS.value):
        for name, run in runs.items():
            started = perf_counter()
            run()
            seconds[name].append(perf_counter() - started)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    print(f"{precision}: {medians}", flush=True)
    expected = images["the library"]
    differences = {name: _difference(image, expected) for name, image in images.items()}
    return {"seconds": seconds, "difference": differences}


def _runs(
    folder: Path, content: np.ndarray, style: np.ndarray, settings: Settings
) -> dict[str, Callable[[], np.ndarray]]:
    """The library, and the export in a folder."""
    request = {
        "content": tf.constant(content[np.newaxis]),
        "style": tf.constant(style[np.newaxis]),
        "steps": tf.constant(settings.steps),
        "content_weight": tf.constant(settings.content_weight),
        "tv_weight": tf.constant(settings.tv_weight),
    }

    def serve(model: Any) -> np.ndarray:
        return model.signatures["serving_default"](**request)["stylized"].numpy()[0]

    loaded = tf.saved_model.load(str(folder))
    return {
        "the library": lambda: stylize(content, [Style(style)], settings),
        "the export, loaded each time": lambda: serve(tf.saved_model.load(str(folder))),
        "the export, kept": lambda: serve(loaded),
    }


def _compare_lite(folder: Path, content: np.ndarray, style: np.ndarray) -> dict[str, float]:
    """How far the TensorFlow Lite models' pictures are from the SavedModel's."""
    model = models.ExportedStylization()
    saving.save_lite(model, folder, *_LITE_CONTENT)
    content = resize(content[np.newaxis], *_LITE_CONTENT)
    style = resize(style[np.newaxis], *_LITE_STYLE)
    expected = model(content, style)[0]
    differences = {}
    for path in sorted(folder.glob("*.tflite")):
        run = tf.lite.Interpreter(model_path=str(path)).get_signature_runner()
        image = run(content_image=content.numpy(), style_image=style.numpy())["output_0"]
        differences[path.stem] = _difference(image, expected)
    print(f"TensorFlow Lite: {differences}", flush=True)
    return differences


def _difference(image: Any, expected: Any) -> float:
    """The mean absolute difference of two images, in 1/255."""
    return float(255 * np.abs(np.asarray(image) - np.asarray(expected)).mean())


if __name__ == "__main__":
    app.run(main)
