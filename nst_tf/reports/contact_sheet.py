"""A contact sheet: a table of thumbnails as one picture."""

import numpy as np

from nst_tf.reports.thumbnails import SIDE, Table

_GAP = 8
# Where a picture is missing.
_GREY = 0.9


def sheet(table: Table) -> np.ndarray:
    """Lay out thumbnails.

    Args:
        table: of `thumbnails.tables`.

    Returns:
        float32 sRGB [H, W, 3] in [0, 1]; each row as high as its highest picture.
    """
    pictures = [[each.rgb for each in row] for row in table]
    widths = [max(map(_width, column)) for column in zip(*pictures, strict=True)]
    rows = [_row(row, widths) for row in pictures]
    return np.pad(np.concatenate(rows), ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=1)


def _row(pictures: list[np.ndarray | None], widths: list[int]) -> np.ndarray:
    height = max(SIDE // 4 if each is None else each.shape[0] for each in pictures)
    cells = []
    for index, (picture, width) in enumerate(zip(pictures, widths, strict=True)):
        cell = np.ones((height + _GAP, width + _GAP, 3), np.float32)
        if picture is not None:
            top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
            cell[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        elif index:
            cell[:height, :width] = _GREY
        cells.append(cell)
    return np.concatenate(cells, axis=1)


def _width(picture: np.ndarray | None) -> int:
    return SIDE // 4 if picture is None else picture.shape[1]
