"""Weights of an extractor as an export stores them: two bytes each where nothing is lost."""

import tensorflow as tf

from nst_tf.networks.vgg import Network


class HalfPrecisionWeights(tf.Module):
    """The weights of an extractor, float32 ones stored as float16 where that is exact."""

    # The bundled weights are float16 to begin with; others may not be.

    def __init__(self, extractor: tf.keras.Model):
        super().__init__()
        self._dtypes = [tf.as_dtype(variable.dtype) for variable in extractor.variables]
        self.weights = [
            tf.Variable(_halved(variable.value), trainable=False, name=variable.path)
            for variable in extractor.variables
        ]
        # Only this method: the model itself would be saved with its own variables.
        self._call = extractor.stateless_call

    def network(self) -> Network:
        """The extractor as a function of images; the stored weights are cast once, here."""
        weights = [
            tf.cast(weight, dtype) for weight, dtype in zip(self.weights, self._dtypes, strict=True)
        ]
        return lambda image: self._call([], weights, image)[0]


def _halved(weight: tf.Tensor) -> tf.Tensor:
    """The weight in float16 if it is float32 and loses nothing, otherwise unchanged."""
    half = tf.cast(weight, tf.float16)
    exact = weight.dtype == tf.float32 and tf.reduce_all(tf.cast(half, tf.float32) == weight)
    return half if exact else weight
