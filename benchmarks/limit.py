"""The machine's own limit: the arithmetic of a step, and the best rate of one convolution."""

import statistics
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import NamedTuple

_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
CHANNELS = 256
# Height and width that VGG's layers of 256 channels have for pictures of 128 to 1024 px.
SHAPES = ((24, 32), (48, 64), (96, 128), (192, 256))


class Convolution(NamedTuple):
    """Height and width of what a 3x3 convolution sees, and its channels before and after."""

    height: int
    width: int
    before: int
    after: int


def convolutions(height: int, width: int, layers: Iterable[str]) -> list[Convolution]:
    """VGG19's convolutions up to the deepest layer.

    Args:
        height: of the picture in pixels.
        width: of the picture in pixels.
        layers: the layers that are looked at.

    Returns:
        The convolutions from the picture on.
    """
    missing = set(layers)
    found, before = [], 3
    for block, (channels, count) in enumerate(_BLOCKS, 1):
        for index in range(1, count + 1):
            found.append(Convolution(height, width, before, channels))
            before = channels
            missing.discard(f"block{block}_conv{index}")
            if not missing:
                return found
        height, width = height // 2, width // 2
    raise ValueError(f"VGG19 has no layers {missing}")


def step_operations(network: Iterable[Convolution]) -> int:
    """The floating-point operations of the convolutions in a step.

    Forward, and back to the picture: as many again, since nobody asks for the weights' gradient. A
    multiplication and an addition count as two.

    Args:
        network: of `convolutions`.

    Returns:
        Operations.
    """
    return sum(2 * 2 * 9 * each.before * each.after * each.height * each.width for each in network)


class Limit:
    """The best rate of a 3x3 convolution, sampled now and then between other work."""

    def __init__(self, convolutions: dict[tuple[int, int], Callable[[], None]]):
        """Warm up.

        Args:
            convolutions: of `tensorflow_convolutions` or `torch_convolutions`.
        """
        self._convolutions = convolutions
        self._rates: dict[tuple[int, int], list[float]] = {shape: [] for shape in convolutions}
        for convolve in convolutions.values():
            convolve()
            convolve()

    def sample(self) -> None:
        """Time each shape once."""
        for (height, width), convolve in self._convolutions.items():
            began = perf_counter()
            convolve()
            seconds = perf_counter() - began
            operations = 2 * 9 * CHANNELS**2 * height * width
            self._rates[height, width].append(operations / seconds)

    def rates(self) -> dict[str, float]:
        """The median rate of each shape, in operations per second."""
        return {f"{h}x{w}": statistics.median(rates) for (h, w), rates in self._rates.items()}


# Each framework is measured in a process that has loaded only this one, hence the late imports.
def tensorflow_convolutions(precision: str) -> dict[tuple[int, int], Callable[[], None]]:
    """A compiled convolution of each shape.

    Args:
        precision: its type.

    Returns:
        Functions that return when it is done.
    """
    import tensorflow as tf

    kernel = tf.cast(tf.random.stateless_normal((3, 3, CHANNELS, CHANNELS), (0, 0)), precision)

    def convolution(height: int, width: int) -> Callable[[], None]:
        picture = tf.random.stateless_normal((1, height, width, CHANNELS), (0, 1))
        picture = tf.cast(picture, precision)
        convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
        # Fetching one number waits for a device that works asynchronously.
        return lambda: convolve(picture)[0, 0, 0, 0].numpy()

    return {shape: convolution(*shape) for shape in SHAPES}


def torch_convolutions() -> dict[tuple[int, int], Callable[[], None]]:
    """The same with PyTorch in float32.

    Returns:
        Functions that return when it is done.
    """
    import torch

    kernel = torch.randn(CHANNELS, CHANNELS, 3, 3)

    def convolution(height: int, width: int) -> Callable[[], None]:
        picture = torch.randn(1, CHANNELS, height, width)

        def convolve() -> None:
            with torch.no_grad():
                torch.nn.functional.conv2d(picture, kernel, padding=1)

        return convolve

    return {shape: convolution(*shape) for shape in SHAPES}
