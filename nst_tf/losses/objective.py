"""The objective: how far a picture is from the photograph's content and the painting's style."""

import copy
import functools
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses import style_targets, terms
from nst_tf.losses.style_targets import Manner, Painting
from nst_tf.losses.terms import Layers, Losses
from nst_tf.networks.vgg import Network
from nst_tf.settings import Settings

# For each manner, a guide as of `losses.gram` for each layer, or none.
Guides = tuple[Layers, ...]


class Sums(NamedTuple):
    """What the loss knows of a picture's features; that of a picture is the sum of its tiles'.

    Attributes:
        styles: for each manner, of each style layer, as of `StyleStatistic.compute`.
        content: the distance to the photograph, a float32 scalar.
    """

    styles: tuple[dict[str, tf.Tensor], ...]
    content: tf.Tensor


class Targets(NamedTuple):
    """What a picture is compared with, piece by piece where it is tiled.

    Attributes:
        content: for each piece, the photograph's features, float32.
        content_norms: of the whole photograph, as of `losses.distance`.
        styles: for each manner, by layer, as of `StyleStatistic.target`.
        shares: for each manner, how much it counts, float32 scalars.
        guides: for each piece, where each manner counts.
        scale: the factor of the loss that keeps gradients within float16.
    """

    content: tuple[Layers, ...]
    content_norms: Layers
    styles: tuple[dict[str, Any], ...]
    shares: tuple[tf.Tensor, ...]
    guides: tuple[Guides, ...]
    scale: tf.Tensor


class Weights(NamedTuple):
    """How much each term counts: numbers, or float32 scalars where a graph is told them later."""

    content: Any
    style: Any
    tv: Any


