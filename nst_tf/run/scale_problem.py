"""The problem at each scale: start image and objective, with masks and color preservation."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.images import color_transfer
from nst_tf.images.pixels import Size, resize
from nst_tf.losses.constraints import Evaluable, LuminanceObjective, MaskedObjective, composite
from nst_tf.losses.objective import error_norms
from nst_tf.losses.style_targets import Cache, StyleImage
from nst_tf.losses.temporal import TemporalObjective, TemporalTarget
from nst_tf.losses.tiled_objective import build_objective
from nst_tf.run import canvas
from nst_tf.run.pyramid import style_image_size
from nst_tf.settings import Settings
from nst_tf.style import Style, squares

# The fraction of the content image's detail that the start of a finer scale gets. Without any, a
# quarter more steps took the image as far; with all of it, the few steps there do not stylize it.
DETAIL = 0.5
# Of a style mask's area, what must not be protected.
_MIN_FREE = 1e-3


class ScaleProblem:
    """What a run optimizes, at any scale.

    Attributes:
        settings: precision resolved.
    """

    def __init__(
        self,
        content: np.ndarray,
        styles: Sequence[Style],
        settings: Settings,
        keep_mask: np.ndarray | None,
        alpha: np.ndarray | None = None,
        temporal: TemporalTarget | None = None,
        cache: Cache | None = None,
    ):
        """Take the images; all arguments are those of `coarse_to_fine.optimize`, checked."""
        self.settings = settings
        self._cell = canvas.cell_side(settings)
        self._content, self._temporal, self._cache = content, temporal, cache
        self._styles = [part for style in styles for part in squares(style)]
        # Noise, and rounding of the network, would color gray images.
        self._gray = settings.color == "luminance" or (
            bool(color_transfer.is_gray(content))
            and (settings.color == "match" or all(color_transfer.is_gray(s.rgb) for s in styles))
        )
        self._protector = "keep_mask: covers" if alpha is None else "keep_mask, alpha: cover"
        # What is hidden stays as it is, too.
        self._keep_mask = _union(keep_mask, None if alpha is None else 1 - alpha)
        # Styles of equal masks share the tensor.
        masks = [_informative(style.mask) for style in self._styles]
        keys = [b"" if mask is None else mask.tobytes() for mask in masks]
        free = {key: self._free_mask(mask) for key, mask in zip(keys, masks, strict=True)}
        self._masks = [free[key] for key in keys]

    def start(self, image: np.ndarray | None, size: Size) -> tf.Tensor:
        """The start canvas of the coarsest scale, float32 [1, H, W, 3] in [0, 1]."""
        if image is None:
            start = start_image(self._content, self.settings, *size)
        else:
            start = with_noise(_resized(image, size), self.settings)
        return self._padded(self._gray_or_color(start))

    def enlarge(self, image: tf.Tensor, coarse: Size, fine: Size, *, detail: bool) -> tf.Tensor:
        """The start canvas of the next scale, see `enlarge`; without the content's detail if not.

        `image` is the canvas of the scale of size `coarse`, `fine` is the size of the next.
        """
        image = canvas.crop(image, coarse, self._cell)
        if not detail:
            return self._padded(resize(image, *fine))
        before, now = (
            self._gray_or_color(_resized(self._content, size)) for size in (coarse, fine)
        )
        return self._padded(enlarge(image, before, now, self.settings))

    def objective(self, network: tf.keras.Model, size: Size, max_tile_pixels: float) -> Evaluable:
        """The objective at a scale of (height, width)."""
        photograph = _resized(self._content, size)
        content = self._padded(self._gray_or_color(photograph))
        objective: Any = build_objective(
            network,
            content,
            self._style_images(photograph),
            self.settings,
            max_tile_pixels=max_tile_pixels,
            # Otherwise the style images depend on the content image.
            cache=self._cache if self.settings.color == "style" else None,
        )
        if self._temporal is not None:
            objective = self._held(objective, self._temporal, size)
        if self._keep_mask is not None:
            protected = self._padded(self._protected(size))
            # Of the content loss, as of the style's, what is left counts as a whole image would.
            objective.protect_content(tf.reduce_mean(protected))
            objective = MaskedObjective(objective, content, protected)
        return LuminanceObjective(objective) if self._gray else objective

    def finish(self, image: tf.Tensor, size: Size) -> tf.Tensor:
        """The picture to show for a scale's canvas: the content's colors, protected pixels."""
        image = canvas.crop(image, size, self._cell)
        if self.settings.color == "luminance":
            image = color_transfer.recolor(image, _resized(self._content, size))
        if self._keep_mask is not None:
            image = composite(image, _resized(self._content, size), self._protected(size))
        return image

    def _held(self, objective: Evaluable, target: TemporalTarget, size: Size) -> TemporalObjective:
        carried = self._padded(self._gray_or_color(_resized(target.rgb, size)))
        trust = self._padded(tf.image.resize(_batch(target.trust), size, "area"))
        norm = error_norms(self.settings)({"carried": carried})["carried"]
        return TemporalObjective(objective, carried, trust, norm, tf.constant(target.weight))

    def _style_images(self, content: tf.Tensor) -> Iterator[StyleImage]:
        long_side = max(content.shape[1:3])
        largest = max(style.weight for style in self._styles)
        masks = self._masks_of_canvas(tuple(content.shape[1:3]))
        for number, (style, mask) in enumerate(zip(self._styles, masks, strict=True)):
            height, width = style.rgb.shape[:2]
            long = round(self.settings.style_scale * long_side)
            image = _resized(style.rgb, style_image_size(height, width, long))
            if self.settings.color == "match":
                matched = color_transfer.match(image, content)
                # Values outside, which no picture can have, are clipped.
                image = tf.clip_by_value(matched, 0.0, 1.0)
            if self.settings.color == "luminance":
                image = color_transfer.gray_like(image, content)
            region = _informative(style.region)
            yield StyleImage(
                image,
                style.weight / largest,
                style.layers,
                mask,
                None if region is None else _batch(region),
                cache_key=(number, long_side),
            )

    def _masks_of_canvas(self, size: Size) -> list[tf.Tensor | None]:
        """The styles' masks with a margin, if the canvas has one; equal ones share the tensor."""
        if canvas.canvas_size(size, self._cell) == size:
            return self._masks
        masks = {mask.ref(): mask for mask in self._masks if mask is not None}
        padded = {
            key: self._padded(tf.image.resize(mask, size, "area")) for key, mask in masks.items()
        }
        return [None if mask is None else padded[mask.ref()] for mask in self._masks]

    def _padded(self, image: tf.Tensor) -> tf.Tensor:
        return canvas.pad(image, self._cell)

    def _gray_or_color(self, image: tf.Tensor) -> tf.Tensor:
        return color_transfer.gray(image) if self._gray else image

    def _free_mask(self, style_mask: np.ndarray | None) -> tf.Tensor | None:
        """Where a style applies: its mask without protected pixels; None for everywhere."""
        mask = None if style_mask is None else _batch(style_mask)
        if self._keep_mask is None:
            return mask
        if mask is None:
            mask = tf.ones_like(self._keep_mask)
        sides = zip(mask.shape[1:3], self._keep_mask.shape[1:3], strict=True)
        size = tuple(map(max, sides))
        mask, protected = (tf.image.resize(each, size, "area") for each in (mask, self._keep_mask))
        free = mask * (1 - protected)
        if tf.reduce_sum(free) < _MIN_FREE * tf.reduce_sum(mask):
            covered = "the whole image" if style_mask is None else "all of a style_mask"
            raise InputError(
                f"{self._protector} {covered}, so nothing is left to stylize; shrink it"
            )
        return free

    def _protected(self, size: Size) -> tf.Tensor:
        return tf.image.resize(self._keep_mask, size, "area")


