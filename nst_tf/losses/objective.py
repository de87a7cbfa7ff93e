"""The objective: the weighted sum of content loss, style loss and total variation."""

import copy
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.losses import terms
from nst_tf.losses.gram import gram_statistic
from nst_tf.losses.guides import from_mask
from nst_tf.losses.style_targets import StyleTarget
from nst_tf.losses.terms import Layers, Losses, StyleStatistic, StyleTargetValue
from nst_tf.losses.total_variation import mean_total_variation, total_variation
from nst_tf.losses.wasserstein import WASSERSTEIN
from nst_tf.networks.vgg import Network
from nst_tf.settings import Settings

# For each style target, a guide for each layer, or none.
Guides = tuple[Layers, ...]


class FeatureStatistics(NamedTuple):
    """All that the loss takes from an image's features; those of its tiles add up to it.

    Attributes:
        styles: for each style target, its statistics by layer.
        content: the content loss, a float32 scalar.
    """

    styles: tuple[dict[str, tf.Tensor], ...]
    content: tf.Tensor


class Targets(NamedTuple):
    """The tensors that an image is compared with.

    Attributes:
        content: for each tile, the content image's features, float32.
        content_norms: of the whole content image, for `terms.content_loss`.
        styles: for each style target, by layer, from `StyleStatistic.prepare`.
        weights: of the style targets, float32 scalars.
        guides: for each tile, the guides of the style targets.
        loss_scale: the factor that keeps gradients within float16.
    """

    content: tuple[Layers, ...]
    content_norms: Layers
    styles: tuple[dict[str, StyleTargetValue], ...]
    weights: tuple[tf.Tensor, ...]
    guides: tuple[Guides, ...]
    loss_scale: tf.Tensor


class Weights(NamedTuple):
    """Weights of the terms: numbers, or float32 scalars that a graph takes as inputs."""

    content: float | tf.Tensor
    style: float | tf.Tensor
    tv: float | tf.Tensor


def style_statistic(settings: Settings) -> StyleStatistic:
    """The statistic that `settings.style_loss` names."""
    if settings.style_loss == "wasserstein":
        return WASSERSTEIN
    if settings.style_loss == "gram":
        return gram_statistic(error_norms(settings))
    raise ValueError(f"style_loss={settings.style_loss}: a choice without a statistic")


def error_norms(settings: Settings) -> Callable[[Layers], dict[str, tf.Tensor]]:
    """The norms of squared errors that `settings.loss_normalization` names."""
    tutorial = settings.loss_normalization == "tutorial"
    return terms.mse_norms if tutorial else terms.target_energies


