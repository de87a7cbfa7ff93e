"""Style: a style image with weight, masks and layers; the checks of all images of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nst_tf.errors import InputError
from nst_tf.run.pyramid import MIN_SIDE, style_image_size
from nst_tf.settings import Settings

# How far the ratio of a mask's sides may be from its image's.
TOLERANCE = 0.01
# A mask without anything lighter is all black, but for the noise of a scan.
_BLACK = 1 / 32


@dataclass(frozen=True)
class Style:
    """A style image.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1].
        weight: beside the other style images, from 0.
        mask: where in the content image it applies, float32 [h, w] in [0, 1] of the content
            image's shape, in any size; None for everywhere.
        region: the part of the style image that counts, float32 [h, w] in [0, 1] of its shape, in
            any size; None for all of it.
        layers: those of the settings' style layers that it applies to; None for all.
    """

    rgb: np.ndarray
    weight: float = 1.0
    mask: np.ndarray | None = None
    region: np.ndarray | None = None
    layers: Sequence[str] | None = None


def check(
    content: np.ndarray,
    styles: Sequence[Style],
    start: np.ndarray | None,
    keep_mask: np.ndarray | None,
    settings: Settings,
) -> None:
    """Refuse arguments of `coarse_to_fine.optimize` that are no images, styles and masks."""
    _check_image("content", content)
    if keep_mask is not None:
        check_mask("keep_mask", keep_mask, content)
    if start is not None:
        _check_image("start", start)
    listed = isinstance(styles, (list, tuple)) and len(styles) > 0
    if not listed or not all(isinstance(style, Style) for style in styles):
        raise InputError("styles: expected a list of at least one Style(picture)")
    for style in styles:
        _check_image("style", style.rgb)
        if style.mask is not None:
            check_mask("mask", style.mask, content)
        if style.region is not None:
            check_mask("region", style.region, style.rgb)
        layers = settings.style_layers if style.layers is None else style.layers
        if not layers or not {*layers} <= {*settings.style_layers}:
            raise InputError(
                f"layers={','.join(layers)}: expected some of the settings' style_layers, "
                f"{','.join(settings.style_layers)}"
            )
        style_image_size(style.rgb.shape[0], style.rgb.shape[1], long_side=MIN_SIDE)
    check_weights("weight", [style.weight for style in styles], len(styles))


def check_weights(name: str, weights: Sequence[float], count: int) -> None:
    """Refuse weights that are not `count` numbers from 0, at least one above."""
    fit = len(weights) == count and all(0 <= weight < np.inf for weight in weights)
    if not fit or not sum(weights) > 0:
        given = ",".join(f"{weight:g}" for weight in weights)
        raise InputError(
            f"{name}={given}: expected a number from 0 for each painting, {count} in all, not all 0"
        )


def _check_image(name: str, rgb: np.ndarray) -> None:
    expected = f"{name}: expected a float array [height, width, 3] in [0, 1], got"
    if not isinstance(rgb, np.ndarray):
        raise InputError(f"{expected} a {type(rgb).__name__}; of a Picture give its rgb")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise InputError(f"{expected} the shape {rgb.shape}")
    if rgb.dtype.kind != "f":
        raise InputError(f"{expected} {rgb.dtype}; divide by 255 if it is a picture in 8 bits")
    lowest, highest = rgb.min(), rgb.max()
    if not (0 <= lowest and highest <= 1):
        raise InputError(f"{expected} values from {lowest} to {highest}")


def check_mask(name: str, mask: Any, image: np.ndarray) -> None:
    """Refuse what is no mask, float [h, w] in [0, 1], of the shape of an image [H, W, 3]."""
    expected = f"{name}: expected a float array [height, width] in [0, 1], got"
    fits = isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.size > 0
    if not fits or mask.dtype.kind != "f":
        found = f"{getattr(mask, 'dtype', type(mask).__name__)} {getattr(mask, 'shape', '')}"
        raise InputError(f"{expected} {found.strip()}")
    if not (0 <= mask.min() and mask.max() <= 1):
        raise InputError(f"{expected} values from {mask.min()} to {mask.max()}")
    if mask.max() < _BLACK:
        raise InputError(f"{name}: is all black; make it white where it applies")
    (height, width), (mask_height, mask_width) = image.shape[:2], mask.shape
    if abs(mask_width * height / (mask_height * width) - 1) > TOLERANCE:
        raise InputError(
            f"{name}: a mask of {mask_width} x {mask_height} px for a picture of {width} x "
            f"{height} px; expected the same shape to {TOLERANCE:.0%}; crop it"
        )
