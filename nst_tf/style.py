"""Style: a style image with weight, masks and layers; the checks of all images of a run."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nst_tf.errors import InputError
from nst_tf.images.pixels import resize
from nst_tf.run.pyramid import MIN_STYLE_SIDE, style_image_size
from nst_tf.settings import Settings

_LOG = logging.getLogger(__name__)
# How far the ratio of a mask's sides may be from its image's.
TOLERANCE = 0.01
# A mask without anything lighter is all black, but for the noise of a scan.
_BLACK = 1 / 32
# Long side over short side of the style images that are taken as they are.
SCROLL_RATIO = 3
# Of a longer scroll so many squares, evenly spread, tell as much.
_MAX_SQUARES = 16
# Between the lightest and the darkest pixel of a style image.
_MIN_CONTRAST = 8 / 255
# From there on a style image has visibly less detail than the picture.
_MAX_ENLARGEMENT = 2


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
    alpha: np.ndarray | None,
    settings: Settings,
) -> None:
    """Refuse arguments of `coarse_to_fine.optimize` that are no images, styles and masks."""
    _check_image("content", content)
    if alpha is not None:
        check_mask("alpha", alpha, content)
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
        height, width = style.rgb.shape[:2]
        if min(height, width) < MIN_STYLE_SIDE:
            raise InputError(
                f"style: a painting of {width} x {height} px; expected sides of {MIN_STYLE_SIDE} "
                "px or more; give a larger picture of it"
            )
    check_weights("weight", [style.weight for style in styles], len(styles))


def visible_region(alpha: np.ndarray | None, region: np.ndarray | None) -> np.ndarray | None:
    """The part of a style image that counts: of its region, if it has one, what can be seen."""
    if alpha is None or alpha.min() == 1:
        return region
    if region is None:
        return alpha
    return alpha * resize(region[..., np.newaxis], *alpha.shape)[..., 0].numpy()


def squares(style: Style) -> list[Style]:
    """A scroll cut into squares that share its weight; others are one part.

    As a whole, its short side would have hardly any pixels.
    """
    height, width = style.rgb.shape[:2]
    short, long = sorted((height, width))
    if long <= SCROLL_RATIO * short:
        return [style]
    count = min(math.ceil(long / short), _MAX_SQUARES)
    axis = int(width > height)

    def cut(image: np.ndarray) -> list[np.ndarray]:
        side = image.shape[axis]
        length = math.ceil(side * short / long)
        starts = [round(index * (side - length) / (count - 1)) for index in range(count)]
        return [np.take(image, range(start, start + length), axis) for start in starts]

    parts = [replace(style, rgb=rgb) for rgb in cut(style.rgb)]
    if style.region is not None:
        regions = zip(parts, cut(style.region), strict=True)
        parts = [replace(each, region=part) for each, part in regions if part.max() >= _BLACK]
    return [replace(part, weight=style.weight / len(parts)) for part in parts]


def report_poor(styles: Sequence[Style], long_side: float) -> None:
    """Say which style images have little to teach: one color alone, or few pixels for a picture."""
    for number, style in enumerate(styles, 1):
        if np.ptp(style.rgb, axis=(0, 1)).max() < _MIN_CONTRAST:
            _LOG.info("painting %d has one color and no strokes; expect noise", number)
        height, width = squares(style)[0].rgb.shape[:2]
        factor = style_image_size(height, width, round(long_side))[0] / height
        if factor > _MAX_ENLARGEMENT:
            _LOG.info(
                "painting %d, %d x %d px, is enlarged %.1f times; its strokes will be soft; find a "
                "larger picture of it, or give a smaller --size or --style_scale",
                *(number, style.rgb.shape[1], style.rgb.shape[0], factor),
            )


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
