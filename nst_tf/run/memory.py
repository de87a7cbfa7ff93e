"""Memory: what a run will take, and how it is kept within a limit.

The figures were chosen by hand from a few peaks at 256 to 1024 px, whole and in two to four tiles,
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

# Of the free memory, what a run takes unless it is told.
SHARE = 0.6
# Fewer pairs than this make L-BFGS slow.
LEAST_HISTORY = 3
# Bytes for each value of all features seen at a time: they, their gradients, the layers' scratch.
_PER_VALUE = {"float32": 7.2, "bfloat16": 5.6, "float16": 5.6}
# What convolutions take of it on a CPU without AVX-512, where they want another layout.
_OTHER_LAYOUT = 2.3
# What numpy calls AVX-512, before and since its version 2.4.
_AVX512 = {"AVX512F", "X86_V4"}
# Pictures that a step holds in float32 beside L-BFGS's pairs.
_PICTURES = {"lbfgs": 19, "adam": 9}
# What graphs, kernels and weights take beyond what they had before the first step.
_GRAPHS = 0.1 * 2**30
# Of a Linux control group, version 2 and version 1: where, its limit, its use, its cached files.
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


class Plan(NamedTuple):
    """How a scale is painted within a limit.

    The first two determine the picture. What follows is known where the plan was made only.

    Attributes:
        most: how many pixels are seen at a time.
        history: how many moves L-BFGS remembers.
        tiles: in how many tiles that is.
        seen: how many pixels the tiles see together.
        total: the process's memory at its peak, estimated, in bytes.
    """

    most: int
    history: int
    tiles: int = 0
    seen: int = 0
    total: float = 0.0


def plan(
    sizes: Sequence[Size],
    extractor: tf.keras.Model,
    settings: Settings,
    room: tuple[float, float] | None = None,
) -> list[Plan]:
    """Decide for each scale what is seen at a time and how much L-BFGS remembers.

    Call it when the network and the pictures are there: what the process holds is measured.

    Args:
        sizes: (height, width) of each scale.
        extractor: the model of `features.extractor`.
        settings: `max_memory`, precision, optimizer and history.
        room: bytes that count as the process's and as free; None to measure them.

    Returns:
        A plan for each scale.

    Raises:
        InputError: the limit is too small.
    """
    used, free = room or used_and_free()
    limit = settings.max_memory * _GIB or SHARE * free
    return [_plan(size, extractor, settings, used, limit) for size in sizes]


def describe(plans: Sequence[Plan], settings: Settings) -> str:
    """One line about what a run will take.

    Args:
        plans: of `plan`.
        settings: `history`.

    Returns:
        The line.
    """
    last = plans[-1]
    words = f"memory: about {max(plan.total for plan in plans) / _GIB:.1f} GiB"
    if last.tiles > 1:
        words += f", the last scale in {last.tiles} tiles"
    if last.history < settings.history:
        words += (
            f", {last.history} moves remembered at the last scale instead of {settings.history}"
        )
    return words


def _plan(size: Size, extractor, settings: Settings, used: float, limit: float) -> Plan:
    view = tiles.view(extractor)
    pixels = math.prod(size)
    per_pixel = _layout() * _PER_VALUE[settings.precision] * _values(extractor.layers, view)
    targets = [extractor.get_layer(name) for name in settings.content_layers]
    fixed = used + _GRAPHS + 4 * pixels * _values(targets, view)
    least = min(tiles.MIN_TILE_PIXELS, pixels)
    plans = []
    for history in _histories(settings):
        held = fixed + 12 * pixels * _pictures(settings, history)
        most = min(max((limit - held) / per_pixel, least), tiles.MAX_TILE_PIXELS)
        grid = tiles.split(size, most, view)
        # No more than the tiles take, so that equal tiles are equal plans.
        longest = max(tile.seen for tile in grid)
        seen, total = sum(tile.seen for tile in grid), held + longest * per_pixel
        plans.append(Plan(longest, history, len(grid), seen, total))
    fitting = [plan for plan in plans if plan.total <= limit]
    if not fitting:
        raise _refusal(size, settings, limit, min(plan.total for plan in plans))
    # Supposing that a history of h makes a run 1 + 1/h times as long.
    return min(fitting, key=lambda plan: plan.seen * (1 + 1 / plan.history))


def _layout() -> float:
    """How many times as much memory convolutions take here as with AVX-512."""
    # numpy leaves out what it has nothing to say of.
    found = np.show_config("dicts").get("SIMD Extensions", {}).get("found", ())
    wide = bool(_AVX512.intersection(found)) or tf.config.list_physical_devices("GPU")
    return 1.0 if wide else _OTHER_LAYOUT


def _histories(settings: Settings) -> range:
    """The lengths of the history to choose from, the shortest last."""
    longest = settings.history
    shortest = min(LEAST_HISTORY, longest) if settings.optimizer == "lbfgs" else longest
    return range(longest, shortest - 1, -1)


def _pictures(settings: Settings, history: int) -> int:
    """How many pictures a step holds; the oldest pair goes only after the newest has come."""
    pairs = 2 * (history + 1) if settings.optimizer == "lbfgs" else 0
    return _PICTURES[settings.optimizer] + pairs


def _values(layers: Sequence[tf.keras.layers.Layer], view: tiles.View) -> float:
    """How many values the features of layers have, for each pixel."""
    return sum(layer.output.shape[-1] / view.strides[layer.name] ** 2 for layer in layers)


def _refusal(size: Size, settings: Settings, limit: float, needed: float) -> InputError:
    height, width = size
    given = f"max_memory={settings.max_memory:g}"
    if not settings.max_memory:
        given += f": {SHARE:.0%} of what is free are {limit / _GIB:.2f} GiB"
    enough = math.ceil(10 * (needed / _GIB + 0.1)) / 10
    return InputError(
        f"{given}: {width} x {height} px take {needed / _GIB:.2f} GiB at least; give "
        f"--max_memory={enough:.1f} or a smaller --size"
    )


def used_and_free() -> tuple[float, float]:
    """What there is of memory; the GPU's, where there is one.

    Returns:
        Bytes that the process has, and that it could have besides.
    """
    if tf.config.list_physical_devices("GPU"):
        devices = device_lib.list_local_devices()
        whole = next(each.memory_limit for each in devices if each.device_type == "GPU")
        used = tf.config.experimental.get_memory_info("GPU:0")["current"]
        return used, whole - used
    kept = _kept()
    used = psutil.Process().memory_info().rss - kept
    return used, min(psutil.virtual_memory().available, _left_to_container()) + kept


def _kept() -> float:
    """What TensorFlow has freed and keeps, about: the next run takes it first."""
    try:
        held = tf.config.experimental.get_memory_info("CPU:0")
    except ValueError:  # malloc gives it back, and does not count
        return 0
    return held["peak"] - held["current"]


def _left_to_container() -> float:
    """What a container's own limit leaves; cached files would make room."""
    for folder, limit, used, cached in _CONTAINERS:
        try:
            texts = [Path(folder, name).read_text() for name in (limit, used, "memory.stat")]
            files = dict(line.split() for line in texts[2].splitlines())[cached]
            return int(texts[0]) - int(texts[1]) + int(files)
        except (OSError, ValueError, KeyError):  # no such file, or the limit is "max"
            continue
    return math.inf
