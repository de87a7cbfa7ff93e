"""Painted clips as pictures, to look at: their frames, and strips of frames side by side."""

from pathlib import Path

import contact_sheet
import numpy as np

from nst_tf.images import image_io
from nst_tf.images.pixels import to_float

# Frames side by side in a strip, and the side of what it shows of each, in pixels.
COLUMNS, SIDE = 8, 192


def save(folder: str, clip: str, painted: dict[str, np.ndarray]) -> None:
    """Save each method's frames as PNG in a folder of its own, and the clip's strip.

    Args:
        folder: where; the frames go to CLIP/METHOD/01.png, the strip is CLIP.png.
        clip: its name.
        painted: by method, float32 sRGB [N, H, W, 3] in [0, 1].
    """
    for method, frames in painted.items():
        place = Path(folder, clip, method.replace(", ", "_").replace(" ", "_"))
        place.mkdir(parents=True, exist_ok=True)
        for number, frame in enumerate(frames, 1):
            if np.isnan(frame).any():
                continue
            image_io.write(place / f"{number:02d}.png", frame)
    image_io.write(Path(folder, f"{clip}.png"), to_float(strip(painted)))


def strip(painted: dict[str, np.ndarray]) -> np.ndarray:
    """Consecutive frames of the clip's middle, a method a row, as uint8 [h, w, 3].

    Of each its middle at full size.
    """
    rows = []
    for frames in painted.values():
        first = max(0, (len(frames) - COLUMNS) // 2)
        shown = frames[first : first + COLUMNS]
        # A frame that was not painted is white.
        rows.append(
            contact_sheet.row([_middle(np.nan_to_num(each, nan=1)) for each in shown], SIDE)
        )
    return contact_sheet.stack(rows)


def _middle(frame: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - SIDE) // 2) for side in frame.shape[:2])
    return frame[top : top + SIDE, left : left + SIDE]
