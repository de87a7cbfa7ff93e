"""Arbitrary style transfer in one pass: Magenta's MobileNet-v2 predictor and transformer network.

Ghiasi et al. 2017, "Exploring the structure of a real-time, arbitrary neural artistic stylization
network", in the mobile form that Magenta published: the style predictor is distilled into a
MobileNet-v2, and the transformer is a quarter as wide as the paper's.

    style image   -> predictor   -> bottleneck, the style's embedding of 100 numbers
    bottleneck    -> StyleNorm   -> shift and scale of 13 instance normalizations
    content image -> transformer -> stylized image

Layers carry the scope names of the original graph. Batch normalization is folded into the kernels.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from nst_tf.networks.quantized_conv import Activation, Conv, Weights, blocked_conv2d
from nst_tf.networks.scroll import mean_of_pieces, split_scroll
from nst_tf.networks.style_predictor import StylePredictor
from nst_tf.networks.weights import bundled_path

BOTTLENECK = 100
# The predictor was trained on images of this size.
STYLE_SIZE = 256
# Long side over short side of the style images that it takes as they are.
_MAX_RATIO = 2
_EPSILON = 1e-5
# Pixels added around the content image and cut off again: the transformer distorts its border.
MARGIN = 16

_WEIGHTS = "arbitrary_stylization_int8.npz"
# The source of the weights, for manifests.
ORIGIN = {
    "file": _WEIGHTS,
    "sha256": "5a325b3e2484e981cf3b4093d39c68a6c532f42d06e0d6a1ebfa65197861c7ed",
    "licence": "Apache-2.0, the Magenta authors",
}

# Mean and variance over all positions of a layer, each [B, 1, 1, C].
Moments: TypeAlias = tuple[tf.Tensor, tf.Tensor]
# From a layer's own moments to those that it is normalized with; called layer by layer.
ChooseMoments: TypeAlias = Callable[[Moments], Moments]
_IMAGES = tf.TensorSpec([None, None, None, 3], tf.float32)
_BOTTLENECKS = tf.TensorSpec([None, 1, 1, BOTTLENECK], tf.float32)


def own_moments(own: Moments) -> Moments:
    """Plain instance normalization."""
    return own


class StylizationNetwork(tf.Module):
    """The network, with the interface of TF-Hub's arbitrary-image-stylization-v1-256/2."""

    def __init__(self, weights: Weights):
        super().__init__(name="arbitrary")
        self.predictor = StylePredictor(weights)
        self.transformer = Transformer(weights)

    @tf.function(input_signature=[_IMAGES], autograph=False)
    def bottleneck(self, style_image: tf.Tensor) -> tf.Tensor:
        """Embed style images [B, h, w, 3] as float32 [B, 1, 1, 100]; means are styles, too."""
        embedded = self.predictor(style_pieces(style_image))
        mean = mean_of_pieces(embedded, tf.shape(style_image)[0])
        return tf.ensure_shape(mean, [None, 1, 1, BOTTLENECK])

    @tf.function(input_signature=[_IMAGES, _BOTTLENECKS], autograph=False)
    def transform(self, content_image: tf.Tensor, bottleneck: tf.Tensor) -> tf.Tensor:
        """Stylize images float32 [B, H, W, 3]; one of the two batches may be 1."""
        return self.apply_style(content_image, bottleneck)

    @tf.function(input_signature=[_IMAGES, _IMAGES], autograph=False)
    def __call__(self, content_image: tf.Tensor, style_image: tf.Tensor) -> list[tf.Tensor]:
        """Stylize content images with style images.

        Args:
            content_image: float32 sRGB [B, H, W, 3] in [0, 1].
            style_image: float32 sRGB [B, h, w, 3] in [0, 1]; one of the two batches may be 1.

        Returns:
            A list of one: float32 sRGB [B, H, W, 3] in (0, 1).
        """
        return [self.transform(content_image, self.bottleneck(style_image))]

    def apply_style(
        self, content: tf.Tensor, bottleneck: tf.Tensor, choose: ChooseMoments = own_moments
    ) -> tf.Tensor:
        """`transform` as part of another graph, which may have fixed sizes."""
        height, width = tf.shape(content)[1], tf.shape(content)[2]
        stylized = self.transformer(edge_pad(content, MARGIN), bottleneck, choose)
        return stylized[:, MARGIN : MARGIN + height, MARGIN : MARGIN + width]


def read_weights() -> dict[str, np.ndarray]:
    """The bundled weights, by scope name: int8 with scales, and float32."""
    with np.load(bundled_path(_WEIGHTS)) as file:
        return dict(file)


