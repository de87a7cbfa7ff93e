"""Style targets: the statistics of the style images, and where in the image each applies.

Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", sections 4 and 6.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import tensorflow as tf

from nst_tf.losses import guides, tiles
from nst_tf.losses.terms import Layers, StyleStatistic
from nst_tf.networks.vgg import Network

# The statistics of style images by their `cache_key` and the number of pixels of a tile.
Cache = dict[tuple[Hashable, float], Layers]


class StyleImage(NamedTuple):
    """A style image at a scale.

    Attributes:
        image: float32 [1, h, w, 3] in [0, 1].
        weight: beside the other style images, from 0.
        layers: names of its style layers; None for all.
        mask: float32 [1, H, W, 1] in [0, 1], where in the image it applies, in any size; None for
            everywhere. Style images of one mask share the tensor.
        region: float32 [1, h, w, 1] in [0, 1], the part of it that counts; None for all of it.
        cache_key: under which its statistics are kept; None where they are not.
    """

    image: tf.Tensor
    weight: float = 1.0
    layers: Sequence[str] | None = None
    mask: tf.Tensor | None = None
    region: tf.Tensor | None = None
    cache_key: Hashable = None


class StyleTarget(NamedTuple):
    """What the image is compared with where one mask is white.

    Attributes:
        statistics: of `StyleStatistic.compute`, by layer; the mean over the style images.
        weight: of all weights, the part of these style images.
        mask: as in StyleImage.
    """

    statistics: dict[str, tf.Tensor]
    weight: float
    mask: tf.Tensor | None


def compute_style_targets(
    network: Network,
    style_images: Iterable[StyleImage],
    statistic: StyleStatistic,
    max_tile_pixels: float = math.inf,
    cache: Cache | None = None,
) -> list[StyleTarget]:
    """A style target for each mask; style images are taken one by one, large ones in tiles."""
    masks: dict[Hashable, tf.Tensor | None] = {}
    groups: dict[Hashable, list[tuple[float, Layers]]] = {}
    for style_image in style_images:
        if not style_image.weight:
            continue
        statistics = _cached(network, style_image, statistic, max_tile_pixels, cache)
        if style_image.layers is not None:
            statistics = {name: statistics[name] for name in style_image.layers}
        key = None if style_image.mask is None else style_image.mask.ref()
        masks[key] = style_image.mask
        groups.setdefault(key, []).append((style_image.weight, statistics))
        del style_image  # before the next is made
    total = sum(weight for group in groups.values() for weight, _ in group)
    return [
        StyleTarget(_mean(group), sum(weight for weight, _ in group) / total, masks[key])
        for key, group in groups.items()
    ]


def _cached(network, style_image, statistic, max_tile_pixels, cache: Cache | None) -> Layers:
    if cache is None or style_image.cache_key is None:
        return _statistics(network, style_image, statistic, max_tile_pixels)
    pixels = min(max_tile_pixels, math.prod(style_image.image.shape[1:3]))
    key = style_image.cache_key, pixels
    if key not in cache:
        cache[key] = _statistics(network, style_image, statistic, max_tile_pixels)
    return cache[key]


def _mean(group: list[tuple[float, Layers]]) -> dict[str, tf.Tensor]:
    """The weighted mean; that of a layer is over the style images which have it."""
    sums: dict[str, tf.Tensor] = {}
    weights: dict[str, float] = {}
    for weight, statistics in group:
        for name, value in statistics.items():
            sums[name] = weight * value + sums[name] if name in sums else weight * value
            weights[name] = weights.get(name, 0.0) + weight
    return {name: value / weights[name] for name, value in sums.items()}


def _statistics(network, style_image, statistic: StyleStatistic, max_tile_pixels: float) -> Layers:
    image, region = style_image.image, style_image.region
    # A graph does not know the size of an image, so it takes the whole.
    if math.isinf(max_tile_pixels):
        layers = network(image)["style"]
        sizes = {k: tuple(v.shape[1:3]) for k, v in layers.items()} if region is not None else {}
        weights = guides.from_mask(region, sizes)
        return {name: statistic.compute(layer, weights.get(name)) for name, layer in layers.items()}
    field, size = tiles.receptive_field(network), tuple(image.shape[1:3])
    weights = guides.from_mask(region, field.layer_sizes(size))
    total: dict[str, tf.Tensor] = {}
    for tile in tiles.split(size, max_tile_pixels, field):
        bounds = tile.inner_bounds()
        features = tiles.tile_features(network, field, tile.crop(image), bounds)["style"]
        in_tile = tile.crop_layers(weights, field)
        parts = tiles.tile_statistics(statistic, features, size, field, in_tile)
        total = {name: total[name] + part if total else part for name, part in parts.items()}
        del features  # before the next tile's
    return total
