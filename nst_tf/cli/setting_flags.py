"""Settings as absl flags."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_origin

from absl import flags

from nst_tf.errors import InputError
from nst_tf.settings import Settings, plain

_DEFINE: dict[type, Callable[..., Any]] = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    tuple: flags.DEFINE_list,
    bool: flags.DEFINE_boolean,
}


def define_flags() -> None:
    """Define an absl flag for each knob; scripts then adopt this module's flags as key flags."""
    for knob in fields(Settings):
        kind: Any = get_origin(knob.type) or knob.type
        _DEFINE[kind](knob.name, None, knob.metadata["help"])


def from_flags(**instead: Any) -> Settings:
    """The Settings that the parsed flags describe.

    Args:
        **instead: values in place of those of the flags.

    Returns:
        The given flags, and the recipe's own values for the rest.

    Raises:
        InputError: a value out of its range.
    """
    given: dict[str, Any] = {knob.name: flags.FLAGS[knob.name].value for knob in fields(Settings)}
    if style_layer_groups() and "style_layers" not in instead:
        raise InputError(
            f"style_layers={plain(given['style_layers'])}: layers of each painting are for "
            "stylize.py; leave the / out"
        )
    return Settings(**given | instead)


def recall(values: Mapping[str, Any]) -> None:
    """Take values for the knobs' flags that were not given.

    Args:
        values: as of `dataclasses.asdict`; those that are None are left out.

    Raises:
        InputError: there is no such knob, or it does not take that.
    """
    names = {knob.name for knob in fields(Settings)}
    for name, value in values.items():
        if name not in names:
            raise InputError(f"{name}: this version of nst_tf has no such setting; leave it out")
        # The strength sets the content weight; weights are those of the layers beside them.
        setter = {"content_weight": "strength", "style_layer_weights": "style_layers"}.get(name)
        if value is None or (setter and flags.FLAGS[setter].present):
            continue
        try:
            flags.FLAGS.set_default(name, value)
        except flags.Error as error:
            raise InputError(f"{name}={value}: {error}") from error


def style_layer_groups() -> list[list[str]]:
    """The layers of each painting, where the flag names them apart.

    Returns:
        Names for each painting, of `--style_layers=a,b/c`; nothing where they share all.
    """
    text = ",".join(flags.FLAGS["style_layers"].value or [])
    groups = text.split("/") if "/" in text else []
    return [[name.strip() for name in group.split(",")] for group in groups]
