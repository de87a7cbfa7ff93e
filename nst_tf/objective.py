"""The objective: how far a picture is from the photograph's content and the painting's style."""

import math
from collections.abc import Sequence

import tensorflow as tf

from nst_tf import losses
from nst_tf.losses import Losses
from nst_tf.settings import Settings


class Objective:
    """The weighted total loss of a picture and its gradient, for one photograph and one size.

    Gatys et al. 2016, equation 7. The targets are computed once, here.
    """

    def __init__(
        self,
        extractor: tf.keras.Model,
        content: tf.Tensor,
        styles: Sequence[tuple[tf.Tensor, float]],
        settings: Settings,
    ):
        """Compute the targets.

        Args:
            extractor: the model of `features.extractor`.
            content: float32 [1, H, W, 3] in [0, 1].
            styles: pairs of a painting, float32 [1, h, w, 3] in [0, 1], and its share; the
                target Gram is the paintings' mean, weighted by their shares.
            settings: recipe and weights.
        """
        self._extractor = extractor
        self._settings = settings
        seen = extractor(content)
        self._content = {
            name: tf.cast(features, tf.float32) for name, features in seen["content"].items()
        }
        whole = sum(share for _, share in styles)
        self._style = {name: tf.constant(0.0) for name in settings.style_layers}
        for painting, share in styles:
            for name, features in extractor(painting)["style"].items():
                self._style[name] += losses.gram(features) * (share / whole)
        self._scale = self._loss_scale(seen, content)

    def value(self, image: tf.Tensor) -> Losses:
        """The weighted losses of a picture.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], of the content's size.

        Returns:
            Float32 scalars.
        """
        return self._losses(self._extractor(image), image)

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
            scaled = value.total * self._scale
        return value, tape.gradient(scaled, image) / self._scale

    def _losses(self, features, image: tf.Tensor) -> Losses:
        knobs = self._settings
        grams = {name: losses.gram(layer) for name, layer in features["style"].items()}
        if knobs.recipe == "tutorial":
            distance, variation = losses.mean_squares, losses.total_variation
        else:
            distance, variation = losses.relative_squares, losses.mean_variation
        style = knobs.style_weight * distance(grams, self._style)
        content = knobs.content_weight * distance(features["content"], self._content)
        tv = tf.constant(0.0)
        if knobs.tv_weight:
            tv = knobs.tv_weight * variation(image)
        return Losses(total=style + content + tv, style=style, content=content, tv=tv)

    def _loss_scale(self, features, content: tf.Tensor) -> float:
        """The power of two that keeps the gradient within float16, where features are float16.

        Micikevicius et al. 2018, "Mixed Precision Training", section 3.2: the greatest gradient
        of a feature, near the photograph, is brought to about 1.
        """
        if all(layer.dtype != tf.float16 for layer in tf.nest.flatten(features)):
            return 1.0
        # At half the features neither the content's nor the style's gradient vanishes.
        features = tf.nest.map_structure(lambda layer: 0.5 * tf.cast(layer, tf.float32), features)
        with tf.GradientTape() as tape:
            tape.watch(features)
            total = self._losses(features, content).total
        gradients = tape.gradient(total, tf.nest.flatten(features), unconnected_gradients="zero")
        greatest = max(float(tf.reduce_max(tf.abs(gradient))) for gradient in gradients)
        return 2.0 ** -math.floor(math.log2(greatest)) if greatest > 0 else 1.0
