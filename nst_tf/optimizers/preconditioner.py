"""The preconditioner: slow changes across an image get larger steps than fast ones.

Olah, Mordvintsev & Schubert 2017, "Feature Visualization", section "Preconditioning and
Parameterization": steepest descent on an image in the Fourier basis, scaled so that all frequencies
have the same energy. Here the scale is a power of the frequency, and L-BFGS takes it as its first
guess of the inverse Hessian.
"""

import tensorflow as tf


def fourier_precondition(image: tf.Tensor, exponent: float) -> tf.Tensor:
    """Multiply each frequency of an image by frequency^-exponent.

    With this filter as the first guess of the inverse Hessian, L-BFGS is L-BFGS on the Fourier
    coefficients divided by frequency^(-exponent / 2), without the change of variable.

    Args:
        image: float32 [B, H, W, C].
        exponent: 0 leaves the image as it is; at 1 half the frequency has twice the gain.

    Returns:
        float32 [B, H, W, C].
    """
    height, width = tf.shape(image)[1], tf.shape(image)[2]
    planes = tf.transpose(image, [0, 3, 1, 2])
    spectrum = tf.signal.rfft2d(planes) * tf.cast(_gains(height, width, exponent), tf.complex64)
    filtered = tf.signal.irfft2d(spectrum, fft_length=[height, width])
    filtered = tf.ensure_shape(filtered, planes.shape)
    return tf.transpose(filtered, [0, 2, 3, 1])


def _gains(height: tf.Tensor, width: tf.Tensor, exponent: float) -> tf.Tensor:
    """frequency^-exponent for each coefficient of rfft2d, float32 [H, W // 2 + 1]."""
    h, w = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    down = tf.range(h) / h
    down = tf.minimum(down, 1 - down)
    across = tf.range(tf.floor(w / 2) + 1) / w
    frequency = tf.sqrt(tf.square(down[:, tf.newaxis]) + tf.square(across))
    # The mean color has frequency 0; it counts as one wave across the long side.
    frequency = tf.maximum(frequency, 1 / tf.maximum(h, w))
    return frequency**-exponent