class Objective:
    """The weighted total loss of an image and its gradient, for one content image and one size.

    Gatys et al. 2016, equation 7. All targets are computed once, here.
    """

    # A tiled objective runs eagerly, and only its tiles are graphs.
    tiled = False

    def __init__(
        self,
        network: Network,
        content: tf.Tensor,
        targets: list[StyleTarget],
        settings: Settings,
        statistic: StyleStatistic,
        *,
        weights: Weights | None = None,
    ):
        """Compute the targets.

        `targets` are of `compute_style_targets` with the same statistic; `weights` replace those of
        the settings.
        """
        self._network = network
        self._weights = weights or Weights(
            settings.content_weight, settings.style_weight, settings.tv_weight
        )
        tutorial = settings.loss_normalization == "tutorial"
        self._total_variation = total_variation if tutorial else mean_total_variation
        self.statistic = statistic
        self._layer_weights = settings.layer_weights
        # Tile by tile: the style features of all tiles together would not fit.
        content_features, is_float16 = [], False
        for features in self._features_of_tiles(content):
            content_features.append(_float32(features["content"]))
            is_float16 = any(each.dtype == tf.float16 for each in tf.nest.flatten(features))
            sizes = {name: layer.shape[1:3] for name, layer in features["style"].items()}
            del features
        self.targets = Targets(
            content=tuple(content_features),
            content_norms=add(map(error_norms(settings), content_features)),
            styles=tuple(
                {name: self.statistic.prepare(value) for name, value in target.statistics.items()}
                for target in targets
            ),
            weights=tuple(tf.constant(target.weight) for target in targets),
            guides=tuple(self._guides_of_tiles(targets, sizes)),
            loss_scale=tf.constant(1.0),
        )
        if is_float16:
            self.targets = self.targets._replace(loss_scale=self._loss_scale(content))

    def with_targets(self, targets: Targets) -> "Objective":
        """A copy with the targets of other images, for the same network, recipe and weights."""
        other = copy.copy(self)
        other.targets = targets
        return other

    def protect_content(self, part: tf.Tensor) -> None:
        """Make up for a part of the image that is protected: its content loss is 0."""
        norms = {name: norm * (1 - part) for name, norm in self.targets.content_norms.items()}
        self.targets = self.targets._replace(content_norms=norms)

    def value(self, image: tf.Tensor) -> Losses:
        """The weighted losses of an image float32 [1, H, W, 3] in [0, 1], of the content's size."""
        return self._losses(self._image_statistics(image), image)

    def value_and_grad(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The weighted losses of an image, and their total's gradient, float32 [1, H, W, 3]."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            value = self.value(image)
            scaled = value.total * self.targets.loss_scale
        return value, tape.gradient(scaled, image) / self.targets.loss_scale

    def _features_of_tiles(self, image: tf.Tensor) -> Iterator[dict[str, Layers]]:
        """The features of an image tile by tile; here the whole image is one tile."""
        yield self._network(image)

    def _guides_of_tiles(self, targets: list[StyleTarget], sizes: dict[str, Size]) -> list[Guides]:
        return [tuple(from_mask(target.mask, sizes) for target in targets)]

    def _image_statistics(self, image: tf.Tensor) -> FeatureStatistics:
        features, targets = self._features_of_tiles(image), self.targets
        return add(map(self._statistics, features, targets.content, targets.guides))

    def _statistics(
        self, features: dict[str, Layers], content: Layers, guides: Guides
    ) -> FeatureStatistics:
        """A tile's part of the image's statistics."""
        style = functools.partial(self._style_statistics, features["style"])
        norms = self.targets.content_norms
        return FeatureStatistics(
            tuple(map(style, self.targets.styles, guides)),
            terms.content_loss(features["content"], content, norms),
        )

    def _style_statistics(
        self, layers: Layers, names: Iterable[str], guides: Layers
    ) -> dict[str, tf.Tensor]:
        return {name: self.statistic.compute(layers[name], guides.get(name)) for name in names}

    def _losses(self, statistics: FeatureStatistics, image: tf.Tensor) -> Losses:
        weights, targets = self._weights, self.targets
        styles = [
            terms.style_loss(values, target, self.statistic, self._layer_weights)
            for values, target in zip(statistics.styles, targets.styles, strict=True)
        ]
        style = weights.style * tf.add_n(list(map(tf.multiply, targets.weights, styles)))
        content = weights.content * statistics.content
        tv = tf.constant(0.0)
        if tf.is_tensor(weights.tv) or weights.tv:
            tv = weights.tv * self._total_variation(image)
        return Losses(total=style + content + tv, style=style, content=content, tv=tv)

    def _loss_scale(self, content: tf.Tensor) -> tf.Tensor:
        """The power of two that keeps the gradient within float16, where features are float16.

        Micikevicius et al. 2018, "Mixed Precision Training", section 3.2: the greatest gradient
        of a feature, near the content image, is brought to about 1.
        """

        def tiles() -> Iterator[tuple]:
            # At half the features neither the content's nor the style's gradient vanishes.
            features, targets = self._features_of_tiles(content), self.targets
            for layers, *rest in zip(features, targets.content, targets.guides, strict=True):
                halves = {k: _halved(_float32(each)) for k, each in layers.items()}
                yield halves, *rest

        statistics = add(self._statistics(*tile) for tile in tiles())
        with tf.GradientTape() as tape:
            tape.watch(statistics)
            total = self._losses(statistics, content).total
        upstream = tape.gradient(total, statistics, unconnected_gradients="zero")
        greatest = tf.constant(0.0)
        for features, *rest in tiles():
            with tf.GradientTape() as tape:
                tape.watch(features)
                product = dot(upstream, self._statistics(features, *rest))
            gradients = tape.gradient(product, tf.nest.flatten(features))
            finite = (tf.where(tf.math.is_finite(x), tf.abs(x), 0.0) for x in gradients)
            greatest = tf.reduce_max([greatest, *map(tf.reduce_max, finite)])
        power = tf.floor(tf.math.log(greatest) / math.log(2.0))
        return tf.where(greatest > 0, 2.0**-power, 1.0)


def add(parts: Iterable):
    """The sum of equal structures of tensors, one at least."""
    return functools.reduce(lambda a, b: tf.nest.map_structure(tf.add, a, b), parts)


def dot(a: FeatureStatistics, b: FeatureStatistics) -> tf.Tensor:
    """The inner product of two equal structures of tensors, a float32 scalar."""
    pairs = zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True)
    return tf.add_n([tf.reduce_sum(x * y) for x, y in pairs])


def _float32(layers: Layers) -> dict[str, tf.Tensor]:
    return {name: tf.cast(layer, tf.float32) for name, layer in layers.items()}


def _halved(layers: Layers) -> Layers:
    return {name: 0.5 * layer for name, layer in layers.items()}
