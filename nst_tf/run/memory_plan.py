"""Memory: what a run will take, and the tiles and the history that keep it within a limit.

The constants were fitted by hand to a few peaks at 256 to 1024 px, whole and in two to four tiles,
on a CPU with AVX-512 and on one without; `benchmarks/memory.py` measures how far off they are.
Those for Adam, float16 and GPUs are guesses that nothing measures.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import psutil
import tensorflow as tf
from tensorflow.python.client import device_lib

from nst_tf import limits
from nst_tf.errors import InputError
from nst_tf.images.pixels import Size
from nst_tf.losses import tiles
from nst_tf.networks import device
from nst_tf.run import canvas
from nst_tf.run.pyramid import style_image_size
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
# Bytes for each pixel of a style image in the size of a scale: itself, unclipped, recolored.
_STYLE_IMAGE = 36
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
    style_sizes: Sequence[Size] = (),
) -> list[ScalePlan]:
    """Plan the tiles and the history of each scale within `settings.max_memory`.

    Call it when the network and the images are loaded: what the process has is measured, unless
    `memory_budget` gives the bytes that count as used and as free. `max_tile_pixels` is a limit
    besides the memory, `style_sizes` are those of the style images as they were read. InputError:
    too little memory; it tells what the scale that takes most needs.
    """
    used, free = memory_budget or used_and_free()
    limit = settings.max_memory * _GIB or used + DEFAULT_FRACTION * free

    def options(size: Size, style_sizes: Sequence[Size]) -> list[ScalePlan]:
        return _plans(size, style_sizes, extractor, settings, used, limit, max_tile_pixels)

    of_scales = [options(size, style_sizes) for size in sizes]
    needed, size = max(
        (min(plan.total_bytes for plan in plans), size)
        for plans, size in zip(of_scales, sizes, strict=True)
    )
    if needed > limit:
        without_styles = min(plan.total_bytes for plan in options(size, ()))
        raise _refusal(size, settings, used, limit, needed, without_styles)
    # Assuming that a history of h makes a run 1 + 1/h times as long.
    return [
        min(
            (plan for plan in plans if plan.total_bytes <= limit),
            key=lambda plan: plan.num_pixels * (1 + 1 / plan.lbfgs_history),
        )
        for plans in of_scales
    ]


def describe(plans: Sequence[ScalePlan], settings: Settings) -> str:
    """One line about what a run will take, with the precision resolved."""
    last = plans[-1]
    total = max(plan.total_bytes for plan in plans) / _GIB
    line = f"{settings.precision} on {device.describe()}, memory: about {total:.1f} GiB"
    if last.num_tiles > 1:
        line += f", the last scale in {last.num_tiles} tiles"
    if last.lbfgs_history < settings.lbfgs_history:
        line += f", --lbfgs_history={last.lbfgs_history} there to save memory"
    return line


def _plans(
    size: Size, style_sizes, extractor, settings: Settings, used, limit, max_tile_pixels
) -> list[ScalePlan]:
    """A scale's plans, one for each length of the history; some may take more than the limit."""
    field = tiles.receptive_field(extractor)
    style_pixels = _largest_style(style_sizes, round(settings.style_scale * max(size)))
    size = canvas.canvas_size(size, canvas.cell_side(settings))
    pixels = math.prod(size)
    values = _values_per_pixel(extractor.layers, field)
    per_pixel = _layout_factor() * _BYTES_PER_VALUE[settings.precision] * values
    targets = [extractor.get_layer(name) for name in settings.content_layers]
    fixed = used + _GRAPHS + 4 * pixels * _values_per_pixel(targets, field)
    fixed += _STYLE_IMAGE * style_pixels
    smallest = min(tiles.MIN_TILE_PIXELS, pixels)
    # A style image has no gradient, so its tiles may have twice the pixels.
    of_style = min(tiles.MIN_TILE_PIXELS, style_pixels) / 2
    plans = []
    for history in _histories(settings):
        held = fixed + 12 * pixels * _num_images(settings, history)
        largest = min(max((limit - held) / per_pixel, smallest), max_tile_pixels)
        grid = tiles.split(size, largest, field)
        # No more than the tiles take, so that equal tiles are equal plans.
        longest = max(tile.num_pixels for tile in grid)
        padded = sum(tile.num_pixels for tile in grid)
        total = held + max(longest, of_style) * per_pixel
        plans.append(ScalePlan(longest, history, len(grid), padded, total))
    return plans


def _largest_style(sizes: Sequence[Size], long_side: int) -> int:
    """The pixels of the largest style image at a scale; they are taken one by one."""
    return max((math.prod(style_image_size(*size, long_side)) for size in sizes), default=0)


def _layout_factor() -> float:
    # numpy leaves out the groups that are empty.
    found = np.show_config("dicts").get("SIMD Extensions", {}).get("found", ())
    wide = bool(_AVX512.intersection(found)) or device.gpu() is not None
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


def _refusal(
    size: Size, settings: Settings, used: float, limit: float, needed: float, without_styles: float
) -> InputError:
    height, width = size
    given = f"max_memory={settings.max_memory:g}"
    if not settings.max_memory:
        given += f": with {DEFAULT_FRACTION:.0%} of what is free {limit / _GIB:.2f} GiB"
    advice = f"give --max_memory={math.ceil(10 * (needed / _GIB + 0.1)) / 10:.1f}"
    if used + _GRAPHS > limit:
        advice += f"; {used / _GIB:.2f} GiB of it are taken before the run, by the pictures, too"
    elif without_styles <= limit:
        advice += " or a smaller --style_scale"
    else:
        advice += " or a smaller --size"
    return InputError(
        f"{given}: {width} x {height} px take {needed / _GIB:.2f} GiB at least; {advice}"
    )


def used_and_free() -> tuple[float, float]:
    """Bytes that the process uses and that it could have besides; a GPU's, where it tells them."""
    of_gpu = _gpu_used_and_free()
    if of_gpu is not None:
        return of_gpu
    reusable = _freed_by_tensorflow()
    used = psutil.Process().memory_info().rss - reusable
    return used, limits.free_memory() + reusable


def _gpu_used_and_free() -> tuple[float, float] | None:
    """None without a GPU, and for one that reports no memory, as Apple's: it is the machine's."""
    # Set up by TensorFlow before they are listed, which would set them up in another way.
    if device.gpu() is None or not tf.config.list_logical_devices("GPU"):
        return None
    devices = device_lib.list_local_devices()
    whole = next((each.memory_limit for each in devices if each.device_type == "GPU"), 0)
    try:
        used = tf.config.experimental.get_memory_info("GPU:0")["current"]
    except (ValueError, tf.errors.OpError):  # it counts nothing
        return None
    return (used, max(0, whole - used)) if whole else None


def _freed_by_tensorflow() -> float:
    """About what TensorFlow has freed and keeps: the next run takes it first."""
    try:
        info = tf.config.experimental.get_memory_info("CPU:0")
    except ValueError:  # malloc returns it to the system, and does not count
        return 0
    return info["peak"] - info["current"]
