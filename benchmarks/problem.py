"""The problem that all contenders solve: images, weights, objective and start are the same."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from nst_tf import Settings, Style, optimize
from nst_tf.images import image_io
from nst_tf.images.pixels import resize
from nst_tf.losses.objective import Objective
from nst_tf.losses.style_targets import StyleImage
from nst_tf.losses.tiled_objective import build_objective
from nst_tf.networks import vgg
from nst_tf.run.pyramid import scale_sizes, style_image_size

# The Gram objective: the relative squared error of the Gram matrices of five layers and of the
# content features, without total variation, which the others' loops do not have. The steps are
# nst_tf's at half the size; three fifths as many follow at the final size.
SETTINGS = Settings(
    steps=126,
    scales=2,
    content_weight=0.03,
    tv_weight=0.0,
    content_layers=("block4_conv2",),
    style_loss="gram",
    style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
    style_layer_weights=(1.0,) * 5,
    pooling="max",
)
# Relative difference of two implementations of one objective.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Problem:
    """A content and a style image, and the network of the objective.

    Attributes:
        content: as read, float32 [H, W, 3] in [0, 1].
        style: as read, float32 [H, W, 3] in [0, 1].
        settings: `SETTINGS` with the final size.
        start: the content image at the final size, float32 [1, h, w, 3].
        scaled_style: the style image at the final size, float32 [1, h, w, 3].
        network: the extractor in float32.
    """

    content: np.ndarray
    style: np.ndarray
    settings: Settings
    start: np.ndarray
    scaled_style: np.ndarray
    network: tf.keras.Model

    def objective(self) -> Objective:
        """The objective in float32 at the final size; computes its targets."""
        style_images = [StyleImage(self.scaled_style)]
        return build_objective(self.network, self.start, style_images, self.settings)

    def loss_fn(self) -> Callable[[np.ndarray], float]:
        """The loss of an image [1, h, w, 3] in float32, clipped to [0, 1] first."""
        value = tf.function(self.objective().value)
        return lambda image: float(value(tf.clip_by_value(image, 0.0, 1.0)).total)


def load(content_path: Path, style_path: Path, size: int) -> Problem:
    """Read a pair of images and the weights; the long side of the result is `size` pixels."""
    settings = replace(SETTINGS, size=size)
    content, style = image_io.read(content_path).rgb, image_io.read(style_path).rgb
    start = _resized(content, *scale_sizes(*content.shape[:2], settings)[-1])
    scaled_style = _resized(style, *style_image_size(*style.shape[:2], size))
    network = vgg.extractor_from_settings(settings, "float32")
    return Problem(content, style, settings, start, scaled_style, network)


def check_loss(name: str, loss: float, expected: float) -> None:
    """Raise RuntimeError where a contender's loss of the start is not the problem's."""
    if abs(loss - expected) > TOLERANCE * expected:
        raise RuntimeError(
            f"{name}: its loss of the start is {loss}; expected {expected} within {TOLERANCE:g} "
            "of it; the contenders do not minimize the same objective"
        )


def start_loss(problem: Problem) -> float:
    """The loss of the start as `nst_tf.optimize` computes it, in float32."""
    settings = replace(problem.settings, scales=1, steps=1, precision="float32")
    progress = next(optimize(problem.content, [Style(problem.style)], settings))
    return float(progress.losses.total)


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return resize(image, height, width).numpy()[np.newaxis]
