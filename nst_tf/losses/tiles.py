"""Tiles: a picture in pieces, each seen with so much around it that its features are the whole's.

What lies between two pieces is seen twice, but only a piece's own features count.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses.terms import Layers, StyleStatistic

# Pixels seen at a time: fewer would be mostly halo; with twice as many a layer would have 2**31
# values, which is more than 32 bits count.
MIN_TILE_PIXELS, MAX_TILE_PIXELS = 256**2, 2**24


class Span(NamedTuple):
    """Pixels from `start` to `stop` along a side, and those from `low` to `high` seen for them."""

    start: int
    stop: int
    low: int
    high: int


class Tile(NamedTuple):
    """A piece of a picture: its rows and its columns."""

    rows: Span
    columns: Span

    @property
    def seen(self) -> int:
        """How many pixels are seen for it."""
        return math.prod(span.high - span.low for span in self)

    def see(self, picture: tf.Tensor) -> tf.Tensor:
        """The piece with its surroundings.

        Args:
            picture: [B, H, W, C], of the size that was split.

        Returns:
            [B, h, w, C].
        """
        return picture[:, self.rows.low : self.rows.high, self.columns.low : self.columns.high]

    def cut(self, layers: Layers, view: "View") -> dict[str, tf.Tensor]:
        """What belongs to the piece of layers of the whole picture.

        Args:
            layers: [1, h, w, C] by name.
            view: of the network whose layers they are.

        Returns:
            [1, h', w', C] by name, as large as the piece's own features.
        """
        return {name: self._cut(layer, view.strides[name]) for name, layer in layers.items()}

    def _cut(self, layer: tf.Tensor, stride: int) -> tf.Tensor:
        rows, columns = (slice(span.start // stride, span.stop // stride) for span in self)
        return layer[:, rows, columns]

    def inside(self) -> tf.Tensor:
        """Where the piece lies within what is seen.

        Returns:
            Its first row, its last plus one, its first column, its last plus one, int32 [4].
        """
        return tf.constant([edge - span.low for span in self for edge in (span.start, span.stop)])


class View(NamedTuple):
    """What a network's features look at.

    Attributes:
        strides: of each layer's features, in pixels.
        stride: the greatest of them, in pixels.
        halo: how far beyond its own `stride` pixels a feature looks, in pixels; a multiple of it.
    """

    strides: dict[str, int]
    stride: int
    halo: int

    def sizes(self, size: Size) -> dict[str, Size]:
        """The (height, width) of each layer's features of a picture of (height, width)."""
        return {name: (size[0] // s, size[1] // s) for name, s in self.strides.items()}


def view(extractor: tf.keras.Model) -> View:
    """How far the features of an extractor look, from its layers.

    Args:
        extractor: the model of `features.extractor`, a chain of convolutions and poolings.

    Returns:
        Strides and halo.
    """
    stride, reach, strides = 1, 0, {}
    for layer in extractor.layers:
        if isinstance(layer, tf.keras.layers.Conv2D):
            reach += stride * (layer.kernel_size[0] // 2)
        elif hasattr(layer, "pool_size"):
            stride *= layer.strides[0]
        strides[layer.name] = stride
    return View(strides, stride, -(-reach // stride) * stride)


def split(size: Size, most: float, view: View) -> list[Tile]:
    """Cut a picture into tiles.

    Args:
        size: (height, width) of the picture.
        most: how many pixels may be seen at a time.
        view: of the network that looks.

    Returns:
        The tiles that see the fewest pixels in all; one for the whole picture where that may be.
        Where nothing is small enough, the smallest there are.
    """
    if size[0] * size[1] <= most:
        return [Tile(*(_cut(side, 1, view)[0] for side in size))]
    down, across = (_cuts(side, view) for side in size)
    grids = [(rows, columns) for rows in down for columns in across]
    fitting = [grid for grid in grids if grid[0].longest * grid[1].longest <= most]
    if fitting:
        rows, columns = min(fitting, key=lambda grid: grid[0].seen * grid[1].seen)
    else:
        rows, columns = min(grids, key=lambda grid: grid[0].longest * grid[1].longest)
    return [Tile(row, column) for row in rows.spans for column in columns.spans]


def look(
    network: tf.keras.Model, view: View, seen: tf.Tensor, inside: tf.Tensor
) -> dict[str, Layers]:
    """The features of a tile, without its surroundings'.

    Args:
        network: the model of `features.extractor`.
        view: of it.
        seen: float32 [1, h, w, 3], of `Tile.see`.
        inside: int32 [4], of `Tile.inside`.

    Returns:
        Style and content features as of the network.
    """

    def crop(name: str, layer: tf.Tensor) -> tf.Tensor:
        top, bottom, left, right = tf.unstack(inside // view.strides[name])
        return layer[:, top:bottom, left:right]

    return {
        kind: {name: crop(name, layer) for name, layer in layers.items()}
        for kind, layers in network(seen).items()
    }


def statistics(
    statistic: StyleStatistic, layers: Layers, size: Size, view: View, guides: Layers
) -> dict[str, tf.Tensor]:
    """The statistics of a tile's layers as part of the picture's; they add up over tiles.

    Args:
        statistic: which.
        layers: style features, of `look`.
        size: (height, width) of the picture.
        view: of the network.
        guides: the tile's, as of `losses.gram`, or none.

    Returns:
        As of `StyleStatistic.compute`, by layer name.
    """
    parts = {}
    for name, layer in layers.items():
        whole = math.prod(side // view.strides[name] for side in size)
        here = tf.cast(tf.reduce_prod(tf.shape(layer)[1:3]), tf.float32)
        parts[name] = statistic.compute(layer, guides.get(name)) * (here / whole)
    return parts


class _Cut(NamedTuple):
    """A side in spans: how much the longest sees, and how much they see in all."""

    spans: list[Span]
    longest: int
    seen: int


def _cuts(side: int, view: View) -> list[_Cut]:
    """A side in one span, in two, and so on."""
    cuts: list[_Cut] = []
    for count in range(1, max(side // view.stride, 1) + 1):
        spans = _cut(side, count, view)
        seen = [span.high - span.low for span in spans]
        # With the longest as long as before, more spans only see more.
        if not cuts or max(seen) < cuts[-1].longest:
            cuts.append(_Cut(spans, max(seen), sum(seen)))
    return cuts


def _cut(side: int, count: int, view: View) -> list[Span]:
    """So many nearly equal spans; each starts on a stride, the last takes the rest."""
    units = max(side // view.stride, 1)
    starts = [units * index // count * view.stride for index in range(count)]
    stops = [*starts[1:], side]
    return [
        Span(start, stop, max(start - view.halo, 0), min(stop + view.halo, side))
        for start, stop in zip(starts, stops, strict=True)
    ]
