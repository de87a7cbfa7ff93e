"""Keeping the photograph's colours: by painting in luminance, or by recolouring the painting.

Gatys, Bethge, Hertzmann & Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer".
Luminance is the L of Oklab, in which equal steps look equal: Ottosson 2020, "A perceptual color
space for image processing".
"""

import tensorflow as tf

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
# Halvings of the chroma's share; the last is less than float32 can tell.
_HALVINGS = 24
# How far outside [0, 1] rounding alone may take a linear sRGB value.
_ROUNDING = 1e-6


def match(painting: tf.Tensor, photograph: tf.Tensor) -> tf.Tensor:
    """Give a painting the mean and the covariance of a photograph's colours.

    Section 4.1 of the paper, with the symmetric square root (what it calls Image Analogies): the
    linear map of sRGB values, not of linear light, that changes colours least.

    Args:
        painting: float32 sRGB [..., 3] in [0, 1].
        photograph: float32 sRGB [..., 3] in [0, 1].

    Returns:
        float32 sRGB of the painting's shape; some values may lie outside [0, 1].
    """
    mean, spread = _moments(photograph)
    own_mean, own_spread = _moments(painting)
    change = _power(spread, 0.5) @ _power(own_spread, -0.5)
    centred = tf.cast(painting, tf.float64) - own_mean
    return tf.cast(tf.einsum("...i,ji->...j", centred, change) + mean, tf.float32)


def grey(picture: tf.Tensor) -> tf.Tensor:
    """The luminance of a picture, as a grey picture.

    Args:
        picture: float32 sRGB [..., 3] in [0, 1].

    Returns:
        float32 sRGB of the same shape, three equal channels in [0, 1].
    """
    return tf.clip_by_value(_from_oklab(to_oklab(picture) * [1.0, 0.0, 0.0]), 0.0, 1.0)


def grey_like(painting: tf.Tensor, photograph: tf.Tensor) -> tf.Tensor:
    """The luminance of a painting, with the mean and the deviation of a photograph's.

    Section 4.2 of the paper.

    Args:
        painting: float32 sRGB [..., 3] in [0, 1].
        photograph: float32 sRGB [..., 3] in [0, 1].

    Returns:
        float32 sRGB of the painting's shape, three equal channels in [0, 1].
    """
    luminance, wanted = to_oklab(painting)[..., :1], to_oklab(photograph)[..., 0]
    deviation = tf.math.reduce_std(luminance)
    # A painting of one colour has nothing to stretch but rounding.
    scale = tf.where(deviation > 1e-4, tf.math.reduce_std(wanted) / deviation, 0.0)
    luminance = (luminance - tf.reduce_mean(luminance)) * scale + tf.reduce_mean(wanted)
    luminance = tf.clip_by_value(luminance, 0.0, 1.0)
    zeros = tf.zeros_like(luminance)
    return tf.clip_by_value(_from_oklab(tf.concat([luminance, zeros, zeros], -1)), 0.0, 1.0)


def recolour(painted: tf.Tensor, photograph: tf.Tensor) -> tf.Tensor:
    """Give a picture the photograph's chrominance; its own luminance stays.

    Args:
        painted: float32 sRGB [..., 3] in [0, 1].
        photograph: float32 sRGB of the same shape, in [0, 1].

    Returns:
        float32 sRGB of the same shape, in [0, 1]. Where sRGB has no such colour, luminance and
        hue stay and the chroma is the greatest that there is.
    """
    pixels = tf.reshape(tf.convert_to_tensor(painted, tf.float32), [-1, 3])
    luminance = to_oklab(pixels)[:, :1]
    chrominance = tf.reshape(to_oklab(photograph)[..., 1:], [-1, 2])
    share = tf.ones_like(luminance)
    outside = tf.where(~_fits(luminance, chrominance)[:, 0])
    if tf.size(outside):
        grey, color = (tf.gather_nd(each, outside) for each in (luminance, chrominance))
        share = tf.tensor_scatter_nd_update(share, outside, _most_chroma(grey, color))
    rgb = _linear_from_oklab(tf.concat([luminance, share * chrominance], -1))
    return tf.reshape(tf.clip_by_value(_encode(rgb), 0.0, 1.0), tf.shape(painted))


def _most_chroma(luminance: tf.Tensor, chrominance: tf.Tensor) -> tf.Tensor:
    """The greatest share of each chrominance that sRGB has, found by halving."""
    fitting, most = tf.zeros_like(luminance), tf.ones_like(luminance)
    for _ in range(_HALVINGS):
        middle = (fitting + most) / 2
        fit = _fits(luminance, middle * chrominance)
        fitting, most = tf.where(fit, middle, fitting), tf.where(fit, most, middle)
    return fitting


def _fits(luminance: tf.Tensor, chrominance: tf.Tensor) -> tf.Tensor:
    """Whether sRGB has these colours."""
    rgb = _linear_from_oklab(tf.concat([luminance, chrominance], -1))
    inside = (rgb >= -_ROUNDING) & (rgb <= 1 + _ROUNDING)
    return tf.reduce_all(inside, axis=-1, keepdims=True)


def to_oklab(rgb: tf.Tensor) -> tf.Tensor:
    """SRGB to Oklab.

    Args:
        rgb: float32 sRGB [..., 3] in [0, 1].

    Returns:
        float32 of the same shape: L in [0, 1], a (green to red) and b (blue to yellow), within
        0.4 of 0.
    """
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


def _moments(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The mean colour [3] and the covariance [3, 3], float64."""
    colours = tf.reshape(tf.cast(picture, tf.float64), [-1, 3])
    mean = tf.reduce_mean(colours, axis=0)
    centred = colours - mean
    count = tf.cast(tf.shape(colours)[0], tf.float64)
    return mean, tf.matmul(centred, centred, transpose_a=True) / count


def _power(symmetric: tf.Tensor, exponent: float) -> tf.Tensor:
    values, vectors = tf.linalg.eigh(symmetric)
    # A grey painting has a direction of no spread, which no map can widen.
    powers = tf.where(values > 1e-9, tf.maximum(values, 1e-9) ** exponent, 0.0)
    return vectors @ tf.linalg.diag(powers) @ tf.transpose(vectors)
