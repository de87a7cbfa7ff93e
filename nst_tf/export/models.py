"""The models to export: tf.Modules that hold their weights and need TensorFlow alone.

Each has a `model_name` and a `title`, the `settings_names` that it is made with, the `signatures`
to serve, and its `provenance` for the manifest.
"""

import dataclasses

import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.export import checks, graph, image_bytes
from nst_tf.images import color_transfer
from nst_tf.losses.gram import gram_matrix
from nst_tf.losses.objective import Weights
from nst_tf.networks import precision, stylization, vgg
from nst_tf.networks.half_precision import HalfPrecisionWeights
from nst_tf.run import pyramid
from nst_tf.run.record import Json
from nst_tf.settings import Settings

# Settings of an optimization that each request gives.
REQUEST_SETTINGS = ("steps", "content_weight", "tv_weight")
# Settings of the machine that a library's run uses.
_MACHINE_SETTINGS = ("max_memory", "jit_compile")
_IMAGES = tf.TensorSpec([None, None, None, 3], tf.float32)
_IMAGE = tf.TensorSpec([1, None, None, 3], tf.float32)
_BYTES = tf.TensorSpec([], tf.string)
_STEPS, _WEIGHT = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)


class _VggModel(tf.Module):
    """A model with the feature extractor that settings describe."""

    model_name: str
    settings_names: tuple[str, ...]

    def __init__(self, settings: Settings):
        super().__init__(name=self.model_name)
        # The values that `auto` and an empty list stand for, so that the manifest has them.
        resolved = precision.resolve(settings.precision)
        weights = tuple(settings.layer_weights.values())
        self.settings = dataclasses.replace(
            settings, precision=resolved, style_layer_weights=weights
        )
        self._vgg = HalfPrecisionWeights(vgg.extractor_from_settings(settings, resolved))

    def provenance(self) -> Json:
        """The settings that it was made with, and the source of its weights."""
        settings = {name: getattr(self.settings, name) for name in self.settings_names}
        del settings["vgg_weights"]  # may be a path; `origin` has the file's name
        return {"settings": settings, "weights": vgg.origin(self.settings)}


