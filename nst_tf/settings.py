"""Settings: every value that determines a picture, with its default, range and help; recipes."""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from nst_tf.errors import InputError
from nst_tf.validation import checked, plain

# The strength that leaves content_weight as it is, and the powers of ten between the weights of
# strength 0 and 1: the content features' distance grows evenly with the weight's logarithm.
DEFAULT_STRENGTH = 0.8
_STRENGTH_DECADES = 2.5
_CONV1 = tuple(f"block{block}_conv1" for block in range(1, 6))
# Weights of the default recipe's style layers.
_LAYER_WEIGHTS = dict(zip(_CONV1[:4], (0.07, 0.38, 0.15, 0.40), strict=True))


def _setting(
    default: Any,
    text: str,
    *,
    min: float = -math.inf,
    max: float = math.inf,
    exclusive_min: float = -math.inf,
    exclusive_max: float = math.inf,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field of Settings."""
    text += f"; one of {', '.join(choices)}" if choices else ""
    bounds = {
        "min": min,
        "max": max,
        "exclusive_min": exclusive_min,
        "exclusive_max": exclusive_max,
    }
    return field(default=default, metadata={"help": text, "choices": choices, **bounds})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that determines a picture besides the content image and the style images.

    The defaults are those of the default recipe; `dataclasses.replace(RECIPES["gatys"], size=256)`
    starts from another one.

    Raises:
        InputError: a value out of its range.
    """

    size: int = _setting(
        512,
        "long side of the result in pixels; 0 keeps the photograph's size",
        min=0,
        max=2**20 - 1,
    )
    steps: int = _setting(
        50,
        "iterations at the coarsest scale, three fifths as many with each finer one",
        min=1,
        max=2**31 - 1,
    )
    scales: int = _setting(
        0,
        "number of scales, from coarse to fine by factors of two; 0 starts near 128 px",
        min=0,
        max=19,
    )
    content_weight: float = _setting(0.085, "weight of the content loss", min=0)
    style_weight: float = _setting(1.0, "weight of the style loss", min=0)
    tv_weight: float = _setting(0.03, "weight of the total variation; more is smoother", min=0)
    content_layers: tuple[str, ...] = _setting(("block4_conv2",), "VGG layers of the content loss")
    style_loss: str = _setting(
        "wasserstein",
        "how a layer's style is compared: wasserstein (the squared 2-Wasserstein distance of the "
        "features' normal distributions) or gram (the squared distance of Gram matrices)",
        choices=("wasserstein", "gram"),
    )
    style_layers: tuple[str, ...] = _setting(
        _CONV1[:4],
        "VGG layers of the style loss; for stylize.py a,b/c are layers a and b of the first "
        "painting, c of the second",
    )
    style_layer_weights: tuple[float, ...] = _setting(
        (),
        "weights of the style layers, in their order; none takes 0.07,0.38,0.15,0.4 for "
        "block1_conv1 to block4_conv1, and equal weights for other layers",
    )
    loss_normalization: str = _setting(
        "relative",
        "relative (each term relative to its target, the same at any size) or tutorial (mean "
        "squares and the sum of variations, as in the TensorFlow tutorial)",
        choices=("relative", "tutorial"),
    )
    color: str = _setting(
        "style",
        "whose colours: style (as painted), luminance (paint in luminance only, keep the "
        "photograph's colours) or match (give the painting the photograph's colours first)",
        choices=("style", "luminance", "match"),
    )
    init: str = _setting("content", "what to start from: content, noise, or the path of a picture")
    init_noise: float = _setting(
        0.0, "how much noise the start has, from 0 to 1, which is noise alone", min=0, max=1
    )
    style_scale: float = _setting(
        1.0,
        "size of the strokes: the painting's long side as a multiple of the picture's, from 0.25 "
        "to 4",
        min=0.25,
        max=4,
    )
    seed: int = _setting(0, "seed of the noise", min=0, max=2**63 - 1)
    optimizer: str = _setting("lbfgs", "the optimizer", choices=("lbfgs", "adam"))
    lbfgs_history: int = _setting(10, "how many past steps L-BFGS remembers", min=1)
    learning_rate: float = _setting(0.02, "Adam's step in units of [0, 1] colour", exclusive_min=0)
    beta_1: float = _setting(0.9, "Adam's decay of the mean gradient", min=0, exclusive_max=1)
    beta_2: float = _setting(
        0.99, "Adam's decay of the mean squared gradient", min=0, exclusive_max=1
    )
    epsilon: float = _setting(1e-8, "Adam's guard against division by zero", exclusive_min=0)
    network: str = _setting("vgg19", "the network of the losses", choices=("vgg19", "vgg16"))
    vgg_weights: str = _setting(
        "bundled",
        "the network's weights: bundled (vgg19 only), imagenet (downloaded once) or the path of "
        "an .h5 file",
    )
    precision: str = _setting(
        "auto",
        "the convolutions' float type; auto takes bfloat16 (on some GPUs float16) where the "
        "processor computes it natively, and float32 elsewhere",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    max_memory: float = _setting(
        0.0,
        "GiB that the process may take, or of the GPU where there is one; a picture that takes "
        "more is painted in tiles; 0 takes 60% of what is free",
        min=0,
    )
    jit_compile: bool = _setting(
        False,
        "compile the step with XLA, where the picture is not tiled; slower on the CPUs it was "
        "tried on",
    )
    pooling: str = _setting("max", "the network's pooling", choices=("max", "avg"))

    def __post_init__(self):
        for each in fields(self):
            object.__setattr__(self, each.name, checked(each, getattr(self, each.name)))
        count = len(self.style_layer_weights)
        if count and (count != len(self.style_layers) or not sum(self.style_layer_weights) > 0):
            raise InputError(
                f"style_layer_weights={plain(self.style_layer_weights)}: expected "
                f"{len(self.style_layers)} numbers, not all 0, one for each of "
                f"{','.join(self.style_layers)}; change --style_layer_weights"
            )

    @property
    def layer_weights(self) -> dict[str, float]:
        """The weight of each style layer by its name, w_l of Gatys et al. 2016, equation 5."""
        if self.style_layer_weights:
            return dict(zip(self.style_layers, self.style_layer_weights, strict=True))
        if {*self.style_layers} == {*_LAYER_WEIGHTS}:
            return {name: _LAYER_WEIGHTS[name] for name in self.style_layers}
        return dict.fromkeys(self.style_layers, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """All settings by name, with the layer weights that an empty tuple stands for."""
        return asdict(self) | {"style_layer_weights": tuple(self.layer_weights.values())}

    def with_strength(self, strength: float) -> "Settings":
        """These settings with a content weight for a strength of the style.

        Args:
            strength: 0 keeps the photograph, 1 is fully stylized, 0.8 changes nothing.

        Returns:
            New settings.

        Raises:
            InputError: a strength outside [0, 1].
        """
        if not 0 <= strength <= 1:
            raise InputError(f"strength={strength}: expected a number from 0 to 1")
        factor = 10 ** (_STRENGTH_DECADES * (DEFAULT_STRENGTH - strength))
        return replace(self, content_weight=self.content_weight * factor)


# The texts of the fields are the only place for what they mean.
Settings.__doc__ = f"{Settings.__doc__}\n    Attributes:\n" + "\n".join(
    f"        {each.name}: {each.metadata['help']}." for each in fields(Settings)
)

# Settings to start from: the default; the method of Gatys et al. 2016 at one scale; the TensorFlow
# tutorial to the digit.
RECIPES = {
    "default": Settings(),
    "gatys": Settings(
        steps=250,
        scales=1,
        content_weight=0.03,
        tv_weight=0.0,
        style_loss="gram",
        style_layers=_CONV1,
        pooling="avg",
    ),
    "tutorial": Settings(
        steps=1000,
        scales=1,
        content_weight=1e4,
        style_weight=1e-2,
        tv_weight=30.0,
        content_layers=("block5_conv2",),
        style_loss="gram",
        style_layers=_CONV1,
        loss_normalization="tutorial",
        optimizer="adam",
        beta_1=0.99,
        beta_2=0.999,
        epsilon=0.1,
        precision="float32",
    ),
}
