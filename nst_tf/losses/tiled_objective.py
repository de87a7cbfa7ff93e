"""The objective of a picture that is too large to be looked at whole: tile by tile.

Its style statistics and its content term are sums over the tiles, so a first pass over them gives
the loss and its gradient with respect to these few sums; a second pass takes that on to the pixels.
The result is the whole picture's, to rounding.
"""

import math
from collections.abc import Iterable, Iterator

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses import tiles
from nst_tf.losses.objective import Guides, Objective, Sums, add, dot
from nst_tf.losses.style_targets import Manner, Painting
from nst_tf.losses.terms import Layers, Losses
from nst_tf.networks.vgg import Network
from nst_tf.settings import Settings


def objective(
    network: Network,
    content: tf.Tensor,
    styles: Iterable[Painting],
    settings: Settings,
    *,
    most: float = math.inf,
) -> Objective:
    """The objective that sees the whole picture where it may, and tiles elsewhere.

    Args:
        network: the model of `features.extractor`.
        content: float32 [1, H, W, 3] in [0, 1].
        styles: as of Objective; a painting larger than the content is tiled, too.
        settings: recipe and weights.
        most: how many pixels to look at at a time.

    Returns:
        An Objective, or a TiledObjective.
    """
    pixels = math.prod(content.shape[1:3])
    if math.isinf(most):
        return Objective(network, content, styles, settings)
    if pixels > most:
        return TiledObjective(network, content, styles, settings, most=most)
    return Objective(network, content, styles, settings, most=_of_painting(pixels))


class TiledObjective(Objective):
    """An Objective that sees few pixels at a time. It runs eagerly only; each tile is a graph."""

    tiled = True

    def __init__(
        self,
        network: Network,
        content: tf.Tensor,
        styles: Iterable[Painting],
        settings: Settings,
        *,
        most: float,
    ):
        """Compute the targets.

        Args:
            network: the model of `features.extractor`.
            content: float32 [1, H, W, 3] in [0, 1].
            styles: as of Objective.
            settings: recipe and weights.
            most: how many pixels to look at at a time.
        """
        self._view = tiles.view(network)
        self._size = tuple(content.shape[1:3])
        self._tiles = tiles.split(self._size, most, self._view)
        super().__init__(network, content, styles, settings, most=_of_painting(most))
        self._tile_sums, self._tile_gradient = self._graphs()

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The weighted losses of a picture and the gradient of their total.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], of the content's size.

        Returns:
            The losses, and the gradient, float32 [1, H, W, 3].
        """
        sums = self._sums(image)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([sums, image])
            value = self._losses(sums, image)
        weights, variation = tape.gradient(value.total, [sums, image], unconnected_gradients="zero")
        gradient = tf.Variable(variation)
        del variation
        for tile, *rest in zip(self._tiles, *self._pieces(), strict=True):
            part = self._tile_gradient(tile.see(image), *rest, weights, tile.inside())
            seen = tile.see(gradient)
            seen.assign(seen + part)
        return value, gradient.value()

    def _looks(self, image: tf.Tensor) -> Iterator[dict[str, Layers]]:
        for tile in self._tiles:
            yield tiles.look(self._network, self._view, tile.see(image), tile.inside())

    def _sums(self, image: tf.Tensor) -> Sums:
        return add(
            self._tile_sums(tile.see(image), *rest, tile.inside())
            for tile, *rest in zip(self._tiles, *self._pieces(), strict=True)
        )

    def _pieces(self) -> tuple[tuple[Layers, ...], tuple[Guides, ...]]:
        return self.targets.content, self.targets.guides

    def _guide(self, manners: list[Manner], sizes: dict[str, Size]) -> list[Guides]:
        whole = super()._guide(manners, self._view.sizes(self._size))[0]
        return [tuple(tile.cut(each, self._view) for each in whole) for tile in self._tiles]

    def _statistics(
        self, layers: Layers, asked: Iterable[str], guides: Layers
    ) -> dict[str, tf.Tensor]:
        layers = {name: layers[name] for name in asked}
        return tiles.statistics(self.statistic, layers, self._size, self._view, guides)

    def _graphs(self):
        """`_measure` and `_pull_back` as graphs for tiles of any height and width."""
        seen, inside = tf.TensorSpec([1, None, None, 3]), tf.TensorSpec([4], tf.int32)
        content = {
            name: tf.TensorSpec([1, None, None, layer.shape[-1]])
            for name, layer in self.targets.content[0].items()
        }
        guide = tf.TensorSpec([1, None, None, 1])
        guides = tuple(dict.fromkeys(each, guide) for each in self.targets.guides[0])
        sums = Sums(self._style_specs, tf.TensorSpec([]))
        return (
            tf.function(self._measure, input_signature=[seen, content, guides, inside]),
            tf.function(self._pull_back, input_signature=[seen, content, guides, sums, inside]),
        )

    def _measure(self, seen: tf.Tensor, content: Layers, guides: Guides, inside: tf.Tensor) -> Sums:
        """What a tile adds to the sums."""
        return self._add_up(tiles.look(self._network, self._view, seen, inside), content, guides)

    def _pull_back(self, seen, content: Layers, guides: Guides, weights: Sums, inside: tf.Tensor):
        """The gradient with respect to what a tile sees, from that with respect to the sums."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(seen)
            reached = (
                dot(weights, self._measure(seen, content, guides, inside)) * self.targets.scale
            )
        return tape.gradient(reached, seen) / self.targets.scale


def _of_painting(most: float) -> float:
    """How many pixels of a painting may be seen at a time where so many of the picture are.

    It is looked at without a gradient, so twice the pixels take no more memory.
    """
    return min(2 * most, tiles.MAX_TILE_PIXELS)