class ExportedExtractor(_VggModel):
    """The VGG feature extractor: Gram matrices and content features of images."""

    model_name = "extractor"
    title = "VGG features: the Grams of the style layers, the features of the content layers"
    settings_names = (
        "content_layers",
        "style_layers",
        "network",
        "vgg_weights",
        "pooling",
        "precision",
    )

    @tf.function(input_signature=[_IMAGES], autograph=False)
    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Extract the features of images.

        Args:
            image: float32 sRGB [B, H, W, 3] in [0, 1].

        Returns:
            `LAYER_gram`, float32 [B, C, C], of each style layer, divided by the number of
            positions; `LAYER_features`, float32 [B, h, w, C], of each content layer.

        Raises:
            tf.errors.InvalidArgumentError: refused values or sides.
        """
        features = self._vgg.network()(checks.images("image", image))
        grams = {f"{name}_gram": gram_matrix(layer) for name, layer in features["style"].items()}
        content = {
            f"{name}_features": tf.cast(layer, tf.float32)
            for name, layer in features["content"].items()
        }
        return grams | content

    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """The functions to serve, by name."""
        return {"serving_default": self.__call__}


class ExportedOptimization(_VggModel):
    """The whole optimization: a content image and a style image in, the stylized image out."""

    model_name = "optimizer"
    title = "Neural style transfer by optimisation, coarse to fine, as one graph"
    settings_names = tuple(
        setting.name
        for setting in dataclasses.fields(Settings)
        if setting.name not in (*REQUEST_SETTINGS, *_MACHINE_SETTINGS)
    )

    def __init__(self, settings: Settings):
        if settings.color != "style":
            raise InputError(
                f"color={settings.color}: expected style; an export cannot keep the content "
                "image's colours; leave it out"
            )
        if settings.size:
            pyramid.scale_sizes(settings.size, settings.size, settings)
        if settings.init not in ("content", "noise"):
            raise InputError(f"init={settings.init}: an export starts from content or noise")
        super().__init__(settings)

    @tf.function(input_signature=[_IMAGE, _IMAGE, _STEPS, _WEIGHT, _WEIGHT], autograph=False)
    def __call__(
        self,
        content: tf.Tensor,
        style: tf.Tensor,
        steps: tf.Tensor,
        content_weight: tf.Tensor,
        tv_weight: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Stylize an image.

        Args:
            content: the content image, float32 sRGB [1, H, W, 3] in [0, 1].
            style: the style image, float32 sRGB [1, h, w, 3] in [0, 1].
            steps: int32 from 1; iterations at the coarsest scale, three fifths as many with each
                finer one.
            content_weight: of the content loss, float32 from 0.
            tv_weight: of the total variation, float32 from 0.

        Returns:
            `stylized`, float32 sRGB [1, H, W, 3] in [0, 1], and `losses`, float32 [n]: the total
            before each step, the coarsest scale's first.

        Raises:
            tf.errors.InvalidArgumentError: an input that is refused, or infinite losses.
        """
        weights = Weights(content_weight, self.settings.style_weight, tv_weight)
        stylized = graph.stylize_graph(
            self._vgg.network(), content, style, self.settings, steps=steps, weights=weights
        )
        return {
            "stylized": _keep_gray(stylized.image, content, style),
            "losses": stylized.totals,
        }

    @tf.function(input_signature=[_BYTES, _BYTES, _STEPS, _WEIGHT, _WEIGHT], autograph=False)
    def stylize_files(
        self,
        content_bytes: tf.Tensor,
        style_bytes: tf.Tensor,
        steps: tf.Tensor,
        content_weight: tf.Tensor,
        tv_weight: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """`__call__` with JPEG or PNG files, string scalars.

        Returns `stylized_bytes`, a PNG file, and `losses`.
        """
        content = image_bytes.decode("content_bytes", content_bytes)
        style = image_bytes.decode_style("style_bytes", style_bytes)
        outputs = self(content.rgb, style, steps, content_weight, tv_weight)
        return {
            "stylized_bytes": image_bytes.encode(outputs["stylized"], content.alpha),
            "losses": outputs["losses"],
        }

    def provenance(self) -> Json:
        """The settings, the source of the weights, and defaults for what each request gives."""
        defaults = {name: getattr(self.settings, name) for name in REQUEST_SETTINGS}
        return super().provenance() | {"defaults": defaults}

    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """The functions to serve, by name."""
        return {"serving_default": self.__call__, "serving_bytes": self.stylize_files}


class ExportedStylization(stylization.StylizationNetwork):
    """The feed-forward network, with the interface of TF-Hub's module."""

    model_name = "fast"
    title = "Arbitrary style transfer in one pass of a trained network"
    settings_names: tuple[str, ...] = ()

    def __init__(self):
        super().__init__(stylization.read_weights())

    @tf.function(input_signature=[_IMAGES, _IMAGES], autograph=False)
    def stylize(self, content_image: tf.Tensor, style_image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Stylize images; the signature of TF-Hub's module, with checks.

        Args:
            content_image: float32 sRGB [B, H, W, 3] in [0, 1].
            style_image: float32 sRGB [B, h, w, 3] in [0, 1]; one of the two batches may be 1.

        Returns:
            `output_0`, float32 sRGB [B, H, W, 3] in (0, 1).

        Raises:
            tf.errors.InvalidArgumentError: refused values, sides or batches.
        """
        content_image = checks.images("content_image", content_image)
        style_image = checks.images("style_image", style_image, pyramid.MIN_STYLE_SIDE)
        content_image = checks.equal_batches(
            ("content_image", content_image), ("style_image", style_image)
        )
        stylized = self(content_image, style_image)[0]
        return {"output_0": _keep_gray(stylized, content_image, style_image)}

    @tf.function(input_signature=[_BYTES, _BYTES], autograph=False)
    def stylize_files(
        self, content_bytes: tf.Tensor, style_bytes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """`stylize` with JPEG or PNG files, strings; returns `stylized_bytes`, a PNG file."""
        content = image_bytes.decode("content_bytes", content_bytes)
        style = image_bytes.decode_style("style_bytes", style_bytes)
        stylized = self.stylize(content.rgb, style)["output_0"]
        return {"stylized_bytes": image_bytes.encode(stylized, content.alpha)}

    def provenance(self) -> Json:
        """The precision, and the source of the weights."""
        return {"settings": {"precision": "float32"}, "weights": stylization.ORIGIN}

    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """The functions to serve, by name."""
        return {"serving_default": self.stylize, "serving_bytes": self.stylize_files}


def _keep_gray(stylized: tf.Tensor, content: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
    """Take the color, which is noise, from images where all that they are made of is gray."""
    is_gray = color_transfer.is_gray(content) & color_transfer.is_gray(style)
    return tf.cond(is_gray, lambda: color_transfer.gray(stylized), lambda: stylized)


ExportedModel = ExportedExtractor | ExportedOptimization | ExportedStylization
