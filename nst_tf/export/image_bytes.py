"""JPEG and PNG files in an exported graph: what `serving_bytes` takes and gives."""

import tensorflow as tf

from nst_tf.export import checks

# The first bytes of a file.
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


def decode(name: str, encoded: tf.Tensor) -> tf.Tensor:
    """A JPEG or PNG file as float32 [1, H, W, 3] in [0, 1]; transparency is dropped."""
    is_jpeg, is_png = (
        tf.strings.substr(encoded, 0, len(signature)) == signature for signature in (_JPEG, _PNG)
    )
    message = f"{name}: expected a JPEG or PNG file, got another one of this many bytes:"
    encoded = checks.require(encoded, (is_jpeg | is_png, message, tf.strings.length(encoded)))
    pixels = tf.cond(
        is_jpeg,
        # As Pillow decodes them.
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_png(encoded, channels=3),
    )
    return tf.cast(pixels, tf.float32)[tf.newaxis] / 255.0


def encode(image: tf.Tensor) -> tf.Tensor:
    """The first image of a batch in [0, 1] as a PNG file, rounded as `pixels.to_uint` does."""
    return tf.io.encode_png(tf.cast(image[0] * 255.0 + 0.5, tf.uint8))
