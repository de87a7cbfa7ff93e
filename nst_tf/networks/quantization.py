"""A network as it is stored in an export: two bytes a weight where they are enough."""

import tensorflow as tf

from nst_tf.networks.vgg import Network


class Stored(tf.Module):
    """The weights of an extractor: float16 in place of float32 where that loses nothing.

    The bundled weights are float16 to begin with; others may not be.
    """

    def __init__(self, extractor: tf.keras.Model):
        """Take the weights.

        Args:
            extractor: the model of `features.extractor`.
        """
        super().__init__()
        self._dtypes = [tf.as_dtype(variable.dtype) for variable in extractor.variables]
        self.weights = [
            tf.Variable(_short(variable.value), trainable=False, name=variable.path)
            for variable in extractor.variables
        ]
        # Only this method: the model itself would be saved with its own variables.
        self._call = extractor.stateless_call

    def network(self) -> Network:
        """The network on its stored weights, which are cast once, here.

        Returns:
            A function of pictures, as the extractor.
        """
        weights = [
            tf.cast(weight, dtype) for weight, dtype in zip(self.weights, self._dtypes, strict=True)
        ]
        return lambda image: self._call([], weights, image)[0]


def _short(weight: tf.Tensor) -> tf.Tensor:
    short = tf.cast(weight, tf.float16)
    same = weight.dtype == tf.float32 and tf.reduce_all(tf.cast(short, tf.float32) == weight)
    return short if same else weight
