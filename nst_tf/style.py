"""The paintings, and what can be painted at all: pictures and masks, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nst_tf.errors import InputError
from nst_tf.run.pyramid import SHORTEST, painting_size
from nst_tf.settings import Settings

# How far the ratio of a mask's sides may be from its picture's.
TOLERANCE = 0.01
# A mask without anything lighter is all black, but for the noise of a scan.
_BLACK = 1 / 32


@dataclass(frozen=True)
class Style:
    """A painting to learn from.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1].
        share: how much it counts beside the other paintings.
        mask: where in the photograph it counts, float32 [h, w] in [0, 1] of the photograph's
            shape, in any size; None for everywhere.
        region: the part of the painting to learn from, likewise of the painting's shape.
        layers: those of the settings' style layers that it is learnt from; None for all.
    """

    rgb: np.ndarray
    share: float = 1.0
    mask: np.ndarray | None = None
    region: np.ndarray | None = None
    layers: Sequence[str] | None = None


def check(
    content: np.ndarray, styles: Sequence[Style], start: Any, keep: Any, settings: Settings
) -> None:
    """Refuse what is no picture, no painting and no mask.

    Args:
        content: as of `transfer.optimize`.
        styles: likewise.
        start: likewise.
        keep: likewise.
        settings: likewise.

    Raises:
        InputError: one of them is something else.
    """
    _check_picture("content", content)
    if keep is not None:
        check_mask("keep", keep, content)
    if start is not None:
        _check_picture("start", start)
    listed = isinstance(styles, (list, tuple)) and len(styles) > 0
    if not listed or not all(isinstance(style, Style) for style in styles):
        raise InputError("styles: expected a list of at least one Style(picture)")
    for style in styles:
        _check_picture("style", style.rgb)
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
        painting_size(style.rgb.shape[0], style.rgb.shape[1], long_side=SHORTEST)
    shares = [style.share for style in styles]
    if not (all(0 <= share < np.inf for share in shares) and sum(shares) > 0):
        raise InputError(f"share: expected numbers from 0, not all 0, got {shares}")


def _check_picture(name: str, rgb: np.ndarray) -> None:
    expected = f"{name}: expected a float array [height, width, 3] in [0, 1], got"
    if not isinstance(rgb, np.ndarray):
        raise InputError(f"{expected} a {type(rgb).__name__}; of a Picture give its rgb")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise InputError(f"{expected} the shape {rgb.shape}")
    if rgb.dtype.kind != "f":
        raise InputError(f"{expected} {rgb.dtype}; divide by 255 if it is a picture in 8 bits")
    least, most = rgb.min(), rgb.max()
    if not (0 <= least and most <= 1):
        raise InputError(f"{expected} values from {least} to {most}")


def check_mask(name: str, mask: Any, picture: np.ndarray) -> None:
    """Refuse what is no mask of a picture.

    Args:
        name: of the mask.
        mask: float32 [h, w] in [0, 1].
        picture: [H, W, 3].

    Raises:
        InputError: it is something else, all black, or of another shape than the picture.
    """
    expected = f"{name}: expected a float array [height, width] in [0, 1], got"
    fits = isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.size > 0
    if not fits or mask.dtype.kind != "f":
        kind = f"{getattr(mask, 'dtype', type(mask).__name__)} {getattr(mask, 'shape', '')}"
        raise InputError(f"{expected} {kind.strip()}")
    if not (0 <= mask.min() and mask.max() <= 1):
        raise InputError(f"{expected} values from {mask.min()} to {mask.max()}")
    if mask.max() < _BLACK:
        raise InputError(f"{name}: is all black; make it white where it counts")
    (height, width), (high, wide) = picture.shape[:2], mask.shape
    if abs(wide * height / (high * width) - 1) > TOLERANCE:
        raise InputError(
            f"{name}: a mask of {wide} x {high} px for a picture of {width} x {height} px; "
            f"expected the same shape to {TOLERANCE:.0%}; crop it"
        )
