"""The style predictor: a MobileNet-v2 that embeds a style image in a vector.

Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
"""

import tensorflow as tf

from nst_tf.networks.quantized_conv import Conv, Weights

# MobileNet-v2: expansion, output channels, blocks, stride of the first block.
_MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class _InvertedResidual(tf.Module):
    """MobileNet-v2's block: expand, depthwise convolution, project; residual if `add`."""

    def __init__(self, weights: Weights, scope: str, *, stride: int, expand: bool, add: bool):
        super().__init__()
        relu6 = tf.nn.relu6
        expansion = Conv(weights, f"{scope}/expand", activation=relu6) if expand else None
        self.expand = expansion or tf.identity
        self.depthwise = Conv(
            weights,
            f"{scope}/depthwise",
            stride=stride,
            convolve=tf.nn.depthwise_conv2d,
            activation=relu6,
        )
        self.project = Conv(weights, f"{scope}/project")
        self._add = add

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self._add else y


class StylePredictor(tf.Module):
    """[B, h, w, 3] -> [B, 1, 1, 100]: MobileNet-v2 with global average pooling."""

    def __init__(self, weights: Weights):
        super().__init__()
        scope = "MobilenetV2"
        self.first = Conv(weights, f"{scope}/Conv", stride=2, activation=tf.nn.relu6)
        self.blocks: list[_InvertedResidual] = []
        channels = 32
        for expansion, out, count, first_stride in _MOBILENET_V2:
            for stride in (first_stride, *(1,) * (count - 1)):
                number = f"_{len(self.blocks)}" if self.blocks else ""
                add = stride == 1 and channels == out
                name = f"{scope}/expanded_conv{number}"
                self.blocks.append(
                    _InvertedResidual(weights, name, stride=stride, expand=expansion > 1, add=add)
                )
                channels = out
        self.last = Conv(weights, f"{scope}/Conv_1", activation=tf.nn.relu6)
        self.bottleneck = Conv(weights, "mobilenet_conv/Conv")

    def __call__(self, style: tf.Tensor) -> tf.Tensor:
        """Embed style images."""
        x = self.first(style)
        for block in self.blocks:
            x = block(x)
        return self.bottleneck(tf.reduce_mean(self.last(x), [1, 2], keepdims=True))
