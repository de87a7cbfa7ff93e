"""The objective of an image that is too large to be evaluated whole, tile by tile.

Its style statistics and content loss are sums over tiles, so a first pass gives the loss and its
gradient with respect to these sums; a second pass takes that on to the pixels. The result equals
the whole image's, to rounding.
"""

import math
from collections.abc import Iterable, Iterator

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses import tiles
from nst_tf.losses.objective import (
    FeatureStatistics,
    Guides,
    Objective,
    add,
    dot,
    style_statistic,
)
from nst_tf.losses.style_targets import Cache, StyleImage, StyleTarget, compute_style_targets
from nst_tf.losses.terms import Layers, Losses, StyleStatistic
from nst_tf.networks.vgg import Network
from nst_tf.settings import Settings


def build_objective(
    network: Network,
    content: tf.Tensor,
    style_images: Iterable[StyleImage],
    settings: Settings,
    *,
    max_tile_pixels: float = math.inf,
    statistic: StyleStatistic | None = None,
    cache: Cache | None = None,
) -> Objective:
    """An Objective where the content image fits into one tile, otherwise a TiledObjective.

    `max_tile_pixels` counts padding; it is infinite in graphs, which know no size. Style images of
    more than twice the tile's pixels are tiled, too. The cache gets what it lacks.
    """
    statistic = statistic or style_statistic(settings)
    pixels = math.inf if math.isinf(max_tile_pixels) else math.prod(content.shape[1:3])
    # A style image is evaluated without a gradient, so twice the pixels take no more memory.
    for_style = min(2 * min(pixels, max_tile_pixels), tiles.MAX_TILE_PIXELS)
    for_style = math.inf if math.isinf(max_tile_pixels) else for_style
    targets = compute_style_targets(network, style_images, statistic, for_style, cache)
    arguments = network, content, targets, settings, statistic
    if pixels > max_tile_pixels:
        return TiledObjective(*arguments, max_tile_pixels=max_tile_pixels)
    return Objective(*arguments)


class TiledObjective(Objective):
    """An Objective that evaluates one tile at a time. It runs eagerly; each tile is a graph."""

    tiled = True

    def __init__(
        self,
        network: Network,
        content: tf.Tensor,
        targets: list[StyleTarget],
        settings: Settings,
        statistic: StyleStatistic,
        *,
        max_tile_pixels: float,
    ):
        self._field = tiles.receptive_field(network)
        self._size = tuple(content.shape[1:3])
        self._tiles = tiles.split(self._size, max_tile_pixels, self._field)
        super().__init__(network, content, targets, settings, statistic)
        self._tile_statistics, self._tile_vjp = self._graphs(targets)

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The weighted losses of an image and the gradient of their total."""
        statistics = self._image_statistics(image)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([statistics, image])
            value = self._losses(statistics, image)
        upstream, of_variation = tape.gradient(
            value.total, [statistics, image], unconnected_gradients="zero"
        )
        gradient = tf.Variable(of_variation)
        del of_variation
        for tile, *rest in self._tiles_and_targets():
            part = self._tile_vjp(tile.crop(image), *rest, upstream, tile.inner_bounds())
            in_tile = tile.crop(gradient)
            in_tile.assign(in_tile + part)
        return value, gradient.value()

    def _features_of_tiles(self, image: tf.Tensor) -> Iterator[dict[str, Layers]]:
        for tile in self._tiles:
            yield self._tile_features(tile.crop(image), tile.inner_bounds())

    def _image_statistics(self, image: tf.Tensor) -> FeatureStatistics:
        return add(
            self._tile_statistics(tile.crop(image), *rest, tile.inner_bounds())
            for tile, *rest in self._tiles_and_targets()
        )

    def _tiles_and_targets(self) -> Iterator[tuple[tiles.Tile, Layers, Guides]]:
        return zip(self._tiles, self.targets.content, self.targets.guides, strict=True)

    def _guides_of_tiles(self, targets: list[StyleTarget], sizes: dict[str, Size]) -> list[Guides]:
        whole = super()._guides_of_tiles(targets, self._field.layer_sizes(self._size))[0]
        return [
            tuple(tile.crop_layers(guide, self._field) for guide in whole) for tile in self._tiles
        ]

    def _style_statistics(
        self, layers: Layers, names: Iterable[str], guides: Layers
    ) -> dict[str, tf.Tensor]:
        layers = {name: layers[name] for name in names}
        return tiles.tile_statistics(self.statistic, layers, self._size, self._field, guides)

    def _tile_features(self, crop: tf.Tensor, inner_bounds: tf.Tensor) -> dict[str, Layers]:
        return tiles.tile_features(self._network, self._field, crop, inner_bounds)

    def _graphs(self, targets: list[StyleTarget]):
        """Statistics and vector-Jacobian product as graphs for tiles of any height and width."""
        crop, bounds = tf.TensorSpec([1, None, None, 3]), tf.TensorSpec([4], tf.int32)
        content = {
            name: tf.TensorSpec([1, None, None, layer.shape[-1]])
            for name, layer in self.targets.content[0].items()
        }
        guide = tf.TensorSpec([1, None, None, 1])
        guides = tuple(dict.fromkeys(each, guide) for each in self.targets.guides[0])
        styles = tuple(
            {name: tf.TensorSpec(value.shape) for name, value in target.statistics.items()}
            for target in targets
        )
        upstream = FeatureStatistics(styles, tf.TensorSpec([]))

        def statistics(crop, content, guides, inner_bounds):
            return self._statistics(self._tile_features(crop, inner_bounds), content, guides)

        def tile_vjp(crop, content, guides, upstream, inner_bounds):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(crop)
                product = dot(upstream, statistics(crop, content, guides, inner_bounds))
                scaled = product * self.targets.loss_scale
            return tape.gradient(scaled, crop) / self.targets.loss_scale

        return (
            tf.function(statistics, input_signature=[crop, content, guides, bounds]),
            tf.function(tile_vjp, input_signature=[crop, content, guides, upstream, bounds]),
        )
