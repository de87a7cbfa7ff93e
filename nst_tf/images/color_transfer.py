"""Keeping the content image's colours: by luminance-only transfer, or by recolouring the style.

Gatys, Bethge, Hertzmann & Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer".
Luminance is the L of Oklab, in which equal steps look equal: Ottosson 2020, "A perceptual color
space for image processing". Images are float32 sRGB [..., 3] in [0, 1].
"""

from collections.abc import Sequence

import tensorflow as tf

from nst_tf.images.pixels import ImageLike

# Oklab: linear sRGB to the cones' responses, and their cube roots to L, a and b.
_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_OKLAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
# Bisections of the chroma's scale, down to float32's resolution.
_BISECTIONS = 24
# How far rounding alone may take a value in [0, 1].
_ROUNDING = 1e-6
# Of a large image, at a time.
_GRAY_ROWS = 256


def match(style_image: tf.Tensor, content_image: tf.Tensor) -> tf.Tensor:
    """Give a style image the mean and the covariance of a content image's colours.

    Section 4.1 of the paper, with the symmetric square root (what it calls Image Analogies): the
    linear map of sRGB values, not of linear light, that changes colours least.

    Returns:
        float32 sRGB of the style image's shape; some values may lie outside [0, 1].
    """
    mean, covariance = _moments(content_image)
    style_mean, style_covariance = _moments(style_image)
    color_map = _power(covariance, 0.5) @ _power(style_covariance, -0.5)
    centered = tf.cast(style_image, tf.float64) - style_mean
    return tf.cast(tf.einsum("...i,ji->...j", centered, color_map) + mean, tf.float32)


def is_gray(image: ImageLike, tolerance: float = 1 / 255) -> tf.Tensor:
    """Whether the channels of each pixel differ by at most `tolerance`; in a graph a tensor."""
    spread = tf.reduce_max(image, axis=-1) - tf.reduce_min(image, axis=-1)
    return tf.reduce_max(spread) <= tolerance + _ROUNDING


def gray(image: tf.Tensor) -> tf.Tensor:
    """The luminance of an image, as three equal channels in [0, 1]."""
    rgb = _from_oklab(to_oklab(image) * [1.0, 0.0, 0.0])
    # Equal to the last bit, which rounding alone would not make them.
    return tf.repeat(tf.clip_by_value(rgb[..., 1:2], 0.0, 1.0), 3, axis=-1)


