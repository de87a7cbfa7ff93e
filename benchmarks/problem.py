"""What all contenders are given: the same two pictures, weights, objective and start."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from nst_tf import Settings, Style, optimize
from nst_tf.images import image_io
from nst_tf.losses.objective import Objective
from nst_tf.losses.style_targets import Painting
from nst_tf.networks import vgg
from nst_tf.run.pyramid import painting_size, scale_sizes

# The Gram objective, which all contenders minimize: the relative squared distance of the Gram
# matrices of five layers, and of the content's features, without total variation, which the
# others' loops do not have. The steps are this program's: so many at half the size, three fifths
# of them at the full one.
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
# How far two implementations of one objective may be apart, relative to its value.
AGREEMENT = 1e-3


@dataclass(frozen=True)
class Problem:
    """A photograph and a painting, whole and at the final size, and who judges the result.

    Attributes:
        photograph: float32 [H, W, 3] in [0, 1], as read.
        painting: float32 [H, W, 3] in [0, 1], as read.
        settings: `SETTINGS` at the final size.
        start: float32 [1, h, w, 3], the photograph at the final size.
        style: float32 [1, h, w, 3], the painting at the final size.
        network: the extractor in float32, its weights loaded.
    """

    photograph: np.ndarray
    painting: np.ndarray
    settings: Settings
    start: np.ndarray
    style: np.ndarray
    network: tf.keras.Model

    def objective(self) -> Objective:
        """The objective in float32 at the final size; computes its targets."""
        return Objective(self.network, self.start, [Painting(self.style)], self.settings)


def load(content: Path, style: Path, size: int) -> Problem:
    """Read a pair of pictures and the weights.

    Args:
        content: the photograph's file.
        style: the painting's file.
        size: the long side of the result, in pixels.

    Returns:
        The problem.
    """
    settings = replace(SETTINGS, size=size)
    photograph, painting = image_io.read(content).rgb, image_io.read(style).rgb
    height, width = scale_sizes(*photograph.shape[:2], settings)[-1]
    start = image_io.resize(photograph, height, width).numpy()[np.newaxis]
    return Problem(photograph, painting, settings, start, _fit(painting, size), network(settings))


def network(settings: Settings, **changes) -> tf.keras.Model:
    """The extractor of these settings in float32.

    Args:
        settings: layers, network, weights and pooling.
        **changes: other arguments of `features.extractor` than theirs.
    """
    arguments = {
        "style_layers": settings.style_layers,
        "content_layers": settings.content_layers,
        "network": settings.network,
        "weights": settings.vgg_weights,
        "pooling": settings.pooling,
        "precision": "float32",
    }
    return vgg.extractor(**(arguments | changes))


def judge(problem: Problem) -> Callable[[np.ndarray], float]:
    """Who says what a picture's loss is, for all contenders alike.

    Args:
        problem: the pair.

    Returns:
        A function from a picture [1, h, w, 3] to its loss in float32, clipped to [0, 1] first.
    """
    value = tf.function(problem.objective().value)
    return lambda picture: float(value(tf.clip_by_value(picture, 0.0, 1.0)).total)


def check(name: str, found: float, expected: float) -> None:
    """Make sure that a contender minimizes the same objective.

    Args:
        name: the contender.
        found: its loss of the start.
        expected: the judge's.

    Raises:
        RuntimeError: they are further apart than AGREEMENT.
    """
    if abs(found - expected) > AGREEMENT * expected:
        raise RuntimeError(
            f"{name}: its loss of the start is {found}; expected {expected} within {AGREEMENT:g} "
            "of it; the contenders do not minimize the same objective"
        )


def own_loss(problem: Problem) -> float:
    """The loss of the start as `nst_tf.optimize` itself computes it, in float32."""
    settings = replace(problem.settings, scales=1, steps=1, precision="float32")
    progress = next(optimize(problem.photograph, [Style(problem.painting)], settings))
    return float(progress.losses.total)


def _fit(painting: np.ndarray, size: int) -> np.ndarray:
    """The painting at the final size, as the program has it."""
    height, width = painting_size(*painting.shape[:2], size)
    return image_io.resize(painting, height, width).numpy()[np.newaxis]