class Objective:
    """The weighted total loss of a picture and its gradient, for one photograph and one size.

    Gatys et al. 2016, equation 7. The targets are computed once, here.
    """

    # Whether a picture is seen in several tiles: each is a graph then, and what joins them eager.
    tiled = False

    def __init__(
        self,
        network: Network,
        content: tf.Tensor,
        styles: Iterable[Painting],
        settings: Settings,
        *,
        weights: Weights | None = None,
        most: float = math.inf,
    ):
        """Compute the targets.

        Args:
            network: the model of `features.extractor`.
            content: float32 [1, H, W, 3] in [0, 1].
            styles: the paintings, taken one after another.
            settings: recipe and weights.
            weights: in place of those of the settings.
            most: how many pixels of a painting to look at at a time; larger ones are tiled.
        """
        self._network = network
        self._weights = weights or Weights(
            settings.content_weight, settings.style_weight, settings.tv_weight
        )
        plain = settings.recipe == "tutorial"
        norms = terms.sizes if plain else terms.energies
        self._variation = terms.total_variation if plain else terms.mean_variation
        wasserstein = settings.style_loss == "wasserstein"
        self.statistic = terms.WASSERSTEIN if wasserstein else terms.gram_statistic(norms)
        self._layer_weights = dict(
            zip(settings.style_layers, settings.style_layer_weights, strict=True)
        )
        # One by one: the style features of all tiles together would not fit.
        pieces, short = [], False
        for features in self._looks(content):
            pieces.append(_float32(features["content"]))
            short = any(layer.dtype == tf.float16 for layer in tf.nest.flatten(features))
            sizes = {name: layer.shape[1:3] for name, layer in features["style"].items()}
            del features
        manners = style_targets.learn(network, styles, most, self.statistic)
        self._style_specs = tuple(
            {name: tf.TensorSpec(found.shape) for name, found in each.statistics.items()}
            for each in manners
        )
        self.targets = Targets(
            content=tuple(pieces),
            content_norms=add(map(norms, pieces)),
            styles=tuple(
                {name: self.statistic.target(found) for name, found in each.statistics.items()}
                for each in manners
            ),
            shares=tuple(tf.constant(each.weight) for each in manners),
            guides=tuple(self._guide(manners, sizes)),
            scale=tf.constant(1.0),
        )
        if short:
            self.targets = self.targets._replace(scale=self._loss_scale(content))

    def with_targets(self, targets: Targets) -> "Objective":
        """The objective of another picture, of the same network, recipe and weights.

        Args:
            targets: of that picture's objective.

        Returns:
            A copy.
        """
        other = copy.copy(self)
        other.targets = targets
        return other

    def value(self, image: tf.Tensor) -> Losses:
        """The weighted losses of a picture.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], of the content's size.

        Returns:
            Float32 scalars.
        """
        return self._losses(self._sums(image), image)

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The weighted losses of a picture and the gradient of their total.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], of the content's size.

        Returns:
            The losses, and the gradient, float32 [1, H, W, 3].
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            value = self.value(image)
            scaled = value.total * self.targets.scale
        return value, tape.gradient(scaled, image) / self.targets.scale

    def _looks(self, image: tf.Tensor) -> Iterator[dict[str, Layers]]:
        """The features of a picture, piece by piece; here it is one piece."""
        yield self._network(image)

    def _guide(self, manners: list[Manner], sizes: dict[str, Size]) -> list[Guides]:
        """Where each manner counts, piece by piece."""
        return [tuple(style_targets.guides(each.place, sizes) for each in manners)]

    def _sums(self, image: tf.Tensor) -> Sums:
        targets = self.targets
        return add(map(self._add_up, self._looks(image), targets.content, targets.guides))

    def _add_up(self, features: dict[str, Layers], content: Layers, guides: Guides) -> Sums:
        """What a piece adds to the sums."""
        learnt = functools.partial(self._statistics, features["style"])
        norms = self.targets.content_norms
        return Sums(
            tuple(map(learnt, self.targets.styles, guides)),
            terms.distance(features["content"], content, norms),
        )

    def _statistics(
        self, layers: Layers, asked: Iterable[str], guides: Layers
    ) -> dict[str, tf.Tensor]:
        return {name: self.statistic.compute(layers[name], guides.get(name)) for name in asked}

    def _losses(self, sums: Sums, image: tf.Tensor) -> Losses:
        weights, targets = self._weights, self.targets
        parts = map(self._style, sums.styles, targets.styles)
        style = weights.style * tf.add_n(list(map(tf.multiply, targets.shares, parts)))
        content = weights.content * sums.content
        tv = tf.constant(0.0)
        if tf.is_tensor(weights.tv) or weights.tv:
            tv = weights.tv * self._variation(image)
        return Losses(total=style + content + tv, style=style, content=content, tv=tv)

    def _style(self, found: Layers, wanted: dict[str, Any]) -> tf.Tensor:
        """The mean distance of layers, weighted by `settings.style_layer_weights`."""
        weights = [self._layer_weights[name] for name in wanted]
        distances = [self.statistic.distance(found[name], wanted[name]) for name in wanted]
        total = tf.add_n([w * d for w, d in zip(weights, distances, strict=True)])
        # Layers of a painting may all have the weight 0.
        return tf.math.divide_no_nan(total, sum(weights))

    def _loss_scale(self, content: tf.Tensor) -> tf.Tensor:
        """The power of two that keeps the gradient within float16, where features are float16.

        Micikevicius et al. 2018, "Mixed Precision Training", section 3.2: the greatest gradient
        of a feature, near the photograph, is brought to about 1.
        """

        def looks():
            # At half the features neither the content's nor the style's gradient vanishes.
            targets = self.targets
            pieces = zip(self._looks(content), targets.content, targets.guides, strict=True)
            for features, target, guides in pieces:
                yield {k: half(_float32(each)) for k, each in features.items()}, target, guides

        def half(layers: Layers) -> Layers:
            return {name: 0.5 * layer for name, layer in layers.items()}

        sums = add(self._add_up(*look) for look in looks())
        with tf.GradientTape() as tape:
            tape.watch(sums)
            total = self._losses(sums, content).total
        weights = tape.gradient(total, sums, unconnected_gradients="zero")
        greatest = tf.constant(0.0)
        for features, *rest in looks():
            with tf.GradientTape() as tape:
                tape.watch(features)
                reached = dot(weights, self._add_up(features, *rest))
            gradients = tape.gradient(reached, tf.nest.flatten(features))
            finite = (tf.where(tf.math.is_finite(x), tf.abs(x), 0.0) for x in gradients)
            greatest = tf.reduce_max([greatest, *map(tf.reduce_max, finite)])
        power = tf.floor(tf.math.log(greatest) / math.log(2.0))
        return tf.where(greatest > 0, 2.0**-power, 1.0)


def add(parts: Iterable):
    """The sum of equal structures of tensors.

    Args:
        parts: the structures, one at least.

    Returns:
        A structure like each of them.
    """
    return functools.reduce(lambda a, b: tf.nest.map_structure(tf.add, a, b), parts)


def dot(weights: Sums, sums: Sums) -> tf.Tensor:
    """The sum of the products of two structures' tensors.

    Args:
        weights: float32 tensors.
        sums: as many, of the same shapes.

    Returns:
        A float32 scalar.
    """
    pairs = zip(tf.nest.flatten(weights), tf.nest.flatten(sums), strict=True)
    return tf.add_n([tf.reduce_sum(weight * part) for weight, part in pairs])


def _float32(layers: Layers) -> dict[str, tf.Tensor]:
    return {name: tf.cast(layer, tf.float32) for name, layer in layers.items()}
