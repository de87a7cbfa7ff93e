"""Convolutions of a trained network whose weights are kept as they are in its file."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

Weights = Mapping[str, np.ndarray]
Activation = Callable[[tf.Tensor], tf.Tensor]


def floats(weights: Weights) -> dict[str, np.ndarray]:
    """Weights without scales.

    Args:
        weights: arrays by name, int8 ones with `.scale`.

    Returns:
        float32 arrays by name.
    """
    return {
        name: value * _along(weights[f"{name}.scale"], value)
        if f"{name}.scale" in weights
        else value
        for name, value in weights.items()
        if not name.endswith(".scale")
    }


def _along(scale: np.ndarray, value: np.ndarray) -> np.ndarray:
    """One scale an output channel; those of a depthwise kernel are its axis before the last."""
    return scale if value.shape[-1] == scale.size else scale[:, np.newaxis]


class _Stored(tf.Module):
    """An array as it is in the file; calling it makes float32 of it."""

    def __init__(self, weights: Weights, name: str):
        super().__init__()
        value, scale = weights[name], weights.get(f"{name}.scale")
        self.value = tf.Variable(value, trainable=False)
        self.scale = None
        if scale is not None:
            self.scale = tf.Variable(_along(scale, value), trainable=False)

    def __call__(self) -> tf.Tensor:
        value = tf.cast(self.value, tf.float32)
        return value if self.scale is None else value * self.scale


class Conv(tf.Module):
    """A convolution with the bias it may have; zeros around it, or the mirrored picture."""

    def __init__(
        self,
        weights: Weights,
        scope: str,
        *,
        stride: int = 1,
        mirror: bool = False,
        convolve: Callable[..., tf.Tensor] = tf.nn.conv2d,
        activation: Activation = tf.identity,
    ):
        """Take its weights.

        Args:
            weights: arrays by name: `scope/weights`, perhaps `scope/bias`, and for int8 arrays
                their `.scale`.
            scope: of the layer in the original graph.
            stride: of the convolution.
            mirror: whether the mirrored picture lies around it, and not zeros.
            convolve: what convolves, as `tf.nn.conv2d` does.
            activation: of its output.
        """
        super().__init__()
        self.kernel = _Stored(weights, f"{scope}/weights")
        self.bias = _Stored(weights, f"{scope}/bias") if f"{scope}/bias" in weights else None
        self.activation = activation
        self._convolve = convolve
        self._strides = [1, stride, stride, 1]
        self._mirrored = weights[f"{scope}/weights"].shape[0] // 2 if mirror else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Convolve, float32 [B, H, W, C] -> [B, H / stride, W / stride, channels]."""
        padding = "SAME"
        if self._mirrored is not None:
            sides = [self._mirrored, self._mirrored]
            x, padding = tf.pad(x, [[0, 0], sides, sides, [0, 0]], "REFLECT"), "VALID"
        x = self._convolve(x, self.kernel(), self._strides, padding)
        return self.activation(x if self.bias is None else x + self.bias())


def in_blocks(x: tf.Tensor, kernel: tf.Tensor, strides: list[int], padding: str) -> tf.Tensor:
    """`tf.nn.conv2d`, making 2 x 2 pixels at once.

    With few output channels most of a processor's vector stays empty. Four times as many take less
    time, though the kernel is one wider and higher.

    Args:
        x: float32 [B, H, W, C].
        kernel: float32 [h, w, C, channels].
        strides: four ones.
        padding: as of `tf.nn.conv2d`; both sides of the output must be even.

    Returns:
        float32 [B, H', W', channels].

    Raises:
        ValueError: other strides.
    """
    corners = [
        tf.pad(kernel, [[down, 1 - down], [right, 1 - right], [0, 0], [0, 0]])
        for down in (0, 1)
        for right in (0, 1)
    ]
    if strides != [1, 1, 1, 1]:
        raise ValueError(f"strides={strides}: expected 1 everywhere")
    blocks = tf.nn.conv2d(x, tf.concat(corners, axis=3), 2, padding)
    return tf.nn.depth_to_space(blocks, 2)
