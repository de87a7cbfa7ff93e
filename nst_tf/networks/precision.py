"""The convolutions' float type: asked for, or the fastest that pays on this machine."""

import functools
import time

import tensorflow as tf

# A type must be this much faster than float32 to be chosen, so that noise does not choose.
WORTH = 1.3
_REPEATS = 5


def resolve(asked: str) -> str:
    """The type to compute convolutions in.

    Args:
        asked: `float32`, `bfloat16`, `float16`, or `auto` to measure.

    Returns:
        `float32`, `bfloat16` or `float16`.
    """
    return fastest() if asked == "auto" else asked


@functools.cache
def fastest() -> str:
    """The type in which a typical convolution is fastest; measured once a process.

    Returns:
        `bfloat16`, or on a GPU `float16`, whichever is faster, if it is at least `WORTH` times
        faster than float32; otherwise `float32`.
    """
    # CPUs compute float16 in software: too slow even to measure in a moment.
    types = ["bfloat16", "float16"] if tf.config.list_physical_devices("GPU") else ["bfloat16"]
    seconds = _measure(["float32", *types])
    shorter = min(types, key=seconds.__getitem__)
    return shorter if seconds["float32"] >= WORTH * seconds[shorter] else "float32"


def _measure(types: list[str]) -> dict[str, float]:
    """The least seconds of a 3x3 convolution from 256 to 256 channels in each type, in turns."""
    # So large on a GPU that it takes longer than its call. Not tried on one.
    side = 512 if tf.config.list_physical_devices("GPU") else 32
    convolve = tf.function(lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"), autograph=False)
    operands = {
        name: (tf.ones([1, side, side, 256], name), tf.ones([3, 3, 256, 256], name))
        for name in types
    }
    for name in types:
        convolve(*operands[name])
    seconds = dict.fromkeys(types, float("inf"))
    for _ in range(_REPEATS):
        for name in types:
            start = time.perf_counter()
            # Fetched, because a GPU answers before it has finished.
            convolve(*operands[name])[0, 0, 0, 0].numpy()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds
