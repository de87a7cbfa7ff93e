"""VGG feature extractor: images in, features of the style and content layers out.

Simonyan & Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition".
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from nst_tf.digests import file_sha256
from nst_tf.errors import InputError, one_line
from nst_tf.networks.precision import resolve as resolve_precision
from nst_tf.networks.weights import bundled_path
from nst_tf.settings import Settings

_BUNDLED = "vgg19_notop_f16.h5"
_BUNDLED_SHA256 = "a6f9c6758963be687fe917528064d3fd478940d3d2cffffe8e159f480f382edf"
# bfloat16's 8 bits would round small changes of the image away; this layer is 1/200 of the work.
_ALWAYS_FLOAT32 = "block1_conv1"

# From images to the features of style and content layers, by layer name.
Network = Callable[[tf.Tensor], dict[str, Mapping[str, tf.Tensor]]]


class _Application(NamedTuple):
    build: Callable[..., tf.keras.Model]
    preprocess: Callable[[tf.Tensor], tf.Tensor]


_APPLICATIONS = {
    "vgg19": _Application(
        tf.keras.applications.VGG19, tf.keras.applications.vgg19.preprocess_input
    ),
    "vgg16": _Application(
        tf.keras.applications.VGG16, tf.keras.applications.vgg16.preprocess_input
    ),
}


class _Extractor(tf.keras.Model):
    """A model that runs as a graph even when it is called eagerly."""

    # A graph fuses a convolution with its bias and ReLU, and rounds once. In bfloat16, features
    # computed eagerly would differ from those of an equal image in a traced step.

    def __init__(self, image: tf.Tensor, outputs: dict, name: str):
        super().__init__(image, outputs, name=name)
        self._graph: Any = None

    def __call__(self, image: tf.Tensor, *args: Any, **kwargs: Any) -> dict:
        if not tf.executing_eagerly() or isinstance(image, tf.keras.KerasTensor):
            return super().__call__(image, *args, **kwargs)
        if self._graph is None:
            signature = [tf.TensorSpec([None, None, None, 3], tf.float32)]
            function = tf.function(super().__call__, signature, autograph=False)
            # TensorFlow warns of retracing where several networks are built one after another.
            self._graph = function.get_concrete_function()
        return self._graph(tf.convert_to_tensor(image, tf.float32))


@contextlib.contextmanager
def _keras_defaults() -> Iterator[None]:
    """Keras's global settings as they come, whatever the program around has set."""
    keras = tf.keras.config
    before = keras.image_data_format(), keras.floatx(), keras.dtype_policy()

    def set_globals(image_data_format: str, floatx: str, dtype_policy: Any) -> None:
        keras.set_image_data_format(image_data_format)
        keras.set_floatx(floatx)
        keras.set_dtype_policy(dtype_policy)

    set_globals("channels_last", "float32", "float32")
    try:
        yield
    finally:
        set_globals(*before)


@_keras_defaults()
def extractor(
    style_layers: Sequence[str],
    content_layers: Sequence[str],
    *,
    network: str,
    weights: str,
    pooling: str,
    precision: str,
) -> tf.keras.Model:
    """Build the feature extractor of the losses.

    Args:
        style_layers: names of VGG layers in Keras, for the style loss.
        content_layers: names of VGG layers in Keras, for the content loss.
        network: `vgg19` or `vgg16`.
        weights: `bundled` (VGG19 only), `imagenet` (downloaded once by Keras) or the path of an
            .h5 file without the classifier, in the format of `keras.applications`.
        pooling: `max` as trained, or `avg` as in Gatys et al. 2016, section 2.
        precision: float type of the convolutions, `auto`, `float32`, `bfloat16` or `float16`; the
            first convolution stays float32.

    Returns:
        A model from float32 sRGB [B, H, W, 3] in [0, 1] to
        `{'style': {layer: [B, h, w, C]}, 'content': {layer: [B, h, w, C]}}` in that precision,
        cut at the deepest requested layer. It includes VGG's BGR order and mean subtraction.

    Raises:
        InputError: a layer the network does not have, or weights that cannot be loaded.
    """
    precision = resolve_precision(precision)
    vgg = _load(network, weights)
    _check_layers("style_layers", style_layers, vgg, network)
    _check_layers("content_layers", content_layers, vgg, network)
    image = tf.keras.Input((None, None, 3), name="image")
    x = _APPLICATIONS[network].preprocess(image * 255.0)
    features = {}
    for layer in _needed_layers(vgg, {*style_layers, *content_layers}):
        if pooling == "avg" and isinstance(layer, tf.keras.layers.MaxPooling2D):
            layer = tf.keras.layers.AveragePooling2D(2, name=layer.name)
        x = features[layer.name] = _in_precision(layer, precision)(x)
    outputs = {
        "style": {name: features[name] for name in style_layers},
        "content": {name: features[name] for name in content_layers},
    }
    model = _Extractor(image, outputs, name=network)
    model.trainable = False
    return model