def _informative(mask: np.ndarray | None) -> np.ndarray | None:
    """The mask; None for a uniform one, which applies everywhere."""
    return None if mask is None or mask.min() == mask.max() else mask


def _union(mask: np.ndarray | None, other: np.ndarray | None) -> tf.Tensor | None:
    """Where one of two masks applies, [1, h, w, 1]; None where there are none."""
    masks = [_batch(each) for each in (mask, other) if each is not None and each.max() > 0]
    if len(masks) < 2:
        return masks[0] if masks else None
    size = tuple(map(max, *(each.shape[1:3] for each in masks)))
    return tf.maximum(*(tf.image.resize(each, size, "area") for each in masks))


def _batch(mask: np.ndarray) -> tf.Tensor:
    """A mask as [1, h, w, 1]."""
    return tf.constant(mask, tf.float32)[tf.newaxis, ..., tf.newaxis]


def _resized(image: np.ndarray, size: Size) -> tf.Tensor:
    """An image in another size, [1, H, W, 3]."""
    return resize(image, *size)[tf.newaxis]


def start_image(content: Any, settings: Settings, height: Any, width: Any) -> tf.Tensor:
    """The start image [1, height, width, 3] of the coarsest scale; also inside a graph.

    `content` is [H, W, 3] or [1, H, W, 3]. The noise is made in the size of that scale.
    """
    image = tf.reshape(resize(content, height, width), [1, height, width, 3])
    return _noise(image, settings) if settings.init == "noise" else with_noise(image, settings)


def enlarge(image: tf.Tensor, coarse: tf.Tensor, fine: tf.Tensor, settings: Settings) -> tf.Tensor:
    """The image at the next scale, with some of the detail that the content image has only there.

    Steps at that scale would otherwise have to paint it. Where the run began from noise or another
    image, nothing of the content image is added, and less where there was some noise. `coarse` and
    `fine` are the content image at the last scale and at the next, [1, h, w, 3].
    """
    height, width = (fine.shape[axis] or tf.shape(fine)[axis] for axis in (1, 2))
    larger = resize(image, height, width)
    fraction = DETAIL * (1 - settings.init_noise) if settings.init == "content" else 0.0
    if not fraction:
        return larger
    return tf.clip_by_value(larger + fraction * (fine - resize(coarse, height, width)), 0.0, 1.0)


def with_noise(image: tf.Tensor, settings: Settings) -> tf.Tensor:
    """The image mixed with `init_noise` of noise, float32 [1, H, W, 3] in [0, 1]."""
    amount = settings.init_noise
    return (1 - amount) * image + amount * _noise(image, settings) if amount else image


def _noise(image: tf.Tensor, settings: Settings) -> tf.Tensor:
    """Gray with noise, as large as an image."""
    noise = tf.random.stateless_normal(tf.shape(image), seed=(settings.seed, 0), stddev=0.1)
    return tf.ensure_shape(tf.clip_by_value(0.5 + noise, 0.0, 1.0), image.shape)
