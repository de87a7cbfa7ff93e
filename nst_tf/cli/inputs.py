"""The images that scripts are given: style images with their weights and masks."""

import os
from collections.abc import Sequence

import numpy as np

from nst_tf.errors import InputError
from nst_tf.images.image_io import Picture, read
from nst_tf.style import Style, check_mask, check_weights, visible_region

_EVERYWHERE = "none"


def split(paths: Sequence[str]) -> list[str]:
    """The paths of a flag's values; one alone that is no file is a list with commas."""
    if len(paths) == 1 and not os.path.exists(paths[0]):
        parts = (os.path.expanduser(path.strip()) for path in paths[0].split(","))
        return [path for path in parts if path]
    return list(paths)


def read_styles(
    paths: Sequence[str],
    content: Picture | None = None,
    *,
    long_side: int = 0,
    blend: Sequence[str] = (),
    masks: Sequence[str] = (),
    regions: Sequence[str] = (),
    layers: Sequence[Sequence[str]] = (),
) -> list[Style]:
    """Read style images with their weights (as text), masks and regions (paths or `none`).

    What is given must be as many as the paths; nothing given means equal weights, everywhere, all
    of the image, all layers; masks are of `content`. `long_side` is what the run needs of each.
    InputError otherwise, and where an image or a mask does not fit.
    """
    _check_count("style_mask", masks, paths)
    _check_count("style_region", regions, paths)
    _check_count("style_layers", [",".join(names) for names in layers], paths, separator="/")
    weights = parse_weights("style_blend", blend, len(paths)) or [1.0] * len(paths)
    styles = []
    for index, path in enumerate(paths):
        picture = read(path, long_side=long_side)
        region = read_mask("style_region", regions[index], picture) if regions else None
        styles.append(
            Style(
                picture.rgb,
                weight=weights[index],
                mask=read_mask("style_mask", masks[index], content) if masks and content else None,
                region=visible_region(picture.alpha, region),
                layers=layers[index] if layers else None,
            )
        )
    return styles


def read_start(init: str, long_side: int) -> np.ndarray | None:
    """Read the picture of `--init`, float32 [H, W, 3]; None for content and noise."""
    if init in ("content", "noise"):
        return None
    if not os.path.exists(init):
        raise InputError(f"init={init}: no such file; expected content, noise or a picture")
    return read(init, long_side=long_side).rgb


def read_mask(name: str, path: str, picture: Picture) -> np.ndarray | None:
    """Read the mask of a picture, float32 [h, w], 1 where it is white and opaque; None for `none`.

    `name` is that of its flag.
    """
    if path == _EVERYWHERE:
        return None
    if not os.path.exists(path):
        raise InputError(f"{name}={path}: no such file; expected a picture or {_EVERYWHERE}")
    drawn = read(path, long_side=max(picture.rgb.shape))
    mask = drawn.rgb.mean(axis=-1)
    if drawn.alpha is not None:
        mask *= drawn.alpha
    check_mask(f"{name}={path}", mask, picture.rgb)
    return mask


def parse_weights(name: str, texts: Sequence[str], count: int) -> list[float]:
    """The numbers of a flag like `--style_blend=0.7,0.3`, one for each of `count` paintings."""
    if not texts:
        return []
    try:
        weights = [float(text) for text in texts]
    except ValueError:
        raise InputError(f"{name}={','.join(texts)}: expected numbers, as 0.7,0.3") from None
    check_weights(name, weights, count)
    return weights


def _check_count(
    name: str, values: Sequence[str], paths: Sequence[str], separator: str = ","
) -> None:
    if values and len(values) != len(paths):
        raise InputError(
            f"{name}={separator.join(values)}: expected one for each painting, {len(paths)}, got "
            f"{len(values)}; give as many"
        )
