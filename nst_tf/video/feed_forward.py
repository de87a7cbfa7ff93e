"""The frames of a film by a feed-forward network: painted alike, and held to the last one."""

from collections.abc import Sequence

import cv2
import numpy as np

from nst_tf.feed_forward import FastStylizer
from nst_tf.images.pixels import ImageLike
from nst_tf.networks.shot import Shot
from nst_tf.video.history import Carried

# How far the moments of the network's layers move in a frame.
_RATE = 0.05
# The weight of the carried frame where it is trusted.
_BLEND = 0.75
# In pixels: the finest strokes, across and down, and what their contrast is compared over.
_DETAILS, _REGION = ((3, 1), (1, 3)), 31
# How much of the finest strokes may be added once more, in a frame, to restore their contrast; with
# twice as much, patterns of single pixels grow in a long pan.
_MAX_GAIN = 0.25


class FastPainter:
    """Paints the frames of a film with a feed-forward model.

    The network runs on each frame, with the moments of its instance normalizations kept over a
    shot but for a slow movement; a model that is not the bundled one paints each frame alone. What
    it gives is blended with the painted frames before.

    With a strength below 1, the style of the content that is mixed in is that of the first frame of
    the shot, since a new one for each frame would flicker.
    """

    # Motion to further frames would take as long as the network, and what comes back from behind
    # something is painted alike anyway.
    distances: Sequence[int] = (1,)

    def __init__(
        self,
        model: FastStylizer,
        styles: Sequence[ImageLike],
        weights: Sequence[float],
        strength: float = 1.0,
    ):
        """Make a painter for one mixture of styles.

        Args:
            model: of `feed_forward.load`.
            styles: style images, each float sRGB [1, h, w, 3] in [0, 1].
            weights: a number from 0 for each style, not all 0.
            strength: from 0, the content, to 1, fully stylized.

        Raises:
            InputError: images of other shapes or types, or weights that do not match the styles.
        """
        self._stylize = model.blend(styles, weights)
        self._strength = strength
        self._begin_shot()

    def first(self, content: np.ndarray) -> np.ndarray:
        """Paint the first frame of a shot, float32 sRGB [H, W, 3] in [0, 1]."""
        self._begin_shot()
        return self._paint(content)

    def next(
        self, content: np.ndarray, carried: Carried, earlier: np.ndarray | None = None
    ) -> np.ndarray:
        """Paint one more frame of the shot.

        Args:
            content: float32 sRGB [H, W, 3] in [0, 1].
            carried: the painted frames before.
            earlier: what an earlier pass has made of the frame, to be blended without the network.

        Returns:
            float32 sRGB [H, W, 3] in [0, 1].
        """
        return blend(self._paint(content) if earlier is None else earlier, carried)

    def skip(self, content: np.ndarray, *, first: bool) -> None:
        """Follow a frame that was painted by an earlier run."""
        if first:
            self._begin_shot()
        # For the moments alone, which the frames after it depend on.
        self._paint(content)

    def _begin_shot(self) -> None:
        self._shot = Shot(_RATE)

    def _paint(self, content: np.ndarray) -> np.ndarray:
        return self._stylize(content[np.newaxis], self._strength, self._shot)[0].numpy()


def blend(painted: np.ndarray, carried: Carried) -> np.ndarray:
    """Move a painted frame towards the carried ones where these are trusted.

    A mean of frames has less contrast than each where their fine strokes differ, so the finest
    band's is restored, as by Heitz & Neyret 2018, "High-Performance By-Example Noise using a
    Histogram-Preserving Blending Operator".

    Args:
        painted: float32 sRGB [H, W, 3] in [0, 1].
        carried: the painted frames before.

    Returns:
        float32 sRGB [H, W, 3] in [0, 1].
    """
    trust = carried.trust[..., np.newaxis]
    blended = painted + _BLEND * trust * (carried.rgb - painted)
    sharpened = blended.copy()
    # Each direction alone: motion along one of them softens that one.
    for kernel in _DETAILS:
        sharpened += trust * _gain(painted, blended, kernel) * _detail(blended, kernel)
    # What goes beyond the strokes around it would go further in each frame.
    around = np.ones([3, 3])
    lowest = np.minimum(cv2.erode(painted, around), blended)
    highest = np.maximum(cv2.dilate(painted, around), blended)
    return sharpened.clip(lowest, highest).clip(0, 1)


def _detail(image: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    return image - cv2.blur(image, kernel)


def _gain(painted: np.ndarray, blended: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    """How much more of the blended frame's detail has the painted one's contrast, [H, W, 1]."""
    wanted, detail = (
        _detail(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), kernel) for rgb in (painted, blended)
    )
    missing = _contrast(wanted) - _contrast(detail)
    gain = missing / _contrast(_detail(detail, kernel))
    return gain.clip(0, _MAX_GAIN)[..., np.newaxis]


def _contrast(detail: np.ndarray) -> np.ndarray:
    """The local root mean square, [H, W]."""
    energy = cv2.blur(np.square(detail), (_REGION, _REGION))
    # A running sum may end a little below 0 where there is nothing.
    return np.sqrt(np.maximum(energy, 0) + 1e-6)
