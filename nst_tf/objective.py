"""The objective: how far a picture is from the photograph's content and the painting's style."""

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
        self._content = {
            name: tf.cast(features, tf.float32)
            for name, features in extractor(content)["content"].items()
        }
        whole = sum(share for _, share in styles)
        self._style = {name: tf.constant(0.0) for name in settings.style_layers}
        for painting, share in styles:
            for name, features in extractor(painting)["style"].items():
                self._style[name] += losses.gram(features) * (share / whole)

    def value(self, image: tf.Tensor) -> Losses:
        """The weighted losses of a picture.

        Args:
            image: float32 [1, H, W, 3] in [0, 1], of the content's size.

        Returns:
            Float32 scalars.
        """
        knobs = self._settings
        features = self._extractor(image)
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
        return value, tape.gradient(value.total, image)
