"""What is to be painted: photograph and paintings, with colours and places, at any scale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf import color, tiled
from nst_tf.errors import InputError
from nst_tf.image import resize
from nst_tf.kept import Kept, put
from nst_tf.manner import Painting
from nst_tf.objective import Objective
from nst_tf.scales import SHORTEST, Size, painting_size
from nst_tf.settings import Settings

# How far the ratio of a mask's sides may be from its picture's.
TOLERANCE = 0.01


@dataclass(frozen=True)
class Style:
    """A painting to learn from.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1].
        share: how much it counts beside the other paintings.
        mask: where in the photograph it counts, float32 [h, w] in [0, 1] of the photograph's
            shape, in any size; None for everywhere.
        region: the part of the painting to learn from, likewise of the painting's shape.
        layers: those of the settings' style layers that it is learnt from; None for all.
    """

    rgb: np.ndarray
    share: float = 1.0
    mask: np.ndarray | None = None
    region: np.ndarray | None = None
    layers: Sequence[str] | None = None


class Task:
    """What a run paints.

    Attributes:
        settings: the knobs, precision no longer `auto`.
    """

    def __init__(self, content: np.ndarray, styles: Sequence[Style], settings: Settings, keep: Any):
        """Take the pictures.

        Args:
            content: as of `transfer.optimize`.
            styles: likewise.
            settings: the knobs, precision no longer `auto`.
            keep: as of `transfer.optimize`.
        """
        self.settings = settings
        self._content, self._styles = content, styles
        self._keep = None if keep is None else _mask(keep)
        # Paintings of one place share its array; a white mask is none.
        masks = [None if s.mask is None or s.mask.min() == 1 else s.mask for s in styles]
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

    def objective(self, network: tf.keras.Model, size: Size, most: float) -> Objective | Kept:
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
        whole = tiled.objective(network, seen, paintings, self.settings, most=most)
        return whole if self._keep is None else Kept(whole, seen, self._kept(size))

    def finish(self, image: tf.Tensor) -> tf.Tensor:
        """The picture to show.

        Args:
            image: what the optimiser has, float32 [1, H, W, 3] in [0, 1], of any scale.

        Returns:
            float32 [1, H, W, 3] in [0, 1], with the photograph's colours and what is kept of it.
        """
        size = tuple(image.shape[1:3])
        if self.settings.color == "luminance":
            image = color.recolour(image, _at(self._content, size))
        if self._keep is not None:
            image = put(image, _at(self._content, size), self._kept(size))
        return image

    def _paintings(self, photograph: tf.Tensor) -> Iterator[Painting]:
        long_side = max(photograph.shape[1:3])
        for style, place in zip(self._styles, self._places, strict=True):
            painting = _fit(style.rgb, round(self.settings.style_scale * long_side))
            if self.settings.color == "match":
                painting = color.match(painting, photograph)
            if self.settings.color == "luminance":
                painting = color.grey_like(painting, photograph)
            region = None if style.region is None else _mask(style.region)
            yield Painting(painting, style.share, style.layers, place, region)

    def _seen(self, picture: tf.Tensor) -> tf.Tensor:
        return color.grey(picture) if self.settings.color == "luminance" else picture

    def _place(self, mask: np.ndarray | None) -> tf.Tensor | None:
        """Where a painting counts: its mask, without what is kept; None for everywhere."""
        place = None if mask is None else _mask(mask)
        if self._keep is None:
            return place
        rest = 1 - self._keep
        return rest if place is None else place * resize(rest, *place.shape[1:3])

    def _kept(self, size: Size) -> tf.Tensor:
        return tf.image.resize(self._keep, size, "area")


def check(
    content: np.ndarray, styles: Sequence[Style], start: Any, keep: Any, settings: Settings
) -> None:
    """Refuse what is no picture, no painting and no mask.

    Args:
        content: as of `transfer.optimize`.
        styles: likewise.
        start: likewise.
        keep: likewise.
        settings: likewise.

    Raises:
        InputError: one of them is something else.
    """
    _check_picture("content", content)
    if keep is not None:
        check_mask("keep", keep, content)
    if start is not None:
        _check_picture("start", start)
    listed = isinstance(styles, (list, tuple)) and len(styles) > 0
    if not listed or not all(isinstance(style, Style) for style in styles):
        raise InputError("styles: expected a list of at least one Style(picture)")
    for style in styles:
        _check_picture("style", style.rgb)
        if style.mask is not None:
            check_mask("mask", style.mask, content)
        if style.region is not None:
            check_mask("region", style.region, style.rgb)
        layers = settings.style_layers if style.layers is None else style.layers
        if not layers or not {*layers} <= {*settings.style_layers}:
            raise InputError(
                f"layers={','.join(layers)}: expected some of the settings' style_layers, "
                f"{','.join(settings.style_layers)}"
            )
        painting_size(style.rgb.shape[0], style.rgb.shape[1], long_side=SHORTEST)
    shares = [style.share for style in styles]
    if not (all(0 <= share < np.inf for share in shares) and sum(shares) > 0):
        raise InputError(f"share: expected numbers from 0, not all 0, got {shares}")


def _check_picture(name: str, rgb: np.ndarray) -> None:
    expected = f"{name}: expected a float array [height, width, 3] in [0, 1], got"
    if not isinstance(rgb, np.ndarray):
        raise InputError(f"{expected} a {type(rgb).__name__}; of a Picture give its rgb")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise InputError(f"{expected} the shape {rgb.shape}")
    if rgb.dtype.kind != "f":
        raise InputError(f"{expected} {rgb.dtype}; divide by 255 if it is a picture in 8 bits")
    least, most = rgb.min(), rgb.max()
    if not (0 <= least and most <= 1):
        raise InputError(f"{expected} values from {least} to {most}")


def check_mask(name: str, mask: Any, picture: np.ndarray) -> None:
    """Refuse what is no mask of a picture.

    Args:
        name: of the mask.
        mask: float32 [h, w] in [0, 1].
        picture: [H, W, 3].

    Raises:
        InputError: it is something else, all black, or of another shape than the picture.
    """
    expected = f"{name}: expected a float array [height, width] in [0, 1], got"
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype.kind != "f":
        raise InputError(f"{expected} a {type(mask).__name__} {getattr(mask, 'shape', '')}")
    if not (0 <= mask.min() and mask.max() <= 1):
        raise InputError(f"{expected} values from {mask.min()} to {mask.max()}")
    if not mask.any():
        raise InputError(f"{name}: is all black; expected white where it counts")
    (height, width), (high, wide) = picture.shape[:2], mask.shape
    if abs(wide * height / (high * width) - 1) > TOLERANCE:
        raise InputError(
            f"{name}: a mask of {wide} x {high} px for a picture of {width} x {height} px; "
            "expected the same shape; crop it"
        )


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
