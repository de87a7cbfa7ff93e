"""Overlapping tiles, padded by the receptive field: features inside equal those of the whole image.

Pixels between two tiles are computed in both, but only a tile's inner features count.
"""

import functools
import math
from typing import NamedTuple

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses.terms import Layers, StyleStatistic

# Fewer pixels would be mostly padding; with twice as many a layer would have 2**31 values, more
# than 32 bits count.
MIN_TILE_PIXELS, MAX_TILE_PIXELS = 256**2, 2**24


class Span(NamedTuple):
    """The inner pixels of a tile along one side, and the padded pixels that its features need."""

    start: int
    stop: int
    padded_start: int
    padded_stop: int


class Tile(NamedTuple):
    """A tile of an image: its rows and its columns."""

    rows: Span
    columns: Span

    @property
    def num_pixels(self) -> int:
        """The number of pixels with padding."""
        return math.prod(span.padded_stop - span.padded_start for span in self)

    def crop(self, image: tf.Tensor) -> tf.Tensor:
        """The padded tile of an image [B, H, W, C]."""
        rows, columns = (slice(span.padded_start, span.padded_stop) for span in self)
        return image[:, rows, columns]

    def crop_layers(self, layers: Layers, field: "ReceptiveField") -> dict[str, tf.Tensor]:
        """The tile's inner part of the whole image's layers, [1, h, w, C] by name."""

        def crop(layer: tf.Tensor, stride: int) -> tf.Tensor:
            rows, columns = (slice(span.start // stride, span.stop // stride) for span in self)
            return layer[:, rows, columns]

        return {name: crop(layer, field.strides[name]) for name, layer in layers.items()}

    def inner_bounds(self) -> tf.Tensor:
        """Top, bottom, left and right of the inner pixels within the padded tile, int32 [4]."""
        return tf.constant(
            [edge - span.padded_start for span in self for edge in (span.start, span.stop)]
        )


class ReceptiveField(NamedTuple):
    """Which pixels a network's features depend on.

    Attributes:
        strides: of each layer's features, in pixels.
        stride: the greatest of them, in pixels.
        padding: how far beyond its own `stride` pixels a feature reaches, in pixels; a multiple of
            the stride.
    """

    strides: dict[str, int]
    stride: int
    padding: int

    def layer_sizes(self, size: Size) -> dict[str, Size]:
        """The (height, width) of each layer's features for an image of (height, width)."""
        return {name: (size[0] // s, size[1] // s) for name, s in self.strides.items()}


def receptive_field(extractor: tf.keras.Model) -> ReceptiveField:
    """The receptive field of an extractor, a chain of convolutions and poolings."""
    stride, reach, strides = 1, 0, {}
    for layer in extractor.layers:
        if isinstance(layer, tf.keras.layers.Conv2D):
            reach += stride * (layer.kernel_size[0] // 2)
        elif hasattr(layer, "pool_size"):
            stride *= layer.strides[0]
        strides[layer.name] = stride
    return ReceptiveField(strides, stride, math.ceil(reach / stride) * stride)


def split(size: Size, max_tile_pixels: float, field: ReceptiveField) -> list[Tile]:
    """Split an image of (height, width) into tiles.

    The grid has the fewest padded pixels in all, one tile for the whole image where that is
    allowed. Where no grid has tiles small enough, it is the one with the smallest tiles.
    """
    if size[0] * size[1] <= max_tile_pixels:
        return [Tile(*(_spans(side, 1, field.stride, field.padding)[0] for side in size))]
    down, across = (_cuts(side, field.stride, field.padding) for side in size)
    grids = [(rows, columns) for rows in down for columns in across]
    fitting = [grid for grid in grids if grid[0].longest * grid[1].longest <= max_tile_pixels]
    if fitting:
        rows, columns = min(fitting, key=lambda grid: grid[0].total * grid[1].total)
    else:
        rows, columns = min(grids, key=lambda grid: grid[0].longest * grid[1].longest)
    return [Tile(row, column) for row in rows.spans for column in columns.spans]


def tile_features(
    network: tf.keras.Model, field: ReceptiveField, crop: tf.Tensor, inner_bounds: tf.Tensor
) -> dict[str, Layers]:
    """The inner features of a padded tile float32 [1, h, w, 3], from `Tile.crop`."""

    def inner(name: str, layer: tf.Tensor) -> tf.Tensor:
        top, bottom, left, right = tf.unstack(inner_bounds // field.strides[name])
        return layer[:, top:bottom, left:right]

    return {
        role: {name: inner(name, layer) for name, layer in layers.items()}
        for role, layers in network(crop).items()
    }


def tile_statistics(
    statistic: StyleStatistic, layers: Layers, size: Size, field: ReceptiveField, guides: Layers
) -> dict[str, tf.Tensor]:
    """A tile's part of the whole image's style statistics; the parts of all tiles add up.

    `layers` are a tile's style features, `size` is the whole image's, `guides` are the tile's.
    """
    parts = {}
    for name, layer in layers.items():
        positions = math.prod(side // field.strides[name] for side in size)
        in_tile = tf.cast(tf.reduce_prod(tf.shape(layer)[1:3]), tf.float32)
        parts[name] = statistic.compute(layer, guides.get(name)) * (in_tile / positions)
    return parts


class _Cut(NamedTuple):
    """A side in spans: the padded length of the longest, and of all together."""

    spans: list[Span]
    longest: int
    total: int


# A plan asks for the same sides again for each length of the history.
@functools.lru_cache(maxsize=8)
def _cuts(side: int, stride: int, padding: int) -> list[_Cut]:
    """A side in one span, in two, and so on."""
    cuts: list[_Cut] = []
    for count in range(1, max(side // stride, 1) + 1):
        spans = _spans(side, count, stride, padding)
        lengths = [span.padded_stop - span.padded_start for span in spans]
        # Where the longest does not get shorter, more spans only have more padding.
        if not cuts or max(lengths) < cuts[-1].longest:
            cuts.append(_Cut(spans, max(lengths), sum(lengths)))
    return cuts


def _spans(side: int, count: int, stride: int, padding: int) -> list[Span]:
    """So many nearly equal spans; each starts on a stride, the last takes the rest."""
    units = max(side // stride, 1)
    starts = [units * index // count * stride for index in range(count)]
    stops = [*starts[1:], side]
    return [
        Span(start, stop, max(start - padding, 0), min(stop + padding, side))
        for start, stop in zip(starts, stops, strict=True)
    ]
