"""What is to be painted: photograph and paintings, with colours and places, at any scale."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.images import color_transfer
from nst_tf.images.image_io import resize
from nst_tf.images.pixels import Size
from nst_tf.losses import tiled_objective
from nst_tf.losses.constraints import Kept, put
from nst_tf.losses.luminance import Luminance
from nst_tf.losses.style_targets import Painting
from nst_tf.run.pyramid import painting_size
from nst_tf.settings import Settings
from nst_tf.style import Style

# How much of the photograph's detail the start of a finer scale has. Without any, a quarter more
# steps took the picture as far; with all of it, what little is left of the steps does not paint it.
DETAIL = 0.5
# The part of a place that must be left to paint.
_SOME = 1e-3


class Task:
    """What a run paints.

    Attributes:
        settings: the knobs, precision no longer `auto`.
    """

    def __init__(
        self,
        content: np.ndarray,
        styles: Sequence[Style],
        settings: Settings,
        keep: Any,
        learnt: dict[tuple[int, int], dict] | None = None,
    ):
        """Take the pictures.

        Args:
            content: as of `transfer.optimize`.
            styles: likewise.
            settings: the knobs, precision no longer `auto`.
            keep: as of `transfer.optimize`.
            learnt: as of `Shared.learnt`; None where nothing is shared.
        """
        self.settings = settings
        self._content, self._styles = content, styles
        self._learnt = {} if learnt is None else learnt
        self._keep = None if keep is None else _mask(keep)
        # Paintings of one place share its array.
        masks = [_uneven(style.mask) for style in styles]
        keys = [b"" if mask is None else mask.tobytes() for mask in masks]
        places = {key: self._place(mask) for key, mask in zip(keys, masks, strict=True)}
        self._places = [places[key] for key in keys]

    def first(self, start: np.ndarray | None, size: Size) -> tf.Tensor:
        """The picture to start from.

        Args:
            start: as of `transfer.optimize`.
            size: (height, width) of the coarsest scale.

        Returns:
            float32 [1, H, W, 3] in [0, 1].
        """
        if start is None:
            return self._seen(first_image(self._content, self.settings, *size))
        return self._seen(with_noise(_at(start, size), self.settings))

    def enlarge(self, image: tf.Tensor, size: Size) -> tf.Tensor:
        """The picture at the next scale, of `enlarge`.

        Args:
            image: float32 [1, h, w, 3] in [0, 1], of the last scale.
            size: (height, width) of the next.

        Returns:
            float32 [1, H, W, 3] in [0, 1].
        """
        coarse, fine = (
            self._seen(_at(self._content, each)) for each in (tuple(image.shape[1:3]), size)
        )
        return enlarge(image, coarse, fine, self.settings)

    def objective(self, network: tf.keras.Model, size: Size, most: float) -> Any:
        """The objective at a scale.

        Args:
            network: the model of `features.extractor`.
            size: (height, width) of the scale.
            most: how many pixels to look at at a time.

        Returns:
            An objective of pictures [1, H, W, 3].
        """
        photograph = _at(self._content, size)
        paintings = self._paintings(photograph)
        seen = self._seen(photograph)
        whole: Any = tiled_objective.objective(network, seen, paintings, self.settings, most=most)
        if self._keep is not None:
            whole = Kept(whole, seen, self._kept(size))
        return Luminance(whole) if self.settings.color == "luminance" else whole

    def finish(self, image: tf.Tensor) -> tf.Tensor:
        """The picture to show.

        Args:
            image: what the optimiser has, float32 [1, H, W, 3] in [0, 1], of any scale.

        Returns:
            float32 [1, H, W, 3] in [0, 1], with the photograph's colours and what is kept of it.
        """
        size = tuple(image.shape[1:3])
        if self.settings.color == "luminance":
            image = color_transfer.recolour(image, _at(self._content, size))
        if self._keep is not None:
            image = put(image, _at(self._content, size), self._kept(size))
        return image

    def _paintings(self, photograph: tf.Tensor) -> Iterator[Painting]:
        long_side = max(photograph.shape[1:3])
        largest = max(style.share for style in self._styles)
        for number, (style, place) in enumerate(zip(self._styles, self._places, strict=True)):
            painting = _fit(style.rgb, round(self.settings.style_scale * long_side))
            if self.settings.color == "match":
                # What lies outside no picture can have.
                painting = tf.clip_by_value(color_transfer.match(painting, photograph), 0.0, 1.0)
            if self.settings.color == "luminance":
                painting = color_transfer.grey_like(painting, photograph)
            region = _uneven(style.region)
            region = None if region is None else _mask(region)
            learnt = None
            if self.settings.color == "style":  # otherwise it depends on the photograph
                learnt = self._learnt.setdefault((number, long_side), {})
            yield Painting(painting, style.share / largest, style.layers, place, region, learnt)

    def _seen(self, picture: tf.Tensor) -> tf.Tensor:
        return color_transfer.grey(picture) if self.settings.color == "luminance" else picture

    def _place(self, mask: np.ndarray | None) -> tf.Tensor | None:
        """Where a painting counts: its mask, without what is kept; None for everywhere."""
        place = None if mask is None else _mask(mask)
        if self._keep is None:
            return place
        if place is None:
            place = tf.ones_like(self._keep)
        sides = zip(place.shape[1:3], self._keep.shape[1:3], strict=True)
        size = tuple(map(max, sides))
        place, keep = (tf.image.resize(each, size, "area") for each in (place, self._keep))
        rest = place * (1 - keep)
        if tf.reduce_sum(rest) < _SOME * tf.reduce_sum(place):
            what = "content_mask: all of the picture" if mask is None else "style_mask: all of one"
            raise InputError(f"{what} is to stay as it is; make the mask of what stays smaller")
        return rest

    def _kept(self, size: Size) -> tf.Tensor:
        return tf.image.resize(self._keep, size, "area")


def _uneven(mask: np.ndarray | None) -> np.ndarray | None:
    """The mask, but for one that is as light everywhere and so says nothing of a place."""
    return None if mask is None or mask.min() == mask.max() else mask


def _mask(mask: np.ndarray) -> tf.Tensor:
    """A mask as [1, h, w, 1]."""
    return tf.constant(mask, tf.float32)[tf.newaxis, ..., tf.newaxis]


def _fit(painting: np.ndarray, long_side: int) -> tf.Tensor:
    """A painting at a scale, [1, h, w, 3]."""
    return _at(painting, painting_size(painting.shape[0], painting.shape[1], long_side))


def _at(picture: np.ndarray, size: Size) -> tf.Tensor:
    """A picture in another size, [1, H, W, 3]."""
    return resize(picture, *size)[tf.newaxis]


def first_image(content: Any, settings: Settings, height: Any, width: Any) -> tf.Tensor:
    """The picture to start from; also inside a graph.

    Args:
        content: the photograph, float32 [H, W, 3] or [1, H, W, 3] in [0, 1].
        settings: `init`, content or noise, `init_noise` and `seed`.
        height: of the coarsest scale, whose size the noise is made in.
        width: of the coarsest scale.

    Returns:
        float32 [1, height, width, 3] in [0, 1].
    """
    picture = tf.reshape(resize(content, height, width), [1, height, width, 3])
    return _noise(picture, settings) if settings.init == "noise" else with_noise(picture, settings)


def enlarge(image: tf.Tensor, coarse: tf.Tensor, fine: tf.Tensor, settings: Settings) -> tf.Tensor:
    """The picture at the next scale, with some of the detail that the photograph has only there.

    It would take steps at that scale to paint what the start can have for nothing. Where the run
    began from noise or from another picture, nothing of the photograph is put in, and less where
    there was some noise.

    Args:
        image: float32 [1, h, w, 3] in [0, 1], of the last scale.
        coarse: the photograph at the last scale, float32 [1, h, w, 3] in [0, 1].
        fine: the photograph at the next scale, float32 [1, H, W, 3] in [0, 1].
        settings: `init` and `init_noise`.

    Returns:
        float32 [1, H, W, 3] in [0, 1].
    """
    height, width = (fine.shape[axis] or tf.shape(fine)[axis] for axis in (1, 2))
    larger = resize(image, height, width)
    share = DETAIL * (1 - settings.init_noise) if settings.init == "content" else 0.0
    if not share:
        return larger
    return tf.clip_by_value(larger + share * (fine - resize(coarse, height, width)), 0.0, 1.0)


def with_noise(picture: tf.Tensor, settings: Settings) -> tf.Tensor:
    """A picture with the noise that settings ask for.

    Args:
        picture: float32 [1, H, W, 3] in [0, 1].
        settings: `init_noise` and `seed`.

    Returns:
        float32 [1, H, W, 3] in [0, 1].
    """
    amount = settings.init_noise
    return (1 - amount) * picture + amount * _noise(picture, settings) if amount else picture


def _noise(picture: tf.Tensor, settings: Settings) -> tf.Tensor:
    """Grey with noise, as large as a picture."""
    noise = tf.random.stateless_normal(tf.shape(picture), seed=(settings.seed, 0), stddev=0.1)
    return tf.ensure_shape(tf.clip_by_value(0.5 + noise, 0.0, 1.0), picture.shape)
