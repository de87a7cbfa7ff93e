"""Convolutions of a pretrained network, on weights as its file stores them: float32 or int8."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

# Arrays by name: `scope/weights`, perhaps `scope/bias`, and a `.scale` for each int8 array.
Weights = Mapping[str, np.ndarray]
Activation = Callable[[tf.Tensor], tf.Tensor]


def dequantize(weights: Weights) -> dict[str, np.ndarray]:
    """The weights in float32, without scales."""
    return {
        name: value * _broadcastable(weights[f"{name}.scale"], value)
        if f"{name}.scale" in weights
        else value
        for name, value in weights.items()
        if not name.endswith(".scale")
    }


def _broadcastable(scale: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Scales, one an output channel: the last axis of a kernel, the third of a depthwise one."""
    return scale if value.shape[-1] == scale.size else scale[:, np.newaxis]


class _StoredArray(tf.Module):
    """An array as it is stored; calling it returns float32."""

    def __init__(self, weights: Weights, name: str):
        super().__init__()
        value, scale = weights[name], weights.get(f"{name}.scale")
        self.value = tf.Variable(value, trainable=False)
        self.scale = None
        if scale is not None:
            self.scale = tf.Variable(_broadcastable(scale, value), trainable=False)

    def __call__(self) -> tf.Tensor:
        value = tf.cast(self.value, tf.float32)
        return value if self.scale is None else value * self.scale


class Conv(tf.Module):
    """A convolution with an optional bias, padded with zeros or by reflection."""

    def __init__(
        self,
        weights: Weights,
        scope: str,
        *,
        stride: int = 1,
        reflect: bool = False,
        convolve: Callable[..., tf.Tensor] = tf.nn.conv2d,
        activation: Activation = tf.identity,
    ):
        super().__init__()
        self.kernel = _StoredArray(weights, f"{scope}/weights")
        self.bias = _StoredArray(weights, f"{scope}/bias") if f"{scope}/bias" in weights else None
        self.activation = activation
        self._convolve = convolve
        self._strides = [1, stride, stride, 1]
        self._pad = weights[f"{scope}/weights"].shape[0] // 2 if reflect else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Convolve, float32 [B, H, W, C] -> [B, H / stride, W / stride, channels]."""
        padding = "SAME"
        if self._pad is not None:
            sides = [self._pad, self._pad]
            x, padding = tf.pad(x, [[0, 0], sides, sides, [0, 0]], "REFLECT"), "VALID"
        x = self._convolve(x, self.kernel(), self._strides, padding)
        return self.activation(x if self.bias is None else x + self.bias())


def blocked_conv2d(x: tf.Tensor, kernel: tf.Tensor, strides: list[int], padding: str) -> tf.Tensor:
    """`tf.nn.conv2d` with strides of 1, 2 x 2 output pixels at once; output sides must be even."""
    # Few output channels leave most of a processor's vector empty. Four times as many take less
    # time, although the kernel grows by one in height and width.
    if strides != [1, 1, 1, 1]:
        raise ValueError(f"strides={strides}: expected 1 everywhere")
    shifted = [
        tf.pad(kernel, [[down, 1 - down], [right, 1 - right], [0, 0], [0, 0]])
        for down in (0, 1)
        for right in (0, 1)
    ]
    blocks = tf.nn.conv2d(x, tf.concat(shifted, axis=3), 2, padding)
    return tf.nn.depth_to_space(blocks, 2)
