"""A comparison as one picture: a row of captioned pictures for each pair."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from nst_tf.images.image_io import resize
from nst_tf.reports.comparison import Entry

# The largest font, in pixels, and the most lines of a caption.
_LARGEST = 24.0
_LINES = 3
# Of a longer name, with the path of a model in it, the end is shown.
_LONGEST_NAME = 32


def panel(pairs: Sequence[Sequence[Entry]]) -> np.ndarray:
    """Lay out the pictures.

    Args:
        pairs: the entries of each comparison, of `report.compare`.

    Returns:
        float32 sRGB [H, W, 3] in [0, 1]: a row a pair, in the photographs' heights.
    """
    rows = [_row(entries) for entries in pairs]
    width = max(row.shape[1] for row in rows)
    missing = [((0, 0), (0, width - row.shape[1]), (0, 0)) for row in rows]
    return np.concatenate(
        [np.pad(row, sides, constant_values=1.0) for row, sides in zip(rows, missing, strict=True)]
    )


def caption(entry: Entry) -> list[str]:
    """What is said of a picture.

    Args:
        entry: of the comparison.

    Returns:
        Lines: its name, its seconds, its scores; as far as there are any.
    """
    name = entry.name
    lines = [name if len(name) <= _LONGEST_NAME else f"… {name[-_LONGEST_NAME:]}"]
    if entry.seconds_cold is not None:
        cold, warm = seconds(entry.seconds_cold), seconds(entry.seconds_warm)
        lines.append(f"{cold} s cold, {warm} s warm")
    if entry.scores is not None:
        scores = entry.scores
        lines.append(
            f"style {scores.style:.3f}, content {scores.content:.2f}, "
            f"SSIM {scores.ssim:.2f}, grain {scores.grain:.2f}"
        )
    return lines


def seconds(value: float | None) -> str:
    """Seconds in three digits, without an exponent; nothing for None."""
    if value is None:
        return ""
    return f"{value:.3g}" if value < 999.5 else f"{value:.0f}"


def _row(entries: Sequence[Entry]) -> np.ndarray:
    height = entries[0].rgb.shape[0]
    widths = [max(1, round(each.rgb.shape[1] * height / each.rgb.shape[0])) for each in entries]
    captions = [caption(entry) for entry in entries]
    size = min(map(_font_size, captions, widths))
    cells = [
        _cell(resize(entry.rgb, height, width), lines, size)
        for entry, lines, width in zip(entries, captions, widths, strict=True)
    ]
    return np.concatenate(cells, axis=1)


def _cell(picture: tf.Tensor, lines: Sequence[str], size: float) -> np.ndarray:
    """A picture with its caption below it, and a gap around both."""
    height, width = picture.shape[:2]
    gap, line = max(4, height // 32), round(1.4 * size)
    # As tall for every picture, so that the cells of a row fit together.
    image = Image.new("RGB", (width + 2 * gap, height + 3 * gap + _LINES * line), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for number, text in enumerate(lines):
        draw.text((gap, height + 2 * gap + number * line), text, "black", font)
    cell = np.array(image, np.float32) / 255.0
    cell[gap : gap + height, gap : gap + width] = picture
    return cell


def _font_size(lines: Sequence[str], width: int) -> float:
    """The size up to `_LARGEST` in which these lines are no wider than the picture."""
    font = ImageFont.load_default(100.0)
    return min(_LARGEST, *(100.0 * width / font.getlength(line) for line in lines))
