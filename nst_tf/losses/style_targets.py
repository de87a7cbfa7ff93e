"""What the paintings ask for: target statistics, and where in the picture each counts.

Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", sections 4 and 6.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses import tiles
from nst_tf.losses.terms import Layers, StyleStatistic


class Painting(NamedTuple):
    """A painting at a scale.

    Attributes:
        picture: float32 [1, h, w, 3] in [0, 1].
        share: how much it counts beside the others, from 0.
        layers: names of the style layers it is learnt from; None for all.
        place: float32 [1, H, W, 1] in [0, 1], where in the picture it counts, in any size; None for
            everywhere. Paintings of one place share the array.
        region: float32 [1, h, w, 1] in [0, 1], the part that is learnt from; None for all of it.
        learnt: what has been learnt from it before, by how many pixels were looked at at a time;
            what is missing there is added. None to keep nothing.
    """

    picture: tf.Tensor
    share: float = 1.0
    layers: Sequence[str] | None = None
    place: tf.Tensor | None = None
    region: tf.Tensor | None = None
    learnt: dict[float, Layers] | None = None


class Manner(NamedTuple):
    """What is asked of one place.

    Attributes:
        statistics: of `losses.StyleStatistic.compute`, by layer; the mean of its paintings'.
        weight: its paintings' part of all shares.
        place: as of `Painting`.
    """

    statistics: dict[str, tf.Tensor]
    weight: float
    place: tf.Tensor | None


def learn(
    network, paintings: Iterable[Painting], most: float, statistic: StyleStatistic
) -> list[Manner]:
    """Learn from paintings.

    Args:
        network: the model of `features.extractor`.
        paintings: taken one after another.
        most: how many pixels of a painting to look at at a time; larger ones are tiled.
        statistic: what is learnt.

    Returns:
        A manner for each place.
    """
    places: dict[int, tf.Tensor | None] = {}
    parts: dict[int, list[tuple[float, Layers]]] = {}
    for painting in paintings:
        if not painting.share:
            continue
        found = _learnt(network, painting, most, statistic)
        if painting.layers is not None:
            found = {name: found[name] for name in painting.layers}
        places[id(painting.place)] = painting.place
        parts.setdefault(id(painting.place), []).append((painting.share, found))
        del painting
    whole = sum(share for each in parts.values() for share, _ in each)
    return [
        Manner(_mean(each), sum(share for share, _ in each) / whole, places[key])
        for key, each in parts.items()
    ]


def _learnt(network, painting: Painting, most: float, statistic: StyleStatistic) -> Layers:
    """What has been learnt before, where it is kept; a graph does not know a painting's size."""
    if painting.learnt is None:
        return _statistics(network, painting, most, statistic)
    seen = min(most, math.prod(painting.picture.shape[1:3]))
    if seen not in painting.learnt:
        painting.learnt[seen] = _statistics(network, painting, most, statistic)
    return painting.learnt[seen]


def guides(place: tf.Tensor | None, sizes: dict[str, Size]) -> dict[str, tf.Tensor]:
    """A place at the layers' sizes, brought there by area.

    Args:
        place: float32 [1, H, W, 1] in [0, 1], or None.
        sizes: of each layer's features.

    Returns:
        float32 [1, h, w, 1] by layer name, 1 on average; nothing for no place.
    """
    if place is None:
        return {}
    shrunk = {name: tf.image.resize(place, size, "area") for name, size in sizes.items()}
    return {
        name: tf.math.divide_no_nan(guide, tf.reduce_mean(guide)) for name, guide in shrunk.items()
    }


def _mean(parts: list[tuple[float, Layers]]) -> dict[str, tf.Tensor]:
    """The mean weighted by shares; each layer's over the paintings that are learnt from there."""
    total: dict[str, tf.Tensor] = {}
    shares: dict[str, float] = {}
    for share, statistics in parts:
        for name, found in statistics.items():
            total[name] = share * found + total[name] if name in total else share * found
            shares[name] = shares.get(name, 0.0) + share
    return {name: found / shares[name] for name, found in total.items()}


def _statistics(network, painting: Painting, most: float, statistic: StyleStatistic) -> Layers:
    picture = painting.picture
    if math.isinf(most):
        layers = network(picture)["style"]
        found = {}
        if painting.region is not None:
            found = guides(painting.region, {k: tuple(v.shape[1:3]) for k, v in layers.items()})
        return {name: statistic.compute(layer, found.get(name)) for name, layer in layers.items()}
    view, size = tiles.view(network), tuple(picture.shape[1:3])
    whole = guides(painting.region, view.sizes(size))

    def part(tile: tiles.Tile) -> Layers:
        seen = tiles.look(network, view, tile.see(picture), tile.inside())["style"]
        return tiles.statistics(statistic, seen, size, view, tile.cut(whole, view))

    total: dict[str, tf.Tensor] = {}
    for tile in tiles.split(size, most, view):
        here = part(tile)
        total = {name: total[name] + found if total else found for name, found in here.items()}
    return total
