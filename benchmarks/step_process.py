"""One configuration of step_rate.py in a process of its own, so that its memory is its own.

It prints what it has measured as one line of JSON.
"""

import json
from collections.abc import Iterator
from time import perf_counter

import limit
import machine
import numpy as np
from absl import app, flags
from PIL import Image

from nst_tf import tensorflow_startup
from nst_tf.settings import Settings

_PROGRAM = flags.DEFINE_enum("program", "nst_tf", ["nst_tf", "torch"], "whose step")
_SIZE = flags.DEFINE_integer("size", 512, "long side of the image in pixels")
_PRECISION = flags.DEFINE_string("precision", "float32", "type of the convolutions")
_SECONDS = flags.DEFINE_float("seconds", 5, "how long to measure at least")
_WARM_UP, _MIN_STEPS = 2, 3
_CONTENT = machine.ROOT / "samples/content/cincinnati_bridge.jpg"
_STYLE = machine.ROOT / "samples/style/vangogh_village_street_in_auvers.jpg"


def main(_: list[str]) -> None:
    """Take steps and convolutions in turns, and print their times."""
    # Read by Pillow alone, because PyTorch's process must not hold TensorFlow.
    content, style = _read(_CONTENT, _SIZE.value), _read(_STYLE, _SIZE.value)
    steps = (_tensorflow_steps if _PROGRAM.value == "nst_tf" else _torch_steps)(content, style)
    for _ in range(_WARM_UP):
        next(steps)
    # Before the convolutions, whose memory is not the program's.
    memory = machine.peak_memory()
    if _PROGRAM.value == "nst_tf":
        best = limit.Limit(limit.tensorflow_convolutions(_PRECISION.value))
    else:
        best = limit.Limit(limit.torch_convolutions())
    settings, (height, width) = Settings(), content.shape[:2]
    layers = (*settings.style_layers, *settings.content_layers)
    network = limit.convolutions(height, width, layers)
    timers = _timers(network, content)
    seconds: list[float] = []
    parts: dict[str, list[float]] = {name: [] for name in timers}
    while len(seconds) < _MIN_STEPS or sum(seconds) < _SECONDS.value:
        best.sample()
        for name, timer in timers.items():
            parts[name].append(timer())
        started = perf_counter()
        next(steps)
        seconds.append(perf_counter() - started)
    results = {
        "height": height,
        "width": width,
        "operations": limit.step_operations(network),
        "step_seconds": seconds,
        "part_seconds": parts,
        "limit_rates": best.rates(),
        "peak_memory": memory,
    }
    print(json.dumps(results))


def _timers(network: list[limit.Convolution], content: np.ndarray) -> dict:
    """The parts of nst_tf's step; PyTorch's is not taken apart."""
    if _PROGRAM.value == "torch":
        return {}
    import parts

    return parts.timers(network, content, Settings(precision=_PRECISION.value))


def _tensorflow_steps(content: np.ndarray, style: np.ndarray) -> Iterator[None]:
    """nst_tf's steps at one scale."""
    tensorflow_startup.import_tensorflow()
    from nst_tf import Style, optimize

    settings = Settings(size=_SIZE.value, scales=1, steps=10**6, precision=_PRECISION.value)
    for progress in optimize(content, [Style(style)], settings):
        # Waits for a device that works asynchronously.
        float(progress.losses.total)
        yield


def _torch_steps(content: np.ndarray, style: np.ndarray) -> Iterator[None]:
    """The steps of PyTorch's L-BFGS, one closure call each, on the Gram objective.

    Its layers are the default's, so that both compute the same convolutions.
    """
    import pytorch

    settings = Settings()
    for _ in pytorch.lbfgs(pytorch.load(settings), content[None], style[None], settings):
        yield


def _read(path, size: int) -> np.ndarray:
    with Image.open(path) as file:
        image = file.convert("RGB")
    long_side = max(image.size)
    image = image.resize([round(side * size / long_side) for side in image.size])
    return np.asarray(image, np.float32) / 255


if __name__ == "__main__":
    app.run(main)
