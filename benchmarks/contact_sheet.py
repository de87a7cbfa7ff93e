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


def row(images: Sequence[np.ndarray], max_height: int = HEIGHT) -> np.ndarray:
    """Images float32 sRGB [H, W, 3] in [0, 1] side by side, as uint8 [h, w, 3].

    Its height is that of the first image, or `max_height`.
    """
    height = min(max_height, images[0].shape[0])
    cells = [_resized(image, height) for image in images]
    gap = np.full((height, GAP, 3), 255, np.uint8)
    spaced = [each for cell in cells for each in (cell, gap)]
    return np.concatenate(spaced[:-1], axis=1)


def stack(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows below each other, padded with white to the widest."""
    width = max(each.shape[1] for each in rows)
    gap = np.full((GAP, width, 3), 255, np.uint8)
    spaced = []
    for each in rows:
        margin = ((0, 0), (0, width - each.shape[1]), (0, 0))
        spaced += [np.pad(each, margin, constant_values=255), gap]
    return np.concatenate(spaced[:-1])


def encode(rows: Sequence[np.ndarray], max_bytes: int = MAX_BYTES) -> bytes:
    """The sheet as JPEG, in a quality that makes it no larger than `max_bytes`, if one does."""
    sheet = Image.fromarray(stack(rows))
    for quality in _QUALITIES:
        file = io.BytesIO()
        sheet.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= max_bytes:
            break
    return file.getvalue()


def _resized(image: np.ndarray, height: int) -> np.ndarray:
    pixels = Image.fromarray(np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8))
    width = max(1, round(pixels.width * height / pixels.height))
    return np.asarray(pixels.resize((width, height), Image.Resampling.LANCZOS))
