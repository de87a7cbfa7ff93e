"""Small real pictures for the tests, cut from samples/."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from nst_tf import Settings
from nst_tf.batch.requests import RenderRequest
from nst_tf.images import image_io
from nst_tf.images.pixels import resize
from nst_tf.run.pyramid import scale_sizes

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
PHOTOGRAPH = SAMPLES / "content" / "raccoon.jpg"
PAINTING = SAMPLES / "style" / "vangogh_village_street_in_auvers.jpg"


def whole(path: Path, size: int) -> tf.Tensor:
    """A picture with its long side at `size`, float32 [height, width, 3]."""
    rgb = image_io.read(path).rgb
    ((height, width),) = scale_sizes(*rgb.shape[:2], Settings(size=size, scales=1))
    return resize(rgb, height, width)


class Deadly:
    """Ends the process that it comes to."""

    def __reduce__(self):
        return os._exit, (1,)


def requests(count: int) -> Iterator[RenderRequest]:
    """Small pictures to paint, each of another height."""
    style = ("style", image_io.encode(cut(PAINTING, 48, 60)))
    for number in range(count):
        content = image_io.encode(cut(PHOTOGRAPH, 48 + number, 60))
        yield RenderRequest(number, (f"content {number}", content), style)


def cut(path: Path, height: int, width: int) -> np.ndarray:
    """A piece from the middle of a picture, float32 [height, width, 3]."""
    rgb = image_io.read(path).rgb
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return rgb[top : top + height, left : left + width]
