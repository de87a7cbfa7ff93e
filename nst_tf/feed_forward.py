"""Feed-forward stylization: a trained network transforms the content image in one pass.

Models have the interface of TF-Hub's arbitrary-image-stylization-v1-256/2:
`model(content_image, style_image)[0]`. Some also offer its two halves, `bottleneck(style_image)`
and `transform(content_image, bottleneck)`.
"""

import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf import limits
from nst_tf.errors import InputError
from nst_tf.images import color_transfer
from nst_tf.images.pixels import ImageLike
from nst_tf.networks import hub, precision, stylization, stylization_strips
from nst_tf.networks.scroll import mean_of_pieces
from nst_tf.networks.shot import Shot
from nst_tf.run import memory_plan
from nst_tf.run.pyramid import MIN_SIDE
from nst_tf.style import check_weights

# Bytes for each content pixel, measured with the bundled model on a CPU, 1.4 to 12.6 megapixels.
_PER_PIXEL = 250
# What takes more is painted in strips, if the model is the bundled one.
_MAX_BYTES = 2**30
_LOG = logging.getLogger(__name__)
Stylize = Callable[..., tf.Tensor]


def load(handle: str) -> "FastStylizer":
    """Load a feed-forward model.

    Args:
        handle: `bundled`, `magenta` (the module of TF-Hub), a folder with a SavedModel, a .tar.gz
            with one, or an http(s) address that TensorFlow Hub understands. TensorFlow Hub stores
            downloads in the folder TFHUB_CACHE_DIR, or in a temporary one.

    Returns:
        The model, a callable of content and style images.

    Raises:
        InputError: there is no such model, it cannot be downloaded, or has another interface.
    """
    return FastStylizer(hub.load(handle), handle)