def extractor_from_settings(settings: Settings, precision: str) -> tf.keras.Model:
    """The extractor that settings describe, in a precision that they may leave open."""
    return extractor(
        settings.style_layers,
        settings.content_layers,
        network=settings.network,
        weights=settings.vgg_weights,
        pooling=settings.pooling,
        precision=precision,
    )


def origin(settings: Settings) -> dict[str, str]:
    """The source of the weights: file name, and SHA-256 and license where they are known."""
    license_text = "CC BY 4.0, K. Simonyan and A. Zisserman"
    if settings.vgg_weights == "bundled":
        return {"file": _BUNDLED, "sha256": _BUNDLED_SHA256, "licence": license_text}
    if settings.vgg_weights == "imagenet":
        return {"file": f"Keras's imagenet weights of {settings.network}", "licence": license_text}
    path = Path(settings.vgg_weights)
    if not path.is_file():
        raise _no_file(settings.network, settings.vgg_weights)
    return {"file": path.name, "sha256": file_sha256(path)}


def _needed_layers(vgg: tf.keras.Model, names: set[str]) -> list[tf.keras.layers.Layer]:
    """The network's layers after its input, as far as they are needed."""
    layers = vgg.layers[1:]
    return layers[: 1 + max(index for index, layer in enumerate(layers) if layer.name in names)]


def _in_precision(layer: tf.keras.layers.Layer, precision: str) -> tf.keras.layers.Layer:
    """The layer with its weights and arithmetic in another float type."""
    if layer.name == _ALWAYS_FLOAT32 or layer.dtype_policy.name == precision:
        return layer
    copy = type(layer).from_config(layer.get_config() | {"dtype": precision})
    if layer.weights:
        # Random initial values would take a tenth of a second, only to be replaced.
        copy.kernel_initializer = tf.keras.initializers.Zeros()
        copy.build((None, None, None, layer.input.shape[-1]))
        copy.set_weights(layer.get_weights())
    return copy


def _load(network: str, weights: str) -> tf.keras.Model:
    """The network of `keras.applications` without its classifier, with its weights."""
    source = weights
    if weights == "bundled":
        source = _bundled_weights(network)
    elif weights != "imagenet" and not Path(weights).is_file():
        raise _no_file(network, weights)
    try:
        # Keras reports a download on stdout, which belongs to the program.
        with contextlib.redirect_stdout(io.StringIO()):
            return _APPLICATIONS[network].build(include_top=False, weights=source)
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise InputError(
            f"network={network}: there is too little memory for its weights; end other programs, "
            "or raise the limit of this one"
        ) from error
    # Keras and h5py raise any type of error, for a failed download a bare Exception.
    except Exception as error:
        if weights == "imagenet":
            raise InputError(
                f"vgg_weights=imagenet: Keras could not download the {network} weights "
                f"({one_line(error)}); connect to the internet once, or give "
                "--vgg_weights=bundled or the path of an .h5 file"
            ) from error
        raise InputError(
            f"vgg_weights={weights}: not the weights of a {network} without its classifier "
            f"({one_line(error)}); give an .h5 file in the format of keras.applications"
        ) from error


def _no_file(network: str, weights: str) -> InputError:
    return InputError(
        f"vgg_weights={weights}: no such file; give bundled, imagenet or the path of an .h5 file "
        f"with {network} weights"
    )


def _bundled_weights(network: str) -> str:
    """The path of the bundled weights, after a check of their digest."""
    if network != "vgg19":
        raise InputError(
            f"network={network}: its weights are not bundled; give --vgg_weights=imagenet or the "
            "path of an .h5 file"
        )
    path = bundled_path(_BUNDLED)
    if not path.is_file():
        raise InputError(f"{path}: the bundled weights are missing; install nst_tf again")
    if file_sha256(path) != _BUNDLED_SHA256:
        raise InputError(f"{path}: the bundled weights are damaged; install nst_tf again")
    return str(path)


def _check_layers(setting: str, layers: Sequence[str], vgg: tf.keras.Model, network: str) -> None:
    valid = [layer.name for layer in vgg.layers[1:]]
    for name in layers:
        if name not in valid:
            raise InputError(
                f"{setting}={name}: {network} has no such layer; expected some of "
                f"{', '.join(valid)}"
            )
