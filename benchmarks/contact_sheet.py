"""A sheet of pictures, a row for each pair, small enough for a repository."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

# Of the rows, in pixels; of the gaps between pictures.
HEIGHT, GAP = 384, 8
MAX_BYTES = 3_000_000
# JPEG's, the first that is small enough.
_QUALITIES = range(90, 30, -5)


def row(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures side by side at one height.

    Args:
        pictures: float32 sRGB [H, W, 3] in [0, 1], of any sizes.

    Returns:
        uint8 [h, w, 3], `HEIGHT` high, or less where the first picture is smaller.
    """
    height = min(HEIGHT, pictures[0].shape[0])
    cells = [_resized(picture, height) for picture in pictures]
    gaps = [((0, 0), (0, GAP), (0, 0))] * (len(cells) - 1) + [((0, 0), (0, 0), (0, 0))]
    padded = [np.pad(cell, gap, constant_values=255) for cell, gap in zip(cells, gaps, strict=True)]
    return np.concatenate(padded, axis=1)


def stack(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows below each other, as wide as the widest.

    Args:
        rows: of `row`.

    Returns:
        uint8 [H, W, 3], white where there is no picture.
    """
    width = max(each.shape[1] for each in rows)
    gaps = [GAP] * (len(rows) - 1) + [0]
    padded = [
        np.pad(each, ((0, gap), (0, width - each.shape[1]), (0, 0)), constant_values=255)
        for each, gap in zip(rows, gaps, strict=True)
    ]
    return np.concatenate(padded)


def encode(rows: Sequence[np.ndarray]) -> bytes:
    """The sheet as JPEG.

    Args:
        rows: of `row`.

    Returns:
        The file; its quality is such that it is no larger than `MAX_BYTES`, if it can be.
    """
    sheet = Image.fromarray(stack(rows))
    for quality in _QUALITIES:
        file = io.BytesIO()
        sheet.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= MAX_BYTES:
            break
    return file.getvalue()


def _resized(picture: np.ndarray, height: int) -> np.ndarray:
    pixels = Image.fromarray(np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8))
    width = max(1, round(pixels.width * height / pixels.height))
    return np.asarray(pixels.resize((width, height), Image.Resampling.LANCZOS))
