"""Feature extractors for the tests: VGG, built once in a process, and a small network like it."""

import functools

import tensorflow as tf

from nst_tf.networks import vgg

# The layers of `small_network`; VGG has them, too.
LAYERS = dict(style_layers=("block1_conv1", "block2_conv1"), content_layers=("block2_conv2",))


def extractor(settings, precision="float32"):
    """`vgg.extractor_from_settings` with the bundled VGG19."""
    return _extractor(settings.style_layers, settings.content_layers, settings.pooling, precision)


@functools.cache
def _extractor(style_layers, content_layers, pooling, precision):
    return vgg.extractor(
        style_layers,
        content_layers,
        network="vgg19",
        weights="bundled",
        pooling=pooling,
        precision=precision,
    )


@functools.cache
def small_network(precision="float32", pooling="max"):
    """A few narrow layers with random weights, named, padded and pooled as VGG's."""

    def convolution(name, filters, dtype):
        initializer = tf.keras.initializers.HeUniform(seed=filters)
        return tf.keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            activation="relu",
            name=name,
            dtype=dtype,
            kernel_initializer=initializer,
        )

    pool = {"max": tf.keras.layers.MaxPooling2D, "avg": tf.keras.layers.AveragePooling2D}[pooling]
    image = tf.keras.Input((None, None, 3))
    first = convolution("block1_conv1", 8, "float32")(2 * image - 1)
    second = convolution("block2_conv1", 12, precision)(pool(2, dtype=precision)(first))
    third = convolution("block2_conv2", 10, precision)(second)
    style = {"block1_conv1": first, "block2_conv1": second}
    return tf.keras.Model(image, {"style": style, "content": {"block2_conv2": third}})


class RecordingNetwork:
    """A network that records the pixels of each image it evaluates, and counts its traces."""

    def __init__(self, network):
        self._network, self.layers = network, network.layers
        self.evaluated, self.traces = [], 0

    def __call__(self, image):
        if tf.executing_eagerly():
            self.evaluated.append(image.shape[1] * image.shape[2])
        else:
            self.traces += 1
        return self._network(image)
