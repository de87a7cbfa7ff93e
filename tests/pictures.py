"""Small real pictures for the tests, cut from samples/."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from nst_tf import Settings, image
from nst_tf.scales import scale_sizes

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"
PHOTOGRAPH = SAMPLES / "content" / "raccoon.jpg"
PAINTING = SAMPLES / "style" / "vangogh_village_street_in_auvers.jpg"


def whole(path: Path, size: int) -> tf.Tensor:
    """A picture with its long side at `size`, float32 [height, width, 3]."""
    rgb = image.read(path).rgb
    ((height, width),) = scale_sizes(*rgb.shape[:2], Settings(size=size, scales=1))
    return image.resize(rgb, height, width)


def cut(path: Path, height: int, width: int) -> np.ndarray:
    """A piece from the middle of a picture, float32 [height, width, 3]."""
    rgb = image.read(path).rgb
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return rgb[top : top + height, left : left + width]
