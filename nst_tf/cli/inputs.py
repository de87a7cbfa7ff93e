"""The pictures that scripts are given: paintings with their shares and masks."""

import os
from collections.abc import Sequence

import numpy as np

from nst_tf.errors import InputError
from nst_tf.images.image_io import Picture, read
from nst_tf.style import Style, check_mask

_EVERYWHERE = "none"


def split(paths: Sequence[str]) -> list[str]:
    """The paths that a flag names.

    Args:
        paths: the flag's values; one alone that is no file is a list with commas.

    Returns:
        The paths.
    """
    if len(paths) == 1 and not os.path.exists(paths[0]):
        parts = (os.path.expanduser(path.strip()) for path in paths[0].split(","))
        return [path for path in parts if path]
    return list(paths)


def styles(
    paintings: Sequence[str],
    content: Picture,
    *,
    shares: Sequence[str] = (),
    masks: Sequence[str] = (),
    regions: Sequence[str] = (),
    layers: Sequence[Sequence[str]] = (),
) -> list[Style]:
    """Read paintings, and where they count.

    Args:
        paintings: their paths.
        content: the photograph.
        shares: how much each counts, numbers from 0, as written; none for equal shares.
        masks: of the photograph, their paths or `none`; nothing for everywhere.
        regions: of the paintings, likewise.
        layers: names of each painting's style layers; none for all.

    Returns:
        The paintings.

    Raises:
        InputError: a picture that cannot be read; a wrong number of shares or masks; a mask of
            another shape than its picture, or all black.
    """
    _count("style_blend", shares, paintings)
    _count("style_mask", masks, paintings)
    _count("style_region", regions, paintings)
    _count("style_layers", [",".join(names) for names in layers], paintings, link="/")
    counted = [_number(share) for share in shares]
    if counted and not (all(0 <= share < np.inf for share in counted) and sum(counted) > 0):
        raise InputError(
            f"style_blend={','.join(shares)}: expected numbers from 0, not all 0, as 0.7,0.3"
        )
    found = []
    for index, path in enumerate(paintings):
        painting = read(path)
        found.append(
            Style(
                painting.rgb,
                share=counted[index] if counted else 1.0,
                mask=mask("style_mask", masks[index], content) if masks else None,
                region=mask("style_region", regions[index], painting) if regions else None,
                layers=layers[index] if layers else None,
            )
        )
    return found


def mask(name: str, path: str, picture: Picture) -> np.ndarray | None:
    """Read a mask.

    Args:
        name: of its flag.
        path: of the file; `none` for no mask.
        picture: what it belongs to.

    Returns:
        float32 [h, w] in [0, 1], 1 where it is white and opaque; None for no mask.

    Raises:
        InputError: as of `styles`.
    """
    if path == _EVERYWHERE:
        return None
    drawn = read(path)
    white = drawn.rgb.mean(axis=-1)
    if drawn.alpha is not None:
        white *= drawn.alpha
    check_mask(f"{name}={path}", white, picture.rgb)
    return white


def _count(name: str, values: Sequence[str], paintings: Sequence[str], link: str = ",") -> None:
    if values and len(values) != len(paintings):
        raise InputError(
            f"{name}={link.join(values)}: expected one for each painting, {len(paintings)}, got "
            f"{len(values)}; give as many"
        )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"style_blend={text}: expected numbers from 0, as 0.7,0.3") from error