def style_pieces(styles: tf.Tensor) -> tf.Tensor:
    """Images [B, h, w, 3] as the predictor takes them, scrolls in squares: [n * B, ...]."""
    return resize_style(split_scroll(styles, _MAX_RATIO))


def resize_style(style: tf.Tensor) -> tf.Tensor:
    """Resize [B, h, w, 3] to a short side of 256 pixels; a long side over 512 is squeezed to it."""
    size = tf.cast(tf.shape(style)[1:3], tf.float32)
    size = tf.round(size * (STYLE_SIZE / tf.reduce_min(size)))
    size = tf.cast(tf.minimum(size, 2.0 * STYLE_SIZE), tf.int32)
    return tf.image.resize(style, size, "bilinear", antialias=True)


def edge_pad(image: tf.Tensor, margin: int) -> tf.Tensor:
    """Repeat the edge pixels of [B, H, W, C] by `margin`, then to the bottom and right to 4n."""
    for axis in (1, 2):
        size = tf.shape(image)[axis]
        index = tf.range(-margin, size + -size % 4 + margin)
        image = tf.gather(image, tf.clip_by_value(index, 0, size - 1), axis=axis)
    return image


class StyledConv(tf.Module):
    """Upsample, convolve, and normalize instances with the style's shift and scale."""

    def __init__(
        self,
        weights: Weights,
        scope: str,
        *,
        factor: int = 1,
        convolve: Callable[..., tf.Tensor] = tf.nn.conv2d,
        activation: Activation = tf.identity,
    ):
        super().__init__()
        self.conv = Conv(weights, scope, reflect=True, convolve=convolve)
        self.shift = Conv(weights, f"style_params/{scope}/StyleNorm/Conv")
        self.scale = Conv(weights, f"style_params/{scope}/StyleNorm/Conv_1")
        self.activation = activation
        self._factor = factor

    def __call__(self, x: tf.Tensor, bottleneck: tf.Tensor, choose: ChooseMoments) -> tf.Tensor:
        """All of the layer, of a whole image."""
        x = self.convolve(x)
        return self.normalize(x, bottleneck, choose(tf.nn.moments(x, [1, 2], keepdims=True)))

    def convolve(self, x: tf.Tensor) -> tf.Tensor:
        """The part that sees few positions at a time."""
        if self._factor > 1:
            x = tf.image.resize(x, self._factor * tf.shape(x)[1:3], "nearest")
        return self.conv(x)

    def normalize(self, x: tf.Tensor, bottleneck: tf.Tensor, moments: Moments) -> tf.Tensor:
        """The part that needs moments of all that `convolve` gives."""
        mean, variance = moments
        shift, scale = self.shift(bottleneck), self.scale(bottleneck)
        return self.activation(tf.nn.batch_normalization(x, mean, variance, shift, scale, _EPSILON))


class Transformer(tf.Module):
    """[B, H, W, 3] with sides divisible by 4, and a bottleneck -> [B, H, W, 3] in (0, 1)."""

    def __init__(self, weights: Weights):
        super().__init__()
        relu, scope = tf.nn.relu, "transformer"
        self.contract = [
            Conv(weights, f"{scope}/contract/conv{i}", stride=s, reflect=True, activation=relu)
            for i, s in ((1, 1), (2, 2), (3, 2))
        ]
        self.residual = [
            (
                StyledConv(weights, f"{scope}/residual/residual{i}/conv1", activation=relu),
                StyledConv(weights, f"{scope}/residual/residual{i}/conv2"),
            )
            for i in range(1, 6)
        ]
        self.expand = [
            StyledConv(weights, f"{scope}/expand/conv1/conv", factor=2, activation=relu),
            StyledConv(weights, f"{scope}/expand/conv2/conv", factor=2, activation=relu),
            StyledConv(
                weights,
                f"{scope}/expand/conv3/conv",
                convolve=blocked_conv2d,
                activation=tf.nn.sigmoid,
            ),
        ]

    def __call__(
        self, content: tf.Tensor, bottleneck: tf.Tensor, choose: ChooseMoments = own_moments
    ) -> tf.Tensor:
        """Stylize whole images; `choose` is called for each normalization, in their order."""
        x = content
        for conv in self.contract:
            x = conv(x)
        for first, second in self.residual:
            x = x + second(first(x, bottleneck, choose), bottleneck, choose)
        for conv in self.expand:
            x = conv(x, bottleneck, choose)
        return x
