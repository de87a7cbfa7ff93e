"""Memory: what a run will take, and the tiles and the history that keep it within a limit.

The constants were fitted by hand to a few peaks at 256 to 1024 px, whole and in two to four tiles,
on a CPU with AVX-512 and on one without; `benchmarks/memory.py` measures how far off they are.
Those for Adam, float16 and GPUs are guesses that nothing measures.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import tensorflow as tf
from tensorflow.python.client import device_lib

from nst_tf.errors import InputError
from nst_tf.images.pixels import Size
from nst_tf.losses import tiles
from nst_tf.settings import Settings

# Of the free memory, what a run takes where max_memory is not given.
DEFAULT_FRACTION = 0.6
# With fewer pairs L-BFGS is slow.
_MIN_HISTORY = 3
# Bytes for each value of all features of a tile: they, their gradients, the layers' scratch.
_BYTES_PER_VALUE = {"float32": 7.2, "bfloat16": 5.6, "float16": 5.6}
# How many times that convolutions take on a CPU without AVX-512, which need another layout.
_LAYOUT_FACTOR = 2.3
# What numpy calls AVX-512, before and since its version 2.4.
_AVX512 = {"AVX512F", "X86_V4"}
# Images that a step holds in float32 beside L-BFGS's pairs.
_IMAGES = {"lbfgs": 19, "adam": 9}
# What graphs, kernels and weights take beyond what they had before the first step.
_GRAPHS = 0.1 * 2**30
# Of a Linux control group, version 2 and version 1: folder, limit, use, cached files.
_CONTAINERS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "/sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)
_GIB = 2**30


class ScalePlan(NamedTuple):
    """Tiles and history of a scale; these two determine the picture, the rest is for people.

    Attributes:
        max_tile_pixels: of the largest tile, with padding.
        lbfgs_history: how many pairs L-BFGS keeps.
        num_tiles: of the grid.
        num_pixels: of all tiles with padding.
        total_bytes: the process's estimated peak.
    """

    max_tile_pixels: int
    lbfgs_history: int
    num_tiles: int = 0
    num_pixels: int = 0
    total_bytes: float = 0.0


def plan(
    sizes: Sequence[Size],
    extractor: tf.keras.Model,
    settings: Settings,
    memory_budget: tuple[float, float] | None = None,
    max_tile_pixels: int = tiles.MAX_TILE_PIXELS,
) -> list[ScalePlan]:
    """Plan the tiles and the history of each scale within `settings.max_memory`.

    Call it when the network and the images are loaded: what the process has is measured, unless
    `memory_budget` gives the bytes that count as used and as free. `max_tile_pixels` is a limit
    besides the memory. InputError: too little memory; it tells what the largest scale needs.
    """
    used, free = memory_budget or used_and_free()
    limit = settings.max_memory * _GIB or DEFAULT_FRACTION * free
    planned = [
        _plan(size, extractor, settings, used, limit, max_tile_pixels) for size in reversed(sizes)
    ]
    return planned[::-1]


def describe(plans: Sequence[ScalePlan], settings: Settings) -> str:
    """One line about what a run will take, with the precision resolved."""
    last = plans[-1]
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    total = max(plan.total_bytes for plan in plans) / _GIB
    line = f"{settings.precision} on the {device}, memory: about {total:.1f} GiB"
    if last.num_tiles > 1:
        line += f", the last scale in {last.num_tiles} tiles"
    if last.lbfgs_history < settings.lbfgs_history:
        line += f", --lbfgs_history={last.lbfgs_history} there to save memory"
    return line


def _plan(size: Size, extractor, settings: Settings, used, limit, max_tile_pixels) -> ScalePlan:
    field = tiles.receptive_field(extractor)
    pixels = math.prod(size)
    values = _values_per_pixel(extractor.layers, field)
    per_pixel = _layout_factor() * _BYTES_PER_VALUE[settings.precision] * values
    targets = [extractor.get_layer(name) for name in settings.content_layers]
    fixed = used + _GRAPHS + 4 * pixels * _values_per_pixel(targets, field)
    smallest = min(tiles.MIN_TILE_PIXELS, pixels)
    plans = []
    for history in _histories(settings):
        held = fixed + 12 * pixels * _num_images(settings, history)
        largest = min(max((limit - held) / per_pixel, smallest), max_tile_pixels)
        grid = tiles.split(size, largest, field)
        # No more than the tiles take, so that equal tiles are equal plans.
        longest = max(tile.num_pixels for tile in grid)
        padded, total = sum(tile.num_pixels for tile in grid), held + longest * per_pixel
        plans.append(ScalePlan(longest, history, len(grid), padded, total))
    fitting = [plan for plan in plans if plan.total_bytes <= limit]
    if not fitting:
        raise _refusal(size, settings, limit, min(plan.total_bytes for plan in plans))
    # Assuming that a history of h makes a run 1 + 1/h times as long.
    return min(fitting, key=lambda plan: plan.num_pixels * (1 + 1 / plan.lbfgs_history))


def _layout_factor() -> float:
    # numpy leaves out the groups that are empty.
    found = np.show_config("dicts").get("SIMD Extensions", {}).get("found", ())
    wide = bool(_AVX512.intersection(found)) or tf.config.list_physical_devices("GPU")
    return 1.0 if wide else _LAYOUT_FACTOR


def _histories(settings: Settings) -> range:
    """The lengths of the history to choose from, the shortest last."""
    longest = settings.lbfgs_history
    shortest = min(_MIN_HISTORY, longest) if settings.optimizer == "lbfgs" else longest
    return range(longest, shortest - 1, -1)


def _num_images(settings: Settings, history: int) -> int:
    """How many images a step holds; the oldest pair is freed only after the newest has come."""
    pairs = 2 * (history + 1) if settings.optimizer == "lbfgs" else 0
    return _IMAGES[settings.optimizer] + pairs


def _values_per_pixel(
    layers: Sequence[tf.keras.layers.Layer], field: tiles.ReceptiveField
) -> float:
    return sum(layer.output.shape[-1] / field.strides[layer.name] ** 2 for layer in layers)


def _refusal(size: Size, settings: Settings, limit: float, needed: float) -> InputError:
    height, width = size
    given = f"max_memory={settings.max_memory:g}"
    if not settings.max_memory:
        given += f": {DEFAULT_FRACTION:.0%} of what is free are {limit / _GIB:.2f} GiB"
    enough = math.ceil(10 * (needed / _GIB + 0.1)) / 10
    return InputError(
        f"{given}: {width} x {height} px take {needed / _GIB:.2f} GiB at least; give "
        f"--max_memory={enough:.1f} or a smaller --size"
    )


def used_and_free() -> tuple[float, float]:
    """Bytes that the process uses and that it could have besides; a GPU's, where there is one."""
    if tf.config.list_physical_devices("GPU"):
        devices = device_lib.list_local_devices()
        whole = next(each.memory_limit for each in devices if each.device_type == "GPU")
        used = tf.config.experimental.get_memory_info("GPU:0")["current"]
        return used, whole - used
    reusable = _freed_by_tensorflow()
    used = psutil.Process().memory_info().rss - reusable
    return used, min(psutil.virtual_memory().available, _free_in_container()) + reusable


def _freed_by_tensorflow() -> float:
    """About what TensorFlow has freed and keeps: the next run takes it first."""
    try:
        info = tf.config.experimental.get_memory_info("CPU:0")
    except ValueError:  # malloc returns it to the system, and does not count
        return 0
    return info["peak"] - info["current"]


def _free_in_container() -> float:
    """What a container's own limit leaves; cached files would make room."""
    for folder, limit, used, cached in _CONTAINERS:
        try:
            texts = [Path(folder, name).read_text() for name in (limit, used, "memory.stat")]
            files = dict(line.split() for line in texts[2].splitlines())[cached]
            return int(texts[0]) - int(texts[1]) + int(files)
        except (OSError, ValueError, KeyError):  # no such file, or the limit is "max"
            continue
    return math.inf
