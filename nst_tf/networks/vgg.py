"""The VGG extractor: pictures in, the features of the style and content layers out.

Simonyan & Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition".
"""

import contextlib
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.networks import weights
from nst_tf.settings import Settings

_BUNDLED = "vgg19_notop_f16.h5"
# It sees the picture itself, whose small changes bfloat16's 8 bits would round away, at a
# two-hundredth of the work.
_ALWAYS_FLOAT32 = "block1_conv1"
_BUNDLED_SHA256 = "a6f9c6758963be687fe917528064d3fd478940d3d2cffffe8e159f480f382edf"

# From pictures to the features of style and content layers, by layer name.
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
    """A model that is a graph even where it is called by itself.

    Graphs join a convolution with its bias and its ReLU, and round once. In bfloat16 the features
    of the photograph would not be those of an equal picture in a step, if one were a graph and the
    other were not.
    """

    def __init__(self, image: Any, outputs: Any, name: str):
        super().__init__(image, outputs, name=name)
        signature = [tf.TensorSpec([None, None, None, 3], tf.float32)]
        self._graph = tf.function(super().__call__, signature, autograph=False)

    def __call__(self, image: Any, *args: Any, **kwargs: Any) -> Any:
        alone = tf.executing_eagerly() and not isinstance(image, tf.keras.KerasTensor)
        return self._graph(image) if alone else super().__call__(image, *args, **kwargs)


def extractor(
    style_layers: Sequence[str],
    content_layers: Sequence[str],
    *,
    network: str,
    weights: str,
    pooling: str,
    precision: str,
) -> tf.keras.Model:
    """Build the network that the losses look through.

    Args:
        style_layers: names of the VGG layers whose features make the style, as in Keras.
        content_layers: names of the VGG layers whose features make the content.
        network: `vgg19` or `vgg16`.
        weights: `bundled` (VGG19 only), `imagenet` (Keras downloads it once) or the path of an
            .h5 file without the classifier, as `keras.applications` takes it.
        pooling: `max` as trained, or `avg` as in Gatys et al. 2016, section 2.
        precision: the convolutions' type: `float32`, `bfloat16` or `float16`; the
            first one's is float32 always.

    Returns:
        A model from float32 RGB [B, H, W, 3] in [0, 1] to
        `{'style': {layer: [B, h, w, C]}, 'content': {layer: [B, h, w, C]}}` in their precision,
        cut at the deepest layer asked for. VGG's BGR order and mean subtraction happen inside.

    Raises:
        InputError: a layer the network does not have, or weights that cannot be loaded.
    """
    vgg = _load(network, weights)
    _check_layers("style_layers", style_layers, vgg, network)
    _check_layers("content_layers", content_layers, vgg, network)
    image = tf.keras.Input((None, None, 3), name="image")
    x = _APPLICATIONS[network].preprocess(image * 255.0)
    features = {}
    for layer in _up_to_the_deepest(vgg, {*style_layers, *content_layers}):
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


def of(settings: Settings, precision: str) -> tf.keras.Model:
    """The extractor that settings describe.

    Args:
        settings: layers, network, weights and pooling.
        precision: as of `extractor`; settings may leave it open.

    Returns:
        As of `extractor`.

    Raises:
        InputError: as of `extractor`.
    """
    return extractor(
        settings.style_layers,
        settings.content_layers,
        network=settings.network,
        weights=settings.vgg_weights,
        pooling=settings.pooling,
        precision=precision,
    )


def origin(settings: Settings) -> dict[str, Any]:
    """Where the weights that settings name are from.

    Args:
        settings: network and weights.

    Returns:
        The file's name, its SHA-256 and the licence, as far as they are known.

    Raises:
        InputError: there is no such file.
    """
    licence = "CC BY 4.0, K. Simonyan and A. Zisserman"
    if settings.vgg_weights == "bundled":
        return {"file": _BUNDLED, "sha256": _BUNDLED_SHA256, "licence": licence}
    if settings.vgg_weights == "imagenet":
        return {"file": f"Keras's imagenet weights of {settings.network}", "licence": licence}
    path = Path(settings.vgg_weights)
    if not path.is_file():
        raise _no_file(settings.network, settings.vgg_weights)
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _up_to_the_deepest(vgg: tf.keras.Model, names: set[str]) -> list[tf.keras.layers.Layer]:
    layers = vgg.layers[1:]
    return layers[: 1 + max(index for index, layer in enumerate(layers) if layer.name in names)]


def _in_precision(layer: tf.keras.layers.Layer, precision: str) -> tf.keras.layers.Layer:
    """The layer with its weights and arithmetic in another float type."""
    if layer.name == _ALWAYS_FLOAT32 or layer.dtype_policy.name == precision:
        return layer
    copy = type(layer).from_config(layer.get_config() | {"dtype": precision})
    if layer.weights:
        # Random numbers would take a tenth of a second, only to be replaced.
        copy.kernel_initializer = tf.keras.initializers.Zeros()
        copy.build((None, None, None, layer.input.shape[-1]))
        copy.set_weights(layer.get_weights())
    return copy


def _load(network: str, weights: str) -> tf.keras.Model:
    """The network as `keras.applications` builds it, with its weights."""
    source = weights
    if weights == "bundled":
        source = _bundled_weights(network)
    elif weights != "imagenet" and not Path(weights).is_file():
        raise _no_file(network, weights)
    try:
        # Keras reports a download on stdout, which belongs to the program.
        with contextlib.redirect_stdout(io.StringIO()):
            return _APPLICATIONS[network].build(include_top=False, weights=source)
    except MemoryError:
        raise
    # Keras and h5py raise whatever comes up, bare Exception for a failed download included.
    except Exception as error:
        reason = " ".join(str(error).split())
        if weights == "imagenet":
            raise InputError(
                f"vgg_weights=imagenet: Keras could not fetch the {network} weights ({reason}); "
                "connect to the network once, or give --vgg_weights=bundled or the path of an "
                ".h5 file"
            ) from error
        raise InputError(
            f"vgg_weights={weights}: not the weights of a {network} without its classifier "
            f"({reason}); give an .h5 file as keras.applications takes it"
        ) from error


def _no_file(network: str, weights: str) -> InputError:
    return InputError(
        f"vgg_weights={weights}: is no file; give bundled, imagenet or the path of an .h5 file "
        f"with {network} weights"
    )


def _bundled_weights(network: str) -> str:
    """The path of the bundled weights, once their digest has been found right."""
    if network != "vgg19":
        raise InputError(
            f"network={network}: its weights are not bundled; give --vgg_weights=imagenet or the "
            "path of an .h5 file"
        )
    path = weights.path(_BUNDLED)
    if not path.is_file():
        raise InputError(f"{path}: the bundled weights are missing; install nst_tf again")
    if hashlib.sha256(path.read_bytes()).hexdigest() != _BUNDLED_SHA256:
        raise InputError(f"{path}: the bundled weights are damaged; install nst_tf again")
    return str(path)


def _check_layers(setting: str, asked: Sequence[str], vgg: tf.keras.Model, network: str) -> None:
    valid = [layer.name for layer in vgg.layers[1:]]
    for name in asked:
        if name not in valid:
            raise InputError(
                f"{setting}={name}: {network} has no such layer; expected some of "
                f"{', '.join(valid)}"
            )
