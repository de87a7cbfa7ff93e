"""JPEG and PNG files in an exported graph: what `serving_bytes` takes and gives."""

from typing import NamedTuple

import tensorflow as tf

from nst_tf.export import checks, exif
from nst_tf.images.cutout import crop_to_visible, fill_hidden
from nst_tf.images.pixels import resize

# The first bytes of a file.
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# What ends one.
_JPEG_END, _PNG_END = b"\xff\xd9", b"IEND\xae\x42\x60\x82"
# What says that a PNG is sRGB, and where it stands: behind signature and header.
_SRGB_CHUNK, _PNG_HEADER = b"\0\0\0\x01sRGB\0\xae\xce\x1c\xe9", 33


class Picture(NamedTuple):
    """A picture: float32 [1, H, W, 3] and its opacity float32 [H, W], each in [0, 1]."""

    rgb: tf.Tensor
    alpha: tf.Tensor


def decode(name: str, encoded: tf.Tensor) -> Picture:
    """Decode a JPEG file, turned upright by its EXIF data, or a PNG file.

    Transparent pixels get the colors of visible ones.
    """
    is_jpeg, is_png = (
        tf.strings.substr(encoded, 0, len(signature)) == signature for signature in (_JPEG, _PNG)
    )
    message = f"{name}: expected a JPEG or PNG file, got another one of this many bytes:"
    size = tf.strings.length(encoded)
    encoded = checks.require(
        encoded,
        (is_jpeg | is_png, message, size),
        (_has_end(encoded, is_jpeg), f"{name}: is cut short, to this many bytes:", size),
    )

    def decode_jpeg() -> tf.Tensor:
        # As Pillow decodes them. The name is that of the input in the error of a damaged file.
        rgb = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE", name=name)
        rgb = exif.turn_upright(rgb, exif.orientation(encoded))
        return tf.concat([rgb, 255 * tf.ones_like(rgb[..., :1])], axis=-1)

    samples = tf.cond(
        is_jpeg, decode_jpeg, lambda: tf.io.decode_png(encoded, channels=4, name=name)
    )
    samples = tf.cast(samples, tf.float32) / 255.0
    rgb, alpha = samples[..., :3], samples[..., 3]
    message = f"{name}: expected something to see, got a picture that is all transparent:"
    alpha = checks.require(alpha, (tf.reduce_any(alpha > 0), message, tf.shape(alpha)))
    is_opaque = tf.reduce_all(alpha == 1)
    rgb = tf.cond(is_opaque, lambda: rgb, lambda: fill_hidden(rgb, alpha))
    return Picture(rgb[tf.newaxis], alpha)


def _has_end(encoded: tf.Tensor, is_jpeg: tf.Tensor) -> tf.Tensor:
    """Whether the end of a JPEG or PNG file is there, whatever follows it."""
    start = tf.cond(is_jpeg, lambda: exif.scan_start(encoded), lambda: 0)
    scans = tf.strings.substr(encoded, start, tf.strings.length(encoded))
    return tf.size(tf.strings.split(scans, tf.where(is_jpeg, _JPEG_END, _PNG_END))) > 1


def decode_style(name: str, encoded: tf.Tensor) -> tf.Tensor:
    """Decode a file as float32 [1, h, w, 3]: of a cut-out, the rectangle that is visible."""
    rgb, alpha = decode(name, encoded)
    return crop_to_visible(rgb[0], alpha)[tf.newaxis]


def encode(image: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """The first image of a batch in [0, 1] as a PNG file, rounded as `pixels.to_uint` does.

    It says that it is sRGB. It has an alpha channel, `alpha` at its size, unless that is opaque.
    """
    size = tf.shape(image)[1:3]

    def with_alpha() -> tf.Tensor:
        resized = resize(alpha[..., tf.newaxis], size[0], size[1])
        return tf.concat([image[0], resized], axis=-1)

    # `encode_png` takes one number of channels, which it reads when it runs.
    samples = tf.cond(tf.reduce_all(alpha == 1), lambda: image[0], with_alpha)
    png = tf.io.encode_png(tf.cast(samples * 255.0 + 0.5, tf.uint8))
    header = tf.strings.substr(png, 0, _PNG_HEADER)
    rest = tf.strings.substr(png, _PNG_HEADER, tf.strings.length(png))
    return tf.strings.join([header, _SRGB_CHUNK, rest])
