"""The transformer network for images that are too large to hold all of its layers.

Instance normalization takes the moments of a whole layer, so a layer is finished before the next
one begins. Each is computed in strips of rows, which overlap by what its convolutions see around
them. A layer is stored while it is small: at a quarter and at half of the image's size, and the
last one, which has three channels. The layer between these is computed twice instead.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from nst_tf.networks.stylization import (
    MARGIN,
    ChooseMoments,
    Moments,
    StyledConv,
    StylizationNetwork,
    Transformer,
    own_moments,
)

# Of the image; larger strips take more memory, larger and smaller ones more time.
_STRIP_PIXELS = 2**19
# Of a wide image, so that strips do not overlap for the most part.
_MIN_ROWS = 16
# Of rows at a quarter of the image's size; no function here sees more around a strip.
_OVERLAP = 2
# Of the layers at a quarter and at half of the image's size.
_CHANNELS = (32, 16)
_Function = Callable[..., tf.Tensor]


def transform(
    network: StylizationNetwork,
    contents: tf.Tensor,
    bottlenecks: tf.Tensor,
    choose: ChooseMoments = own_moments,
) -> tf.Tensor:
    """`network.transform`, one image at a time; its size takes memory for few layers only.

    `choose` is called for each normalization, in their order.
    """
    bottlenecks = tf.repeat(bottlenecks, len(contents) // len(bottlenecks), axis=0)
    images = [
        _StripedTransformer(network.transformer, content[np.newaxis], bottleneck, choose).stylize()
        for content, bottleneck in zip(
            np.asarray(contents), bottlenecks[:, tf.newaxis], strict=True
        )
    ]
    return tf.concat(images, axis=0)


class _StripedTransformer:
    """The transformer for one content image and one style."""

    def __init__(
        self,
        transformer: Transformer,
        content: np.ndarray,
        bottleneck: tf.Tensor,
        choose: ChooseMoments,
    ):
        """Content is float32 sRGB [1, H, W, 3] in [0, 1], the bottleneck float32 [1, 1, 1, 100]."""
        self._transformer, self._content, self._bottleneck = transformer, content, bottleneck
        self._choose = choose
        # As `edge_pad` pads.
        (_, height, width, _), pads = content.shape, [MARGIN, MARGIN + -content.shape[2] % 4]
        self._pads = [[0, 0], [0, 0], pads, [0, 0]]
        self._rows = np.arange(-MARGIN, height + -height % 4 + MARGIN).clip(0, height - 1)
        # Of the smallest layer; the sides of others are multiples of these.
        self._height, self._width = len(self._rows) // 4, (width + sum(pads)) // 4

    def stylize(self) -> tf.Tensor:
        """What `StylizationNetwork.transform` gives, float32 sRGB [1, H, W, 3] in (0, 1)."""
        x = self._empty(1, _CHANNELS[0])
        self._run(self._contract, self._rows[np.newaxis], into=x)
        for first, second in self._transformer.residual:
            self._add_residual(x, first, second)
        half = self._empty(2, _CHANNELS[1])
        first, second, third = self._transformer.expand
        first_norm = self._norm(first, self._run(first.convolve, x, into=half))
        del x

        def second_conv(y: tf.Tensor) -> tf.Tensor:
            return second.convolve(first_norm(y))

        second_norm = self._norm(second, self._run(second_conv, half))
        image = self._empty(4, 3)
        moments = self._run(lambda y: third.convolve(second_norm(second_conv(y))), half, into=image)
        del half
        self._run(self._norm(third, moments), image, into=image)
        height, width = self._content.shape[1:3]
        return tf.constant(image[:, MARGIN : MARGIN + height, MARGIN : MARGIN + width])

    def _contract(self, rows: np.ndarray) -> tf.Tensor:
        """Rows of the padded content image, as the residual blocks take them."""
        x = np.pad(self._content[:, rows[0]], self._pads, "edge")
        for conv in self._transformer.contract:
            x = conv(x)
        return x

    def _add_residual(self, x: np.ndarray, first: StyledConv, second: StyledConv) -> None:
        inner, outer = np.empty_like(x), np.empty_like(x)
        first_norm = self._norm(first, self._run(first.convolve, x, into=inner))
        moments = self._run(lambda y: second.convolve(first_norm(y)), inner, into=outer)
        second_norm = self._norm(second, moments)
        self._run(lambda x, y: x + second_norm(y), x, outer, into=x)

    def _norm(self, layer: StyledConv, moments: Moments) -> _Function:
        return functools.partial(
            layer.normalize, bottleneck=self._bottleneck, moments=self._choose(moments)
        )

    def _empty(self, factor: int, channels: int) -> np.ndarray:
        return np.empty([1, factor * self._height, factor * self._width, channels], np.float32)

    def _run(
        self, function: _Function, *sources: np.ndarray, into: np.ndarray | None = None
    ) -> Moments:
        """Run a function of layers strip by strip; returns the moments of all that it gives.

        `into` may be a source of a function of single positions.
        """
        height, counts, moments = self._height, list[int](), list[Moments]()
        step = max(_STRIP_PIXELS // (16 * self._width), _MIN_ROWS)
        for start in range(0, height, step):
            stop = min(start + step, height)
            low, high = max(start - _OVERLAP, 0), min(stop + _OVERLAP, height)
            strip = function(*(_rows(source, low, high, height) for source in sources))
            strip = _rows(strip, start - low, stop - low, high - low)
            if into is not None:
                _rows(into, start, stop, height)[:] = strip
            counts.append(stop - start)
            moments.append(tf.nn.moments(strip, [1, 2], keepdims=True))
        return _total(counts, moments)


def _rows(layer: np.ndarray | tf.Tensor, start: int, stop: int, height: int):
    """Rows of a layer, counted as if it had `height` of them."""
    factor = layer.shape[1] // height
    return layer[:, factor * start : factor * stop]


def _total(counts: Sequence[int], moments: Sequence[Moments]) -> Moments:
    """The moments of a layer from those of its strips and their numbers of rows."""
    # In float64: TensorFlow's own sums over a layer of 12 megapixels leave its variance 2% off.
    weights = np.divide(counts, sum(counts), dtype=np.float64)
    means, variances = (np.array(each, np.float64) for each in zip(*moments, strict=True))
    mean = np.tensordot(weights, means, 1)
    variance = np.tensordot(weights, variances + (means - mean) ** 2, 1)
    return tf.constant(mean, tf.float32), tf.constant(variance, tf.float32)
