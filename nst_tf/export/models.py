"""The models that are exported: what they take, what they give, and what can be said of them.

Each is a tf.Module whose functions hold their own weights and need TensorFlow alone.
"""

import dataclasses
from typing import Any

import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.export import checks, graph
from nst_tf.losses.objective import Weights
from nst_tf.losses.terms import gram
from nst_tf.networks import precision, stylization, vgg
from nst_tf.networks.quantization import Stored
from nst_tf.run import pyramid
from nst_tf.settings import Settings

_IMAGES = tf.TensorSpec([None, None, None, 3], tf.float32)
_IMAGE = tf.TensorSpec([1, None, None, 3], tf.float32)
_TEXT = tf.TensorSpec([], tf.string)
_STEPS, _WEIGHT = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)
# Knobs that each request gives.
REQUESTED = ("steps", "content_weight", "tv_weight")
# How this package uses the machine, and what only sets a knob that is requested.
_HERE = ("max_memory", "jit", "strength")


class Extractor(tf.Module):
    """Pictures in, Grams and content features out."""

    title = "VGG features: the Grams of the style layers, the features of the content layers"
    knobs: tuple[str, ...] = (
        "recipe",
        "content_layers",
        "style_layers",
        "network",
        "vgg_weights",
        "pooling",
        "precision",
    )

    def __init__(self, settings: Settings):
        """Build the network.

        Args:
            settings: layers, network, weights, pooling and precision.

        Raises:
            InputError: as `features.extractor`.
        """
        super().__init__(name="extractor")
        self.settings, self._stored = _stored(settings)

    @tf.function(input_signature=[_IMAGES], autograph=False)
    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Look at pictures.

        Args:
            image: float32 sRGB [B, H, W, 3] in [0, 1].

        Returns:
            `LAYER_gram`, float32 [B, C, C], of each style layer, divided by the layer's positions;
            `LAYER_features`, float32 [B, h, w, C], of each content layer.
        """
        seen = self._stored.network()(checks.pictures("image", image))
        grams = {f"{name}_gram": gram(layer) for name, layer in seen["style"].items()}
        content = {
            f"{name}_features": tf.cast(layer, tf.float32)
            for name, layer in seen["content"].items()
        }
        return grams | content

    def about(self) -> dict[str, Any]:
        """What a manifest says of how it was made.

        Returns:
            Its settings, and where its weights are from.
        """
        return _about(self.settings, self.knobs)

    def signatures(self) -> dict[str, Any]:
        """The functions to serve.

        Returns:
            tf.functions by name.
        """
        return {"serving_default": self.__call__}


class Optimizer(tf.Module):
    """The whole optimisation: photograph and painting in, picture out."""

    title = "Neural style transfer by optimisation, coarse to fine, as one graph"
    knobs = tuple(
        knob.name for knob in dataclasses.fields(Settings) if knob.name not in (*REQUESTED, *_HERE)
    )

    def __init__(self, settings: Settings):
        """Build the network.

        Args:
            settings: all knobs but steps, content_weight and tv_weight, which each request gives,
                and max_memory and jit: an export sees pictures whole.

        Raises:
            InputError: as `features.extractor`; a picture as `init`; other colours than the
                painting's; a size that no picture can be painted at.
        """
        if settings.color != "style":
            raise InputError(
                f"color={settings.color}: an export paints in the painting's colours; leave it out"
            )
        super().__init__(name="optimizer")
        if settings.size:
            pyramid.scale_sizes(settings.size, settings.size, settings)
        if settings.init not in ("content", "noise"):
            raise InputError(f"init={settings.init}: an export starts from content or noise")
        self.settings, self._stored = _stored(settings)

    @tf.function(input_signature=[_IMAGE, _IMAGE, _STEPS, _WEIGHT, _WEIGHT], autograph=False)
    def __call__(
        self,
        content: tf.Tensor,
        style: tf.Tensor,
        steps: tf.Tensor,
        content_weight: tf.Tensor,
        tv_weight: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Paint.

        Args:
            content: the photograph, float32 sRGB [1, H, W, 3] in [0, 1].
            style: the painting, float32 sRGB [1, h, w, 3] in [0, 1].
            steps: int32 from 1; iterations at the coarsest scale, three fifths as many with each
                finer one.
            content_weight: float32 from 0.
            tv_weight: float32 from 0.

        Returns:
            `stylized`, float32 sRGB [1, H, W, 3] in [0, 1], and `losses`, float32 [n]: the total
            before each step, the coarsest scale's first.
        """
        painted = graph.paint(
            self._stored.network(),
            content,
            style,
            self.settings,
            steps=steps,
            weights=Weights(content_weight, self.settings.style_weight, tv_weight),
        )
        return {"stylized": painted.image, "losses": painted.totals}

    @tf.function(input_signature=[_TEXT, _TEXT, _STEPS, _WEIGHT, _WEIGHT], autograph=False)
    def paint_files(
        self,
        content_bytes: tf.Tensor,
        style_bytes: tf.Tensor,
        steps: tf.Tensor,
        content_weight: tf.Tensor,
        tv_weight: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Paint from files to a file.

        Args:
            content_bytes: the photograph, a JPEG or PNG file, string.
            style_bytes: the painting, likewise.
            steps: as of calling the model.
            content_weight: likewise.
            tv_weight: likewise.

        Returns:
            `stylized_bytes`, a PNG file, string, and `losses`.
        """
        content, style = _decode("content", content_bytes), _decode("style", style_bytes)
        painted = self(content, style, steps, content_weight, tv_weight)
        return {"stylized_bytes": _encode(painted["stylized"]), "losses": painted["losses"]}

    def about(self) -> dict[str, Any]:
        """What a manifest says of how it was made.

        Returns:
            Its settings, where its weights are from, and what requests usually give.
        """
        usual = Settings(recipe=self.settings.recipe)
        about = _about(self.settings, self.knobs)
        return about | {"usual": {name: getattr(usual, name) for name in REQUESTED}}

    def signatures(self) -> dict[str, Any]:
        """The functions to serve.

        Returns:
            tf.functions by name.
        """
        return {"serving_default": self.__call__, "serving_bytes": self.paint_files}


class Fast(stylization.Arbitrary):
    """The feed-forward network, with the interface of TF-Hub's module."""

    title = "Arbitrary style transfer in one pass of a trained network"
    knobs = ()

    def __init__(self):
        """Build the network."""
        super().__init__(stylization.read_weights())

    @tf.function(input_signature=[_IMAGES, _IMAGES])
    def serve(self, content_image: tf.Tensor, style_image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Paint, as the signature of TF-Hub's module.

        Args:
            content_image: as of calling the model.
            style_image: likewise.

        Returns:
            `output_0`, float32 [B, H, W, 3] in (0, 1).
        """
        content_image = checks.pictures("content_image", content_image)
        style_image = checks.pictures("style_image", style_image, shortest=1)
        batches = tf.shape(content_image)[0], tf.shape(style_image)[0]
        fit = (batches[0] == batches[1]) | (tf.minimum(*batches) == 1)
        message = "content_image, style_image: expected as many pictures, or one of either, got"
        content_image = checks.expect(content_image, (fit, message, batches))
        return {"output_0": self(content_image, style_image)[0]}

    @tf.function(input_signature=[_TEXT, _TEXT])
    def paint_files(self, content_bytes: tf.Tensor, style_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Paint from files to a file.

        Args:
            content_bytes: the photograph, a JPEG or PNG file, string.
            style_bytes: the painting, likewise.

        Returns:
            `stylized_bytes`, a PNG file, string.
        """
        content, style = _decode("content", content_bytes), _decode("style", style_bytes)
        return {"stylized_bytes": _encode(self.serve(content, style)["output_0"])}

    def about(self) -> dict[str, Any]:
        """What a manifest says of how it was made.

        Returns:
            Its settings, and where its weights are from.
        """
        return {"settings": {"precision": "float32"}, "weights": stylization.ORIGIN}

    def signatures(self) -> dict[str, Any]:
        """The functions to serve.

        Returns:
            tf.functions by name.
        """
        return {"serving_default": self.serve, "serving_bytes": self.paint_files}


def _stored(settings: Settings) -> tuple[Settings, Stored]:
    """The settings with their precision resolved, and the network that they describe."""
    kind = precision.resolve(settings.precision)
    settings = dataclasses.replace(settings, precision=kind)
    return settings, Stored(vgg.of(settings, kind))


def _about(settings: Settings, knobs: tuple[str, ...]) -> dict[str, Any]:
    made = {name: getattr(settings, name) for name in knobs if name != "vgg_weights"}
    return {"settings": made, "weights": vgg.origin(settings)}


def _decode(name: str, encoded: tf.Tensor) -> tf.Tensor:
    """A JPEG or PNG file as float32 [1, H, W, 3]; transparency is dropped."""
    encoded = checks.file(f"{name}_bytes", encoded)
    pixels = tf.cond(
        checks.begins(encoded, checks.JPEG),
        # As Pillow decodes them.
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_png(encoded, channels=3),
    )
    return tf.cast(pixels, tf.float32)[tf.newaxis] / 255.0


def _encode(image: tf.Tensor) -> tf.Tensor:
    """The first picture of a batch as a PNG file; rounded as `raw.quantise` does."""
    return tf.io.encode_png(tf.cast(image[0] * 255.0 + 0.5, tf.uint8))
