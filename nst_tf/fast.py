"""The feed-forward path: a trained network paints a photograph in one pass.

Models have the interface of TF-Hub's arbitrary-image-stylization-v1-256/2:
`model(content_image, style_image)[0]`. Some offer what lies between, too: `bottleneck(style_image)`
and `transform(content_image, bottleneck)`.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.networks import hub
from nst_tf.networks.stylization import extend, fit_style
from nst_tf.run import memory
from nst_tf.run.pyramid import SHORTEST

# Bytes for each pixel of the content; measured with the bundled model on a CPU at 1.4, 5.6
# and 12.6 megapixels.
_PER_PIXEL = 250
Paint = Callable[..., tf.Tensor]


def load(handle: str) -> "Painter":
    """Load a feed-forward model.

    Args:
        handle: as of `handles.load`: `bundled`, `magenta`, a folder, a .tar.gz or an address.

    Returns:
        The model, a callable from photographs and paintings to pictures.

    Raises:
        InputError: there is no such model, it cannot be fetched, or it has another interface.
    """
    return Painter(hub.load(handle), handle)


class Painter:
    """A feed-forward model; what it paints has the photographs' size."""

    def __init__(self, model: Any, handle: str):
        """Take a model and try it on a small picture.

        Args:
            model: a loaded SavedModel.
            handle: where it came from, for messages.

        Raises:
            InputError: it has another interface.
        """
        self._model = model
        content, style = tf.zeros([1, 64, 64, 3]), fit_style(tf.zeros([1, 64, 64, 3]))
        expected = "expected model(content_image, style_image)[0], pictures of the content's size"
        try:
            shape = model(content, style)[0].shape
        # A foreign model may raise anything.
        except Exception as error:
            raise hub.refusal(handle, expected, error) from error
        if shape != content.shape:
            raise hub.refusal(handle, f"{expected}, got {shape}")
        self._has_codes = self._try_codes(content, style)

    @property
    def has_codes(self) -> bool:
        """Whether the model describes a style in numbers, which can be blended."""
        return self._has_codes

    def __call__(self, content: Any, style: Any) -> tf.Tensor:
        """Paint photographs in the style of paintings.

        Args:
            content: float32 sRGB [B, H, W, 3] in [0, 1], array or tensor; sides from 32 px.
            style: float32 sRGB [B, h, w, 3] in [0, 1]; one of the two batches may be 1.

        Returns:
            float32 [B, H, W, 3] in [0, 1].

        Raises:
            InputError: other shapes, or batches that do not fit together.
        """
        content, style = _checked("content", content), fit_style(_checked("style", style))
        batches = {len(content), len(style)}
        if len(batches - {1}) > 1:
            raise InputError(
                f"content, style: batches of {len(content)} and {len(style)}; expected the same "
                "number, or one of either"
            )
        # Not every model takes unequal batches.
        content = tf.repeat(content, max(batches) // len(content), axis=0)
        if self.has_codes:
            code = self._model.bottleneck(style)
            return self._paint_code(tf.repeat(code, len(content) // len(style), axis=0), content)
        style = tf.repeat(style, max(batches) // len(style), axis=0)
        return _at_size(content, lambda wide: self._model(wide, style)[0])

    def blend(self, styles: Sequence[Any], shares: Sequence[float]) -> Paint:
        """Prepare to paint in a mixture of paintings.

        Args:
            styles: paintings, each float32 sRGB [1, h, w, 3] in [0, 1].
            shares: how much each counts, from 0, not all 0.

        Returns:
            A function of content, float32 [B, H, W, 3], and of a strength from 0, the photograph,
            to 1, the mixture; it returns float32 [B, H, W, 3]. It blends the model's descriptions
            of the styles (the photograph's own for strength 0) where the model has such, and
            pixels elsewhere.

        Raises:
            InputError: other shapes, or shares that do not fit.
        """
        fit = len(styles) == len(shares) > 0 and all(0 <= share < math.inf for share in shares)
        if not fit or sum(shares) == 0:
            raise InputError(
                f"shares: expected {len(styles)} numbers from 0, one for each painting and not "
                f"all 0, got {list(shares)}"
            )
        paintings = [fit_style(_checked("style", style)) for style in styles]
        parts = [share / sum(shares) for share in shares]
        if not self.has_codes:
            return functools.partial(self._paint_pixels, paintings, parts)
        code = _mean(map(self._model.bottleneck, paintings), parts)
        return functools.partial(self._paint_code, code)

    def _paint_code(self, code: tf.Tensor, content: Any, strength: float = 1.0) -> tf.Tensor:
        content = _checked("content", content)
        if _checked_strength(strength) < 1:
            own = self._model.bottleneck(fit_style(content))
            code = _mean([own, code], [1 - strength, strength])
        return _at_size(content, lambda wide: self._model.transform(wide, code))

    def _paint_pixels(self, paintings, parts, content: Any, strength: float = 1.0) -> tf.Tensor:
        content = _checked("content", content)
        painted = _mean((self(content, painting) for painting in paintings), parts)
        strength = _checked_strength(strength)
        return _mean([content, painted], [1 - strength, strength])

    def _try_codes(self, content: tf.Tensor, style: tf.Tensor) -> bool:
        try:
            code = self._model.bottleneck(style)
            return self._model.transform(content, code).shape == content.shape
        # Another model may have functions of these names that do something else.
        except Exception:
            return False


def _at_size(content: tf.Tensor, paint: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Paint with sides that are multiples of 4, which all of these networks keep."""
    batch, height, width = content.shape[:3]
    needed, (_, free) = _PER_PIXEL * batch * height * width, memory.used_and_free()
    if needed > free:
        raise InputError(
            f"content: {batch} of {width} x {height} px take about {needed / 2**30:.1f} GiB, and "
            f"{free / 2**30:.1f} are free; give a smaller --size"
        )
    painted = paint(extend(content, 0))
    return tf.clip_by_value(painted[:, :height, :width], 0.0, 1.0)


def _mean(pictures, parts: Sequence[float]) -> tf.Tensor:
    total, *others = (picture * part for picture, part in zip(pictures, parts, strict=True))
    return sum(others, total)


def _checked(name: str, pictures: Any) -> tf.Tensor:
    if not tf.is_tensor(pictures):
        pictures = np.asarray(pictures)
    floats = tf.as_dtype(pictures.dtype).is_floating
    if not floats or len(pictures.shape) != 4 or pictures.shape[3] != 3 or 0 in pictures.shape:
        raise InputError(
            f"{name}: expected floats [B, H, W, 3] in [0, 1], got "
            f"{tf.as_dtype(pictures.dtype).name} {list(pictures.shape)}"
        )
    if name == "content" and min(pictures.shape[1:3]) < SHORTEST:
        raise InputError(
            f"content: {pictures.shape[2]} x {pictures.shape[1]} px; expected sides of {SHORTEST} "
            "px or more; enlarge it"
        )
    return tf.cast(pictures, tf.float32)


def _checked_strength(strength: float) -> float:
    if not 0 <= strength <= 1:
        raise InputError(f"strength={strength}: expected a number from 0 to 1")
    return strength
