"""Settings: every knob once, with its default in each recipe and its help."""

import math
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import Any, get_args, get_origin

from nst_tf.errors import InputError

# The strength that leaves a recipe's content weight as it is.
USUAL_STRENGTH = 0.8
# By how many powers of ten the weights of strength 0 and 1 differ. With Gram matrices at 256 px,
# the distance of the picture's content features from the photograph's grew evenly with the
# weight's logarithm.
DECADES = 2.5

_CONV1 = tuple(f"block{block}_conv1" for block in range(1, 6))


def plain(value: Any) -> str:
    """A value as it is given to a flag."""
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _knob(
    default: Any,
    text: str,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    most: float = math.inf,
    choices: tuple[str, ...] = (),
    **recipes: Any,
) -> Any:
    """A field of Settings; `tutorial=` or `gatys=` gives that recipe's own default."""
    texts = [text]
    if choices:
        texts.append(f"one of {', '.join(choices)}")
    defaults = [f"default: {'not given' if default is None else plain(default)}"]
    defaults += [f"{recipe}: {plain(value)}" for recipe, value in recipes.items()]
    metadata = {
        "help": f"{'; '.join(texts)} ({'; '.join(defaults)})",
        "recipes": {"default": default} | recipes,
        "least": least,
        "above": above,
        "below": below,
        "most": most,
        "choices": choices,
    }
    # None stands for "as the recipe has it" until __post_init__.
    return field(default=None, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What determines a picture besides the photograph and the paintings.

    A knob that is not given takes its recipe's value, once and for all: `dataclasses.replace` with
    another recipe keeps it, and cannot change `strength`, which is spent on `content_weight`.
    `cli.flags` makes one flag of each.

    Raises:
        InputError: a value out of its range.
    """

    recipe: str = _knob(
        "default",
        "the losses and the defaults that go with them: default (Wasserstein distance, coarse to "
        "fine), gatys (the paper: Gram matrices, one scale) or tutorial (the TensorFlow tutorial, "
        "to the digit)",
        choices=("default", "gatys", "tutorial"),
    )
    size: int = _knob(
        512,
        "long side of the result in pixels; 0 keeps the photograph's own size",
        least=0,
        below=2**20,
    )
    steps: int = _knob(
        50,
        "iterations at the coarsest scale, three fifths as many with each finer one",
        gatys=250,
        tutorial=1000,
        least=1,
        below=2**31,
    )
    scales: int = _knob(
        0,
        "how many sizes to paint at, from coarse to fine by factors of two; 0 starts near 128 px",
        gatys=1,
        tutorial=1,
        least=0,
        below=20,
    )
    strength: float = _knob(
        None,
        "in place of content_weight, which it sets: from 0, near the photograph, to 1, hardly held "
        f"by it; {USUAL_STRENGTH} gives the recipe's own content_weight",
        least=0,
        most=1,
    )
    content_weight: float = _knob(
        0.085, "how much the photograph's content counts", gatys=0.03, tutorial=1e4, least=0
    )
    style_weight: float = _knob(1.0, "how much the painting's style counts", tutorial=1e-2, least=0)
    tv_weight: float = _knob(
        0.03,
        "how much total variation counts; more is smoother",
        gatys=0.0,
        tutorial=30.0,
        least=0,
    )
    content_layers: tuple[str, ...] = _knob(
        ("block4_conv2",),
        "VGG layers whose features make the content",
        tutorial=("block5_conv2",),
    )
    style_loss: str = _knob(
        "wasserstein",
        "how a layer's style is compared: wasserstein (the squared 2-Wasserstein distance of the "
        "features' normal distributions) or gram (the squared distance of Gram matrices)",
        gatys="gram",
        tutorial="gram",
        choices=("wasserstein", "gram"),
    )
    style_layers: tuple[str, ...] = _knob(
        _CONV1[:4],
        "VGG layers whose features make the style; for stylize.py a,b/c are layers a and b of the "
        "first painting, c of the second",
        gatys=_CONV1,
        tutorial=_CONV1,
    )
    style_layer_weights: tuple[float, ...] = _knob(
        (0.07, 0.38, 0.15, 0.40),
        "how much each of the style layers counts, in their order; equally, if other layers than "
        "the recipe's are given and no weights",
        gatys=(1.0,) * 5,
        tutorial=(1.0,) * 5,
    )
    color: str = _knob(
        "style",
        "whose colours: style (as painted), luminance (paint in luminance only, keep the "
        "photograph's colours) or match (give the painting the photograph's colours first)",
        choices=("style", "luminance", "match"),
    )
    init: str = _knob("content", "what to start from: content, noise, or the path of a picture")
    init_noise: float = _knob(
        0.0, "how much noise the start has, from 0 to 1, which is noise alone", least=0, most=1
    )
    style_scale: float = _knob(
        1.0,
        "size of the painting's strokes: how many times the picture's long side the painting's is "
        "brought to, from 0.25 to 4",
        least=0.25,
        most=4,
    )
    seed: int = _knob(0, "seed of the noise", least=0, below=2**63)
    optimizer: str = _knob(
        "lbfgs", "what moves the picture", tutorial="adam", choices=("lbfgs", "adam")
    )
    history: int = _knob(10, "how many of its last moves L-BFGS remembers", least=1)
    learning_rate: float = _knob(0.02, "Adam's step in units of [0, 1] colour", above=0)
    beta_1: float = _knob(0.9, "Adam's decay of the mean gradient", tutorial=0.99, least=0, below=1)
    beta_2: float = _knob(
        0.99, "Adam's decay of the mean squared gradient", tutorial=0.999, least=0, below=1
    )
    epsilon: float = _knob(1e-8, "Adam's guard against division by zero", tutorial=0.1, above=0)
    network: str = _knob("vgg19", "the network that looks", choices=("vgg19", "vgg16"))
    vgg_weights: str = _knob(
        "bundled",
        "the network's weights: bundled (vgg19 only), imagenet (downloaded once) or the path of "
        "an .h5 file",
    )
    precision: str = _knob(
        "auto",
        "the convolutions' type; auto takes bfloat16 (on a GPU also float16) where a measurement "
        "finds it at least 1.3 times faster than float32",
        tutorial="float32",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    max_memory: float = _knob(
        0.0,
        "GiB that the process may take, or of the GPU where there is one; a picture that takes "
        "more is painted in tiles; 0 takes 60% of what is free",
        least=0,
    )
    jit: bool = _knob(
        False,
        "compile the step with XLA, where the picture is not tiled; slower on the CPUs it was "
        "tried on",
    )
    pooling: str = _knob("max", "the network's pooling", gatys="avg", choices=("max", "avg"))

    def __post_init__(self):
        # The recipe is the first field, so it is known when the others ask for it.
        for knob in fields(self):
            value = getattr(self, knob.name)
            recipes = knob.metadata["recipes"]
            usual = recipes.get(self.recipe, recipes["default"])
            if knob.name == "content_weight" and self.strength is not None:
                value = self._weight_of_strength(value, usual)
            if knob.name == "style_layer_weights":
                value = self._layer_weights(value, usual)
            if value is None:
                value = usual
            if value is not None:
                object.__setattr__(self, knob.name, _checked(knob, value))
        # It is spent: `dataclasses.replace` hands on the weight that it has set.
        object.__setattr__(self, "strength", None)

    def _weight_of_strength(self, given: float | None, usual: float) -> float:
        if given is not None:
            raise InputError(
                f"strength={self.strength}: sets the content_weight, and {given} is given for "
                "that; leave one of them out"
            )
        return usual * 10 ** (DECADES * (USUAL_STRENGTH - self.strength))

    def _layer_weights(self, given: Any, usual: tuple[float, ...]) -> Any:
        """The recipe's weights for the recipe's layers in any order, equal ones for others."""
        layers = self.style_layers
        if given is not None:
            count = 1 if isinstance(given, (str, Real)) else len(given)
            if count != len(layers):
                raise InputError(
                    f"style_layer_weights={plain(given)}: expected {len(layers)} numbers, one for "
                    f"each of {','.join(layers)}; change --style_layer_weights"
                )
            return given
        own = dict(zip(_recipe_layers(self.recipe), usual, strict=True))
        return [own[name] for name in layers] if {*layers} == {*own} else [1.0] * len(layers)


def _recipe_layers(recipe: str) -> tuple[str, ...]:
    (knob,) = (knob for knob in fields(Settings) if knob.name == "style_layers")
    recipes = knob.metadata["recipes"]
    return recipes.get(recipe, recipes["default"])


def _checked(knob: Any, value: Any) -> Any:
    """The value in the knob's type, if it is in its range."""
    if get_args(knob.type)[:1] == (float,):
        return _checked_weights(knob, value)
    if get_origin(knob.type) is tuple:
        names = (value,) if isinstance(value, str) else tuple(value)
        names = tuple(name.strip() for name in names)
        if not names or not all(names) or len(set(names)) < len(names):
            raise _refusal(knob, value, "a list of different names")
        return names
    if knob.type is bool:
        if not isinstance(value, bool):
            raise _refusal(knob, value, "true or false")
        return value
    if knob.type is str:
        choices = knob.metadata["choices"]
        if not isinstance(value, str) or not value or (choices and value not in choices):
            raise _refusal(knob, value, " or ".join(choices) or "a text")
        return value
    if not isinstance(value, Real) or isinstance(value, bool) or not _in_range(knob, value):
        raise _refusal(knob, value, _range(knob))
    return knob.type(value)


def _checked_weights(knob: Any, value: Any) -> tuple[float, ...]:
    try:
        values = [value] if isinstance(value, (str, Real)) else value
        weights = tuple(map(float, values))
    except (TypeError, ValueError):
        weights = ()
    if not all(0 <= weight < math.inf for weight in weights) or not sum(weights) > 0:
        raise _refusal(knob, value, "numbers from 0, not all 0")
    return weights


def _in_range(knob: Any, value: Any) -> bool:
    if not -math.inf < value < math.inf or knob.type(value) != value:
        return False
    bounds = knob.metadata
    inside = bounds["above"] < value < bounds["below"]
    return inside and bounds["least"] <= value <= bounds["most"]


def _range(knob: Any) -> str:
    words = "a whole number" if knob.type is int else "a number"
    links = {"least": "of at least", "most": "of at most", "above": "above", "below": "below"}
    bounds = {link: knob.metadata[name] for name, link in links.items()}
    told = [f"{link} {bound}" for link, bound in bounds.items() if math.isfinite(bound)]
    return " ".join([words, " and ".join(told)]).rstrip()


def _refusal(knob: Any, value: Any, expected: str) -> InputError:
    return InputError(f"{knob.name}={plain(value)}: expected {expected}; change --{knob.name}")
