"""Masks from what the brush has painted on the photograph."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nst_tf.errors import InputError

# The brush that keeps the photograph, and those of the paintings; far apart, as a painted pixel
# belongs to the nearest.
KEEP_COLOR = "#2ecc40"
PAINTING_COLORS = ("#ff4136", "#0074d9", "#ffdc00", "#b10dc9")
COLORS = (KEEP_COLOR, *PAINTING_COLORS)


class Masks(NamedTuple):
    """Masks float32 [h, w] in [0, 1], None where nothing is drawn."""

    keep: np.ndarray | None
    paintings: list[np.ndarray | None]


def from_layers(layers: Sequence[np.ndarray], num_paintings: int) -> Masks:
    """The masks that layers of a drawing make.

    Args:
        layers: uint8 [h, w, 4] RGBA each, all of one size; later ones lie above.
        num_paintings: how many masks of paintings there are.

    Raises:
        InputError: something is drawn for a painting that is not there.
    """
    masks: list[np.ndarray | None] = [None] * len(COLORS)
    for layer in layers:
        drawn = _split(layer)
        covered = layer[..., 3] / np.float32(255)
        for index, color in enumerate(drawn):
            below = masks[index]
            masks[index] = color if below is None else color + below * (1 - covered)
    masks = [mask if mask is not None and mask.any() else None for mask in masks]
    for number, mask in enumerate(masks[1:], 1):
        if mask is not None and number > num_paintings:
            raise InputError(
                f"painting {number}: is drawn on the photograph, but there are {num_paintings} "
                "paintings; add it, or erase its color"
            )
    return Masks(masks[0], masks[1 : 1 + num_paintings])


def _split(layer: np.ndarray) -> list[np.ndarray]:
    """The opacity of each color of a layer, float32 [h, w]."""
    # One color after the other, as all distances at once would take 60 bytes a pixel.
    nearest, least = np.zeros(layer.shape[:2], np.uint8), np.full(layer.shape[:2], np.inf)
    for index, color in enumerate(COLORS):
        distance = np.square(layer[..., :3].astype(np.int32) - _rgb(color)).sum(axis=-1)
        nearest[distance < least] = index
        least = np.minimum(least, distance)
    alpha = layer[..., 3] / np.float32(255)
    return [np.where(nearest == index, alpha, np.float32(0)) for index in range(len(COLORS))]


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color.removeprefix("#")))
