"""The objective: how far a picture is from the photograph's content and the painting's style.

A picture that is too large to be looked at whole is looked at tile by tile. Its Grams and its
content term are sums over the tiles, so a first pass over them gives the loss and its gradient
with respect to these few sums; a second pass takes that on to the pixels. The result is the whole
picture's, to rounding.
"""

import functools
import math
from collections.abc import Iterable
from typing import NamedTuple

import tensorflow as tf

from nst_tf import losses, tiles
from nst_tf.losses import Layers, Losses
from nst_tf.settings import Settings
from nst_tf.tiles import Tile


class Sums(NamedTuple):
    """What the loss knows of a picture's features; that of a picture is the sum of its tiles'.

    Attributes:
        grams: of each style layer, float32 [1, C, C], divided by the picture's positions.
        content: the distance to the photograph, a float32 scalar.
    """

    grams: dict[str, tf.Tensor]
    content: tf.Tensor


class Objective:
    """The weighted total loss of a picture and its gradient, for one photograph and one size.

    Gatys et al. 2016, equation 7. The targets are computed once, here.
    """

    def __init__(
        self,
        extractor: tf.keras.Model,
        content: tf.Tensor,
        styles: Iterable[tuple[tf.Tensor, float]],
        settings: Settings,
        *,
        most: float = math.inf,
    ):
        """Compute the targets.

        Args:
            extractor: the model of `features.extractor`.
            content: float32 [1, H, W, 3] in [0, 1].
            styles: pairs of a painting, float32 [1, h, w, 3] in [0, 1], and its share, taken one
                after another; the target Gram is the paintings' mean, weighted by their shares.
            settings: recipe and weights.
            most: how many pixels to look at at a time; larger pictures are tiled, and so is a
                painting larger than the content.
        """
        self._extractor, self._settings = extractor, settings
        self._view = tiles.view(extractor)
        self._tiles = tiles.split(content.shape[1:3], most, self._view)
        self._positions = self._count_positions(content)
        plain = settings.recipe == "tutorial"
        norms = losses.sizes if plain else losses.energies
        self._variation = losses.total_variation if plain else losses.mean_variation
        self._content = [self._content_of(content, tile) for tile in self._tiles]
        pixels = content.shape[1] * content.shape[2]
        self._style = self._mean_grams(styles, min(most, pixels))
        self._content_norms = _add(map(norms, self._content))
        self._style_norms = norms(self._style)
        self._tile_sums, self._tile_gradient = self._graphs()
        self._scale = self._loss_scale(content)

    @property
    def tiled(self) -> bool:
        """Whether there are several tiles: each is a graph then, and what joins them is eager."""
        return len(self._tiles) > 1

    def value(self, image: tf.Tensor) -> Losses:
        """The weighted losses of a picture.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], of the content's size.

        Returns:
            Float32 scalars.
        """
        if not self.tiled:
            return self._losses(self._measure(image, self._content[0]), image)
        return self._losses(self._sums(image), image)

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The weighted losses of a picture and the gradient of their total.

        Where the picture is tiled, it runs eagerly only.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], of the content's size.

        Returns:
            The losses, and the gradient, float32 [1, H, W, 3].
        """
        if self.tiled:
            return self._tiled_value_and_grad(image)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            value = self.value(image)
            scaled = value.total * self._scale
        return value, tape.gradient(scaled, image) / self._scale

    def _tiled_value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        sums = self._sums(image)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([sums, image])
            value = self._losses(sums, image)
        weights, variation = tape.gradient(value.total, [sums, image], unconnected_gradients="zero")
        gradient = tf.Variable(variation)
        del variation
        for tile, content in zip(self._tiles, self._content, strict=True):
            inside = tile.inside()
            part = self._tile_gradient(tile.see(image), content, weights, inside)
            seen = tile.see(gradient)
            seen.assign(seen + part)
        return value, gradient.value()

    def _sums(self, image: tf.Tensor) -> Sums:
        return _add(
            self._tile_sums(tile.see(image), content, tile.inside())
            for tile, content in zip(self._tiles, self._content, strict=True)
        )

    def _graphs(self):
        """`_measure` and `_pull_back` as graphs for tiles of any height and width."""
        seen, inside = tf.TensorSpec([1, None, None, 3]), tf.TensorSpec([4], tf.int32)
        content = {
            name: tf.TensorSpec([1, None, None, layer.shape[-1]])
            for name, layer in self._content[0].items()
        }
        grams = {name: tf.TensorSpec(gram.shape) for name, gram in self._style.items()}
        sums = Sums(grams, tf.TensorSpec([]))
        return (
            tf.function(self._measure, input_signature=[seen, content, inside]),
            tf.function(self._pull_back, input_signature=[seen, content, sums, inside]),
        )

    def _measure(self, seen: tf.Tensor, content: Layers, inside: tf.Tensor | None = None) -> Sums:
        """What a tile adds to the sums; a whole picture is one without `inside`."""
        return self._add_up(self._look(seen, inside), content)

    def _pull_back(self, seen: tf.Tensor, content: Layers, weights: Sums, inside: tf.Tensor):
        """The gradient with respect to what a tile sees, from that with respect to the sums."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(seen)
            reached = _dot(weights, self._measure(seen, content, inside)) * self._scale
        return tape.gradient(reached, seen) / self._scale

    def _look(self, seen: tf.Tensor, inside: tf.Tensor | None) -> dict[str, Layers]:
        """The features of a tile, without its surroundings'."""
        features = self._extractor(seen)
        if inside is None:
            return features
        return {
            kind: {name: self._crop(name, layer, inside) for name, layer in layers.items()}
            for kind, layers in features.items()
        }

    def _crop(self, name: str, layer: tf.Tensor, inside: tf.Tensor) -> tf.Tensor:
        top, bottom, left, right = tf.unstack(inside // self._view.strides[name])
        return layer[:, top:bottom, left:right]

    def _add_up(self, features: dict[str, Layers], content: Layers) -> Sums:
        return Sums(
            _grams(features["style"], self._positions),
            losses.distance(features["content"], content, self._content_norms),
        )

    def _losses(self, sums: Sums, image: tf.Tensor) -> Losses:
        knobs = self._settings
        style = knobs.style_weight * losses.distance(sums.grams, self._style, self._style_norms)
        content = knobs.content_weight * sums.content
        tv = tf.constant(0.0)
        if knobs.tv_weight:
            tv = knobs.tv_weight * self._variation(image)
        return Losses(total=style + content + tv, style=style, content=content, tv=tv)

    def _content_of(self, content: tf.Tensor, tile: Tile) -> Layers:
        layers = self._look(tile.see(content), tile.inside())["content"]
        return {name: tf.cast(layer, tf.float32) for name, layer in layers.items()}

    def _mean_grams(self, styles: Iterable[tuple[tf.Tensor, float]], most: float) -> Layers:
        """The paintings' Grams, weighted by their shares."""
        parts, whole = [], 0.0
        for painting, share in styles:
            whole += share
            gram = self._grams_of(painting, most)
            parts.append({name: share * each for name, each in gram.items()})
        return {name: gram / whole for name, gram in _add(parts).items()}

    def _grams_of(self, painting: tf.Tensor, most: float) -> Layers:
        positions = self._count_positions(painting)
        pieces = tiles.split(painting.shape[1:3], most, self._view)
        looks = (self._look(piece.see(painting), piece.inside()) for piece in pieces)
        return _add(_grams(look["style"], positions) for look in looks)

    def _count_positions(self, picture: tf.Tensor) -> dict[str, int]:
        """How many features a style layer has over a picture."""
        height, width = picture.shape[1:3]
        strides = {name: self._view.strides[name] for name in self._settings.style_layers}
        return {name: (height // each) * (width // each) for name, each in strides.items()}

    def _loss_scale(self, content: tf.Tensor) -> float:
        """The power of two that keeps the gradient within float16, where features are float16.

        Micikevicius et al. 2018, "Mixed Precision Training", section 3.2: the greatest gradient
        of a feature, near the photograph, is brought to about 1.
        """
        if all(output.dtype != "float16" for output in self._extractor.outputs):
            return 1.0

        def looks():
            # At half the features neither the content's nor the style's gradient vanishes.
            for tile, target in zip(self._tiles, self._content, strict=True):
                features = self._look(tile.see(content), tile.inside())
                half = tf.nest.map_structure(
                    lambda layer: 0.5 * tf.cast(layer, tf.float32), features
                )
                yield half, target

        sums = _add(self._add_up(*look) for look in looks())
        with tf.GradientTape() as tape:
            tape.watch(sums)
            total = self._losses(sums, content).total
        weights = tape.gradient(total, sums, unconnected_gradients="zero")
        greatest = 0.0
        for features, target in looks():
            with tf.GradientTape() as tape:
                tape.watch(features)
                reached = _dot(weights, self._add_up(features, target))
            gradients = tape.gradient(reached, tf.nest.flatten(features))
            greatest = max(greatest, *(float(tf.reduce_max(tf.abs(each))) for each in gradients))
        return 2.0 ** -math.floor(math.log2(greatest)) if greatest > 0 else 1.0


def _grams(layers: Layers, positions: dict[str, int]) -> dict[str, tf.Tensor]:
    """The Grams of layers, as part of a picture that has so many positions."""
    grams = {}
    for name, layer in layers.items():
        here = tf.cast(tf.reduce_prod(tf.shape(layer)[1:3]), tf.float32)
        grams[name] = losses.gram(layer) * (here / positions[name])
    return grams


def _add(parts: Iterable):
    """The sum of equal structures of tensors."""
    return functools.reduce(lambda a, b: tf.nest.map_structure(tf.add, a, b), parts)


def _dot(weights: Sums, sums: Sums) -> tf.Tensor:
    pairs = zip(tf.nest.flatten(weights), tf.nest.flatten(sums), strict=True)
    return tf.add_n([tf.reduce_sum(weight * part) for weight, part in pairs])
