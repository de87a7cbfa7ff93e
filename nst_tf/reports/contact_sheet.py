"""Contact sheets: the images of a comparison, or the thumbnails of a batch, as one image."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nst_tf.images.pixels import resize
from nst_tf.reports.comparison import Entry
from nst_tf.reports.thumbnails import GAP, SIDE, Table

# The place of an image that is missing: its color, its height and width.
_GRAY = 0.9
_EMPTY = SIDE // 4
# Captions: the largest font, in pixels, and the number of lines.
_MAX_FONT = 24.0
_LINES = 3


def comparison_sheet(pairs: Sequence[Sequence[Entry]]) -> np.ndarray:
    """Captioned images, a row for each comparison: float32 sRGB [H, W, 3] in [0, 1]."""
    return _stack([_captioned_row(entries) for entries in pairs])


def batch_sheet(table: Table) -> np.ndarray:
    """The thumbnails of a table, aligned in rows and columns: float32 sRGB [H, W, 3] in [0, 1]."""
    sizes = [[(_EMPTY, _EMPTY) if x.rgb is None else x.rgb.shape[:2] for x in row] for row in table]
    widths = [max(width for _, width in column) for column in zip(*sizes, strict=True)]
    rows = []
    for row, row_sizes in zip(table, sizes, strict=True):
        height = max(height for height, _ in row_sizes)
        # A content image that is missing leaves its place white.
        rows.append(
            [
                _centered(thumbnail.rgb, height, width, 1.0 if index == 0 else _GRAY)
                for index, (thumbnail, width) in enumerate(zip(row, widths, strict=True))
            ]
        )
    return np.pad(_stack(rows), ((GAP, 0), (GAP, 0), (0, 0)), constant_values=1)


def _stack(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Rows of cells, which have equal heights in a row; shorter rows end in white."""
    strips = [np.concatenate(row, axis=1) for row in rows]
    width = max(strip.shape[1] for strip in strips)
    margins = [((0, 0), (0, width - strip.shape[1]), (0, 0)) for strip in strips]
    return np.concatenate(
        [np.pad(*each, constant_values=1) for each in zip(strips, margins, strict=True)]
    )


def _centered(rgb: np.ndarray | None, height: int, width: int, empty: float) -> np.ndarray:
    """A cell with an image in its middle, or of one color, and a gap below and to the right."""
    cell = np.ones((height + GAP, width + GAP, 3), np.float32)
    if rgb is None:
        cell[:height, :width] = empty
    else:
        top, left = (height - rgb.shape[0]) // 2, (width - rgb.shape[1]) // 2
        cell[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return cell


def _captioned_row(entries: Sequence[Entry]) -> list[np.ndarray]:
    """Cells with the images in the height of the first, and captions in one font size."""
    height = entries[0].rgb.shape[0]
    widths = [max(1, round(each.rgb.shape[1] * height / each.rgb.shape[0])) for each in entries]
    captions = [entry.caption() for entry in entries]
    font_size = min(map(_font_size, captions, widths))
    return [
        _captioned(resize(entry.rgb, height, width).numpy(), lines, font_size)
        for entry, lines, width in zip(entries, captions, widths, strict=True)
    ]


def _captioned(rgb: np.ndarray, lines: Sequence[str], font_size: float) -> np.ndarray:
    """A cell with an image, its caption below, and a gap around both."""
    height, width = rgb.shape[:2]
    gap, line_height = max(4, height // 32), round(1.4 * font_size)
    # Equally high for any number of lines, so that the cells of a row are.
    size = width + 2 * gap, height + 3 * gap + _LINES * line_height
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(font_size)
    for number, line in enumerate(lines):
        draw.text((gap, height + 2 * gap + number * line_height), line, "black", font)
    cell = np.array(image, np.float32) / 255.0
    cell[gap : gap + height, gap : gap + width] = rgb
    return cell


def _font_size(lines: Sequence[str], width: int) -> float:
    """The largest font size in which no line is wider than the image."""
    font = ImageFont.load_default(100.0)
    return min(_MAX_FONT, *(100.0 * width / font.getlength(line) for line in lines))
