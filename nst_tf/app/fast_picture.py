"""The picture of a request by the feed-forward network, where its masks allow it."""

import dataclasses

import numpy as np

from nst_tf.app.painted import PaintRequest
from nst_tf.errors import InputError
from nst_tf.feed_forward import FastStylizer
from nst_tf.images.cutout import apply_to_visible, crop_to_visible
from nst_tf.images.pixels import ImageLike, Size, resize
from nst_tf.run import memory_plan
from nst_tf.run.pyramid import MIN_SIDE, scale_sizes
from nst_tf.style import Style, check

# Bytes: the content image, the picture, masks and what is written of it; the network itself works
# in strips.
_PER_PIXEL = 80


def paint(stylizer: FastStylizer, request: PaintRequest, long_side: int = 0) -> np.ndarray:
    """Paint a request, float32 sRGB [H, W, 3]; `long_side` as in `Painter.fast`."""
    photograph, settings = request.photograph, request.settings
    check(photograph.rgb, request.styles, None, request.keep_mask, photograph.alpha, settings)
    height, width = photograph.rgb.shape[:2]
    wanted = settings.size or max(height, width)
    wanted = min(wanted, long_side) if long_side else wanted
    size = scale_sizes(height, width, dataclasses.replace(settings, size=wanted, scales=1))[-1]
    _check_memory(size)
    content = resize(photograph.rgb[np.newaxis], *size)

    def blend(styles: list[Style]) -> np.ndarray:
        images = [_visible(style) for style in styles]
        run = stylizer.blend(images, [style.weight for style in styles])
        return apply_to_visible(run, content, photograph.alpha, MIN_SIDE)[0]

    if all(style.mask is None for style in request.styles):
        picture = blend(list(request.styles))
    else:
        picture = _where_masks_are(content[0].numpy(), request, size, blend)
    if request.keep_mask is not None:
        protected = _resized(request.keep_mask, size)
        picture = picture * (1 - protected) + content[0].numpy() * protected
    return picture


def _check_memory(size: Size) -> None:
    height, width = size
    needed, free = _PER_PIXEL * height * width, memory_plan.used_and_free()[1]
    if needed > free:
        raise InputError(
            f"size={max(size)}: {width} x {height} px take about {needed / 2**30:.1f} GiB, and "
            f"{free / 2**30:.1f} are free; give a smaller size"
        )


def _where_masks_are(content: np.ndarray, request: PaintRequest, size: Size, blend) -> np.ndarray:
    """Each painting where its mask is; elsewhere the photograph."""
    total = np.zeros_like(content)
    weights, opacity = (np.zeros([*size, 1], np.float32) for _ in range(2))
    for style in request.styles:
        if not style.weight:
            continue
        mask = np.ones_like(weights) if style.mask is None else _resized(style.mask, size)
        total += style.weight * mask * blend([style])
        weights += style.weight * mask
        opacity = np.maximum(opacity, mask)
    painted = np.divide(total, weights, out=np.zeros_like(total), where=weights > 0)
    return painted * opacity + content * (1 - opacity)


def _visible(style: Style) -> ImageLike:
    """The rectangle of a style image with all that counts, [1, h, w, 3]."""
    if style.region is None:
        return style.rgb[np.newaxis]
    region = _resized(style.region, style.rgb.shape[:2])[..., 0]
    return crop_to_visible(style.rgb, region)[np.newaxis]


def _resized(mask: np.ndarray, size: Size) -> np.ndarray:
    """A mask [h, w] as [H, W, 1]."""
    return resize(mask[..., np.newaxis], *size).numpy()
