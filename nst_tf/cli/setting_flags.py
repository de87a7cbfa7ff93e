"""Settings as absl flags: one for each field, and --recipe and --strength."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, get_origin

from absl import flags

from nst_tf.errors import InputError
from nst_tf.settings import DEFAULT_STRENGTH, RECIPES, Settings
from nst_tf.validation import plain

_DEFINE: dict[type, Callable[..., Any]] = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    tuple: flags.DEFINE_list,
    bool: flags.DEFINE_boolean,
}


def define_flags() -> None:
    """Define a flag for each setting; scripts then adopt this module's flags as key flags."""
    flags.DEFINE_enum(
        "recipe",
        "default",
        [*RECIPES],
        "the settings to start from: default (Wasserstein distance, coarse to fine), gatys (the "
        "paper: Gram matrices, one scale) or tutorial (the TensorFlow tutorial, to the digit)",
    )
    flags.DEFINE_float(
        "strength",
        None,
        "sets content_weight: 0 keeps the photograph, 1 is fully stylized; default "
        f"{DEFAULT_STRENGTH}, the recipe's own content_weight",
    )
    for setting in fields(Settings):
        values = {name: getattr(recipe, setting.name) for name, recipe in RECIPES.items()}
        shown = [
            f"{name}: {plain(value) or 'none'}"
            for name, value in values.items()
            if name == "default" or value != values["default"]
        ]
        text = f"{setting.metadata['help']} ({'; '.join(shown)})"
        flag_type: Any = get_origin(setting.type) or setting.type
        _DEFINE[flag_type](setting.name, None, text)


def settings_from_flags(
    recorded: Mapping[str, Any] | None = None, *, layers_of_each: bool = False
) -> Settings:
    """The Settings of the parsed flags.

    The settings of a record replace those of the recipe, unless --recipe is given. `layers_of_each`
    allows --style_layers to name layers of each painting; the settings have all of them.
    """
    base = RECIPES[_value("recipe")]
    if recorded is not None and not flags.FLAGS["recipe"].present:
        base = _from_record(recorded)
    given = {s.name: _value(s.name) for s in fields(Settings)}
    given = {name: value for name, value in given.items() if value is not None}
    groups = layers_of_each_style()
    if groups and layers_of_each:
        given["style_layers"] = tuple(dict.fromkeys(name for group in groups for name in group))
    elif groups:
        raise InputError(
            f"style_layers={plain(given['style_layers'])}: layers of each painting are for "
            "stylize.py; leave the / out"
        )
    if flags.FLAGS["style_layers"].present:
        # Recorded weights are of the recorded layers.
        given = {"style_layer_weights": ()} | given
    return _with_strength(replace(base, **given), given)


def _from_record(recorded: Mapping[str, Any]) -> Settings:
    unknown = sorted({*recorded} - {setting.name for setting in fields(Settings)})
    if unknown:
        raise InputError(
            f"from_record: this version of nst_tf has no setting {unknown[0]}; give flags instead"
        )
    try:
        return Settings(**recorded)
    except InputError as error:
        raise InputError(f"from_record: {error}") from error


def _with_strength(settings: Settings, given: Mapping[str, Any]) -> Settings:
    strength = _value("strength")
    if strength is None:
        return settings
    if "content_weight" in given:
        raise InputError(
            f"strength={strength}: sets the content_weight, and {given['content_weight']} is given "
            "for that; leave one of them out"
        )
    # Of a record, too, the strength is relative to the recipe that it began with.
    usual = RECIPES[_value("recipe")].content_weight
    return replace(settings, content_weight=usual).with_strength(strength)


def given_names() -> list[str]:
    """The names of the flags of settings that are given, --recipe and --strength among them."""
    names = ["recipe", "strength", *(setting.name for setting in fields(Settings))]
    return [name for name in names if flags.FLAGS[name].present]


def layers_of_each_style() -> list[list[str]]:
    """The layers of each painting from `--style_layers=a,b/c`; none where all have the same."""
    text = ",".join(_value("style_layers") or [])
    groups = text.split("/") if "/" in text else []
    return [[name.strip() for name in group.split(",")] for group in groups]


def _value(name: str) -> Any:
    return flags.FLAGS[name].value
