"""What a browser shows of pictures: small JPEGs, as it knows neither TIFF nor HEIC."""

from pathlib import Path

import numpy as np

from nst_tf import atomic_files
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture
from nst_tf.images.pixels import resize

# Long side, in pixels, of an input beside others, and of a picture that is looked at.
SMALL = 1024
LARGE = 2048


def write(path: Path, rgb: np.ndarray, alpha: np.ndarray | None, long_side: int = LARGE) -> Path:
    """Write a picture float32 sRGB [H, W, 3] as a JPEG, on white where it is transparent."""
    height, width = rgb.shape[:2]
    shrink = min(1.0, long_side / max(height, width))
    size = max(1, round(height * shrink)), max(1, round(width * shrink))
    # No rescue: its folder goes with the visit.
    data = image_io.encode(resize(rgb, *size), path, alpha=alpha)
    atomic_files.replace(path, data, rescue=False)
    return path


def write_picture(path: Path, picture: Picture, long_side: int = SMALL) -> Path:
    """Write a picture as a small JPEG."""
    return write(path, picture.rgb, picture.alpha, long_side)
