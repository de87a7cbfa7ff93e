"""The feed-forward network for TensorFlow Lite, which knows one size of picture."""

from collections.abc import Callable

import tensorflow as tf

from nst_tf.networks.convolution import floats
from nst_tf.networks.stylization import STYLE_SIZE, Arbitrary, read_weights


def fixed(height: int, width: int) -> tuple[Arbitrary, Callable]:
    """The network for one size of photograph, with weights in float32.

    Args:
        height: of the photograph.
        width: of the photograph.

    Returns:
        The network, and a concrete function of `content_image`, float32 [1, height, width, 3], and
        `style_image`, float32 [1, 256, 256, 3], that gives `output_0`, float32
        [1, height, width, 3].
    """
    # The converter sees no constants in int8 weights that are scaled in the graph.
    model = Arbitrary(floats(read_weights()))

    def paint(content_image: tf.Tensor, style_image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"output_0": model.paint(content_image, model.predictor(style_image))}

    signature = [
        tf.TensorSpec([1, height, width, 3], tf.float32),
        tf.TensorSpec([1, STYLE_SIZE, STYLE_SIZE, 3], tf.float32),
    ]
    return model, tf.function(paint, signature, autograph=False).get_concrete_function()


def convert(model: Arbitrary, function: Callable, *, quantised: bool) -> bytes:
    """Convert it.

    Args:
        model: the network, which holds the weights.
        function: of `fixed`.
        quantised: whether weights are kept as int8 ("dynamic range"); float32 otherwise.

    Returns:
        The .tflite file.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    if quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()
