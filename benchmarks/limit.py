"""The machine's own limit: the arithmetic of a step, and the best rate of one convolution."""

import statistics
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import NamedTuple

_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
CHANNELS = 256
# Height and width that VGG's layers of 256 channels have for images of 128 to 1024 px.
SHAPES = ((24, 32), (48, 64), (96, 128), (192, 256))
# A compiled convolution for each shape; a call returns when it is done.
Convolutions = dict[tuple[int, int], Callable[[], object]]


class Convolution(NamedTuple):
    """The size of a 3x3 convolution's input, and its channels."""

    height: int
    width: int
    in_channels: int
    out_channels: int


def convolutions(height: int, width: int, layers: Iterable[str]) -> list[Convolution]:
    """VGG19's convolutions up to the deepest of `layers`, for an image of that size in pixels."""
    missing = set(layers)
    result, in_channels = [], 3
    for block, (channels, count) in enumerate(_BLOCKS, 1):
        for index in range(1, count + 1):
            result.append(Convolution(height, width, in_channels, channels))
            in_channels = channels
            missing.discard(f"block{block}_conv{index}")
            if not missing:
                return result
        height, width = height // 2, width // 2
    raise ValueError(f"VGG19 has no layers {missing}")


def step_operations(network: Iterable[Convolution]) -> int:
    """The floating-point operations of the convolutions in a step.

    Forward, and back to the image: as many again, for the weights need no gradient. A
    multiplication and an addition count as two.
    """
    return sum(
        2 * 2 * 9 * each.in_channels * each.out_channels * each.height * each.width
        for each in network
    )


class Limit:
    """The best rate of a 3x3 convolution, sampled now and then between other work."""

    def __init__(self, convolutions: Convolutions):
        """Warm up."""
        self._convolutions = convolutions
        self._rates: dict[tuple[int, int], list[float]] = {shape: [] for shape in convolutions}
        for convolve in convolutions.values():
            convolve()
            convolve()

    def sample(self) -> None:
        """Time each shape once."""
        for (height, width), convolve in self._convolutions.items():
            started = perf_counter()
            convolve()
            seconds = perf_counter() - started
            operations = 2 * 9 * CHANNELS**2 * height * width
            self._rates[height, width].append(operations / seconds)

    def rates(self) -> dict[str, float]:
        """The median rate of each shape, in operations per second."""
        return {f"{h}x{w}": statistics.median(rates) for (h, w), rates in self._rates.items()}


# Each framework is measured in a process that has loaded only this one, hence the late imports.
def tensorflow_convolutions(precision: str) -> Convolutions:
    """Convolutions in TensorFlow."""
    import tensorflow as tf

    kernel = tf.cast(tf.random.stateless_normal((3, 3, CHANNELS, CHANNELS), (0, 0)), precision)

    def convolution(height: int, width: int) -> Callable[[], object]:
        image = tf.random.stateless_normal((1, height, width, CHANNELS), (0, 1))
        image = tf.cast(image, precision)
        convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
        # Fetching one number waits for a device that works asynchronously.
        return lambda: convolve(image)[0, 0, 0, 0].numpy()

    return {shape: convolution(*shape) for shape in SHAPES}


def torch_convolutions() -> Convolutions:
    """Convolutions in PyTorch, in float32."""
    import torch

    kernel = torch.randn(CHANNELS, CHANNELS, 3, 3)

    def convolution(height: int, width: int) -> Callable[[], object]:
        image = torch.randn(1, CHANNELS, height, width)

        def convolve() -> None:
            with torch.no_grad():
                torch.nn.functional.conv2d(image, kernel, padding=1)

        return convolve

    return {shape: convolution(*shape) for shape in SHAPES}
