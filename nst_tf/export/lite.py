"""The feed-forward network for TensorFlow Lite, whose models take images of one size."""

import tensorflow as tf

from nst_tf.networks.quantized_conv import dequantize
from nst_tf.networks.stylization import STYLE_SIZE, StylizationNetwork, read_weights


def fixed_size(
    height: int, width: int
) -> tuple[StylizationNetwork, tf.types.experimental.ConcreteFunction]:
    """The network with float32 weights, and its concrete function for content images of a size."""
    # The converter does not recognize int8 weights that are scaled in the graph as constants.
    model = StylizationNetwork(dequantize(read_weights()))

    def stylize(content_image: tf.Tensor, style_image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"output_0": model.apply_style(content_image, model.predictor(style_image))}

    signature = [
        tf.TensorSpec([1, height, width, 3], tf.float32),
        tf.TensorSpec([1, STYLE_SIZE, STYLE_SIZE, 3], tf.float32),
    ]
    return model, tf.function(stylize, signature, autograph=False).get_concrete_function()


def convert(
    model: StylizationNetwork, function: tf.types.experimental.ConcreteFunction, *, quantized: bool
) -> bytes:
    """The .tflite file, its weights float32, or int8 where it is quantized ("dynamic range")."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    if quantized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()