class FastStylizer:
    """A feed-forward model; stylized images have the size of their content images.

    Attributes:
        has_bottleneck: whether the model embeds styles in vectors, which `blend` then averages.
    """

    def __init__(self, model: Any, handle: str):
        """Wrap a loaded SavedModel and try it on a small image; the handle is for messages."""
        precision.resolve("float32")  # not TensorFloat-32
        self._model = model
        self._is_bundled = isinstance(model, stylization.StylizationNetwork)
        content = tf.zeros([1, 64, 64, 3])
        style = stylization.resize_style(content)
        expected = "expected model(content_image, style_image)[0], images of the content's size"
        try:
            shape = model(content, style)[0].shape
        # Another model may raise any type of error.
        except Exception as error:
            raise hub.handle_error(handle, expected, error) from error
        if shape != content.shape:
            raise hub.handle_error(handle, f"{expected}, got {shape}")
        self.has_bottleneck = _has_bottleneck(model, content, style)

    def __call__(self, content: ImageLike, style: ImageLike) -> tf.Tensor:
        """Stylize content images with style images.

        Args:
            content: float sRGB [B, H, W, 3] in [0, 1], array or tensor; sides from 32 px.
            style: float sRGB [B, h, w, 3] in [0, 1]; one of the two batches may be 1.

        Returns:
            float32 sRGB [B, H, W, 3] in [0, 1].

        Raises:
            InputError: other shapes or types, batches that do not match, or too little memory.
        """
        content, style = _checked("content", content), _checked("style", style)
        batches = {len(content), len(style)}
        if len(batches - {1}) > 1:
            raise InputError(
                f"content, style: batches of {len(content)} and {len(style)}; expected equal "
                "batches, or one of 1"
            )
        # Not every model takes unequal batches.
        content = tf.repeat(content, max(batches) // len(content), axis=0)
        gray = [bool(color_transfer.is_gray(image)) for image in style]
        if self.has_bottleneck:
            bottleneck = tf.repeat(self._embed(style), len(content) // len(style), axis=0)
            return self._transform(bottleneck, gray, content)
        style = tf.repeat(_resize_middle(style), max(batches) // len(style), axis=0)
        stylized = _run_padded(lambda padded: self._model(padded, style)[0], content)
        return color_transfer.keep_gray(stylized, content, gray)

    def blend(self, styles: Sequence[ImageLike], weights: Sequence[float]) -> Stylize:
        """Mix styles, for any number of content images.

        The mixture is a weighted mean of the styles' embeddings where the model has a bottleneck,
        and of the stylized images otherwise.

        Args:
            styles: style images, each float sRGB [1, h, w, 3] in [0, 1].
            weights: a number from 0 for each style, not all 0; they are normalized to a sum of 1.

        Returns:
            A function `stylize(content, strength=1.0, shot=None)`: content is float sRGB
            [B, H, W, 3] in [0, 1]; strength 0 keeps the content image (with a bottleneck: its own
            style), 1 is fully stylized; `shot` is that of the frames of a film, given in their
            order, B is 1 then. It returns float32 sRGB [B, H, W, 3] in [0, 1].

        Raises:
            InputError: other shapes or types, or weights that do not match the styles.
        """
        check_weights("weights", weights, len(styles))
        styles = [_checked("style", style) for style in styles]
        weights = [weight / sum(weights) for weight in weights]
        if not self.has_bottleneck:
            return functools.partial(self._blend_pixels, styles, weights)
        bottleneck = _weighted_sum(map(self._embed, styles), weights)
        gray = [all(color_transfer.is_gray(style) for style in styles)]
        return functools.partial(self._transform, bottleneck, gray)

    def _embed(self, style: tf.Tensor) -> tf.Tensor:
        """The bottlenecks of styles, of a scroll the mean of its squares'."""
        if self._is_bundled:  # which cuts and resizes them
            return self._model.bottleneck(style)
        return mean_of_pieces(self._model.bottleneck(stylization.style_pieces(style)), len(style))

    def _transform(
        self,
        bottleneck: tf.Tensor,
        gray: Sequence[bool],
        content: ImageLike,
        strength: float = 1,
        shot: Shot | None = None,
    ) -> tf.Tensor:
        content = _checked("content", content)
        if _checked_strength(strength) < 1:
            own = shot.embed_once(self._embed, content) if shot else self._embed(content)
            bottleneck = _weighted_sum([own, bottleneck], [1 - strength, strength])
        needed, free = _needed_and_free(content)
        if self._is_bundled and needed > min(free, _MAX_BYTES):
            transform = shot.transform_strips if shot else stylization_strips.transform
            stylized = transform(self._model, content, bottleneck)
        elif self._is_bundled and shot:
            stylized = _run_padded(lambda x: shot.transform(self._model, x, bottleneck), content)
        else:
            stylized = _run_padded(lambda x: self._model.transform(x, bottleneck), content)
        return color_transfer.keep_gray(stylized, content, gray)

    def _blend_pixels(
        self,
        styles: list[tf.Tensor],
        weights: list[float],
        content: ImageLike,
        strength: float = 1,
        shot: Shot | None = None,  # of which pixels have nothing to share
    ) -> tf.Tensor:
        content, strength = _checked("content", content), _checked_strength(strength)
        stylized = _weighted_sum((self(content, style) for style in styles), weights)
        return _weighted_sum([content, stylized], [1 - strength, strength])


def _has_bottleneck(model: Any, content: tf.Tensor, style: tf.Tensor) -> bool:
    try:
        return model.transform(content, model.bottleneck(style)).shape == content.shape
    # Functions of these names may do something else in another model.
    except Exception:
        return False


def _run_padded(model: Callable[[tf.Tensor], tf.Tensor], content: tf.Tensor) -> tf.Tensor:
    """Run with sides padded to multiples of 4, a size that all of these networks keep."""
    batch, height, width = content.shape[:3]
    needed, free = _needed_and_free(content)
    if needed > free:
        raise InputError(
            f"content: {batch} of {width} x {height} px take about {needed / 2**30:.1f} GiB, and "
            f"{free / 2**30:.1f} are free; give a smaller --size, or --handle=bundled, which takes "
            "any"
        )
    stylized = model(stylization.edge_pad(content, 0))
    return tf.clip_by_value(stylized[:, :height, :width], 0.0, 1.0)


def _resize_middle(style: tf.Tensor) -> tf.Tensor:
    """Styles as models take them; of a scroll, the middle whose sides are 1 to 2."""
    height, width = style.shape[1:3]
    if max(height, width) > 2 * min(height, width):
        _LOG.warning(
            "style: %d x %d px; this model has no bottleneck to average, so it sees the middle",
            width,
            height,
        )
        rows, columns = min(height, 2 * width), min(width, 2 * height)
        style = tf.image.resize_with_crop_or_pad(style, rows, columns)
    return stylization.resize_style(style)


def _needed_and_free(content: tf.Tensor) -> tuple[float, float]:
    """Bytes that a model takes for all of the content at once, and that there are."""
    batch, height, width = content.shape[:3]
    # With a `ulimit -v`, the network reserves some four times the addresses that it uses.
    free = min(memory_plan.used_and_free()[1], limits.free_address_space() / 4)
    return _PER_PIXEL * batch * height * width, free


def _weighted_sum(tensors: Iterable[tf.Tensor], weights: Sequence[float]) -> tf.Tensor:
    total, *others = (tensor * weight for tensor, weight in zip(tensors, weights, strict=True))
    return sum(others, total)


def _checked(name: str, images: ImageLike) -> tf.Tensor:
    """The images in float32, after a check of their type and shape."""
    if not tf.is_tensor(images):
        images = np.asarray(images)
    dtype, shape = tf.as_dtype(images.dtype), list(images.shape)
    if not dtype.is_floating or len(shape) != 4 or shape[3] != 3 or 0 in shape:
        raise InputError(
            f"{name}: expected floats [B, H, W, 3] in [0, 1], got {dtype.name} {shape}"
        )
    if name == "content" and min(shape[1:3]) < MIN_SIDE:
        raise InputError(
            f"content: {shape[2]} x {shape[1]} px; expected sides of {MIN_SIDE} px or more; "
            "enlarge it"
        )
    return tf.cast(images, tf.float32)


def _checked_strength(strength: float) -> float:
    if not 0 <= strength <= 1:
        raise InputError(f"strength={strength}: expected a number from 0 to 1")
    return strength