def keep_gray(stylized: tf.Tensor, contents: tf.Tensor, gray_styles: Sequence[bool]) -> tf.Tensor:
    """Take the color, which is noise, from gray content images in gray styles; all [B, H, W, 3]."""
    if not any(gray_styles):
        return stylized
    gray_styles = list(gray_styles) * (len(contents) // len(gray_styles))
    images = [
        _gray_in_parts(image) if is_style_gray and is_gray(content) else image
        for image, content, is_style_gray in zip(stylized, contents, gray_styles, strict=True)
    ]
    return tf.stack(images)


def gray_like(style_image: tf.Tensor, content_image: tf.Tensor) -> tf.Tensor:
    """The luminance of a style image, with mean and deviation of a content image's; section 4.2."""
    luminance, target = to_oklab(style_image)[..., :1], to_oklab(content_image)[..., 0]
    deviation = tf.math.reduce_std(luminance)
    # A style image of one colour has nothing to stretch but rounding.
    scale = tf.where(deviation > 1e-4, tf.math.reduce_std(target) / deviation, 0.0)
    luminance = (luminance - tf.reduce_mean(luminance)) * scale + tf.reduce_mean(target)
    luminance = tf.clip_by_value(luminance, 0.0, 1.0)
    zeros = tf.zeros_like(luminance)
    return tf.clip_by_value(_from_oklab(tf.concat([luminance, zeros, zeros], -1)), 0.0, 1.0)


def recolor(image: tf.Tensor, content_image: tf.Tensor) -> tf.Tensor:
    """Give an image the chrominance of a content image of its shape; its own luminance stays.

    Returns:
        float32 sRGB in [0, 1]. Where sRGB has no such colour, luminance and hue stay and the
        chroma is the greatest that there is.
    """
    pixels = tf.reshape(tf.convert_to_tensor(image, tf.float32), [-1, 3])
    luminance = to_oklab(pixels)[:, :1]
    chrominance = tf.reshape(to_oklab(content_image)[..., 1:], [-1, 2])
    scale = tf.ones_like(luminance)
    outside = tf.where(~_in_gamut(luminance, chrominance)[:, 0])
    if tf.size(outside):
        luminances, chrominances = (tf.gather_nd(x, outside) for x in (luminance, chrominance))
        largest = _max_chroma_scale(luminances, chrominances)
        scale = tf.tensor_scatter_nd_update(scale, outside, largest)
    rgb = _linear_from_oklab(tf.concat([luminance, scale * chrominance], -1))
    return tf.reshape(tf.clip_by_value(_encode(rgb), 0.0, 1.0), tf.shape(image))


def _max_chroma_scale(luminance: tf.Tensor, chrominance: tf.Tensor) -> tf.Tensor:
    """The largest factor in [0, 1] that keeps each chrominance in sRGB, by bisection."""
    low, high = tf.zeros_like(luminance), tf.ones_like(luminance)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        inside = _in_gamut(luminance, middle * chrominance)
        low, high = tf.where(inside, middle, low), tf.where(inside, high, middle)
    return low


def _in_gamut(luminance: tf.Tensor, chrominance: tf.Tensor) -> tf.Tensor:
    """Whether sRGB has these colours."""
    rgb = _linear_from_oklab(tf.concat([luminance, chrominance], -1))
    inside = (rgb >= -_ROUNDING) & (rgb <= 1 + _ROUNDING)
    return tf.reduce_all(inside, axis=-1, keepdims=True)


def to_oklab(rgb: tf.Tensor) -> tf.Tensor:
    """Oklab [..., 3]: L in [0, 1], a (green to red) and b (blue to yellow) within 0.4 of 0."""
    rgb = tf.convert_to_tensor(rgb, tf.float32)
    low = rgb / 12.92
    linear = tf.where(rgb <= 0.04045, low, ((tf.maximum(rgb, 0.04045) + 0.055) / 1.055) ** 2.4)
    cones = tf.maximum(linear @ tf.transpose(tf.constant(_CONES)), 0.0)
    return cones ** (1 / 3) @ tf.transpose(tf.constant(_OKLAB))


def _linear_from_oklab(lab: tf.Tensor) -> tf.Tensor:
    roots = lab @ tf.transpose(tf.linalg.inv(tf.constant(_OKLAB)))
    return roots**3 @ tf.transpose(tf.linalg.inv(tf.constant(_CONES)))


def _from_oklab(lab: tf.Tensor) -> tf.Tensor:
    return _encode(_linear_from_oklab(lab))


def _encode(linear: tf.Tensor) -> tf.Tensor:
    """Linear light to sRGB, IEC 61966-2-1."""
    high = 1.055 * tf.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return tf.where(linear <= 0.0031308, 12.92 * linear, high)


def _gray_in_parts(image: tf.Tensor) -> tf.Tensor:
    # Since what Oklab takes on the way is several times the image.
    starts = range(0, len(image), _GRAY_ROWS)
    return tf.concat([gray(image[start : start + _GRAY_ROWS]) for start in starts], axis=0)


def _moments(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The mean colour [3] and the covariance [3, 3], float64."""
    colors = tf.reshape(tf.cast(image, tf.float64), [-1, 3])
    mean = tf.reduce_mean(colors, axis=0)
    centered = colors - mean
    count = tf.cast(tf.shape(colors)[0], tf.float64)
    return mean, tf.matmul(centered, centered, transpose_a=True) / count


def _power(symmetric: tf.Tensor, exponent: float) -> tf.Tensor:
    values, vectors = tf.linalg.eigh(symmetric)
    # A grey style image has directions without variance, which no map can widen.
    powers = tf.where(values > 1e-9, tf.maximum(values, 1e-9) ** exponent, 0.0)
    return vectors @ tf.linalg.diag(powers) @ tf.transpose(vectors)
