"""The canvas: what is optimized, the image with a margin, of whole cells of the deepest layer.

VGG's poolings drop the last row and column where a side is odd: up to 15 rows at the bottom, and
columns at the right, had hardly a gradient. The margin, half of it on either side, begins as the
image's reflection; it is optimized too, and cut off.
"""

import re

import tensorflow as tf

from nst_tf.images.pixels import Size
from nst_tf.run.pyramid import Scalar
from nst_tf.settings import Settings


def cell_side(settings: Settings) -> int:
    """The side of a cell of the deepest layer, in pixels; 1 for the tutorial: it has no margin."""
    if settings.loss_normalization == "tutorial":
        return 1
    names = (*settings.style_layers, *settings.content_layers)
    found = [re.match(r"block(\d)_(pool)?", name) for name in names]
    # Layers of other names are refused when the network is built.
    return 2 ** max((int(each[1]) - (not each[2]) for each in found if each), default=0)


def canvas_size(size: tuple[Scalar, Scalar], cell: int) -> tuple[Scalar, Scalar]:
    """The (height, width) of the canvas of an image of (height, width)."""
    height, width = size
    return height + -height % cell, width + -width % cell


def pad(image: tf.Tensor, cell: int) -> tf.Tensor:
    """An image or mask [1, H, W, C] with its margin."""
    (top, bottom), (left, right) = (
        _margins(image.shape[axis] or tf.shape(image)[axis], cell) for axis in (1, 2)
    )
    return tf.pad(image, [[0, 0], [top, bottom], [left, right], [0, 0]], "REFLECT")


def crop(image: tf.Tensor, size: Size, cell: int) -> tf.Tensor:
    """The image of (height, width) on a canvas [1, H, W, C]."""
    height, width = size
    (top, _), (left, _) = _margins(height, cell), _margins(width, cell)
    return image[:, top : top + height, left : left + width]


def _margins(side: Scalar, cell: int) -> tuple[Scalar, Scalar]:
    """The margin before a side and behind it."""
    missing = -side % cell
    return missing // 2, missing - missing // 2
