"""The settings as components of the page, and back."""

import math
from collections.abc import Sequence
from dataclasses import Field, fields, replace
from typing import Any, get_args, get_origin

import gradio as gr

from nst_tf.errors import InputError
from nst_tf.settings import DEFAULT_STRENGTH, RECIPES, Settings
from nst_tf.validation import plain

FIELDS = {each.name: each for each in fields(Settings)}
# What most people change; the others lie one fold further down.
FIRST = ("size", "style_scale", "color", "init_noise", "seed", "precision")
OTHERS = tuple(name for name in FIELDS if name not in FIRST)
# Names that a setting may have besides paths; the page takes no paths, as they are the server's.
_WITHOUT_PATHS = {"init": ("content", "noise"), "vgg_weights": ("bundled", "imagenet")}
_STRENGTH_HELP = "0 keeps the photograph, 1 is fully stylized"


class Controls:
    """Components for a recipe, the strength and each setting, in the order of `components`."""

    def __init__(self) -> None:
        self.components: list[gr.components.Component] = []
        self._names: list[str] = []

    def recipe(self) -> gr.Dropdown:
        """Make the component of the recipe."""
        component = gr.Dropdown(
            [*RECIPES], value="default", label="recipe", info="the settings to start from"
        )
        return self._add("recipe", component)

    def strength(self) -> gr.Slider:
        """Make the component of the strength."""
        component = gr.Slider(
            0, 1, value=DEFAULT_STRENGTH, step=0.05, label="strength", info=_STRENGTH_HELP
        )
        return self._add("strength", component)

    def setting(self, name: str) -> gr.components.Component:
        """Make the component of a setting."""
        return self._add(name, _component(FIELDS[name]))

    def _add(self, name: str, component: Any) -> Any:
        component.elem_id = f"setting-{name}"
        self._names.append(name)
        self.components.append(component)
        return component

    def component(self, name: str) -> Any:
        """The component of that name."""
        return self.components[self._names.index(name)]

    def changed(self, values: Sequence[Any], **changes: Any) -> tuple[Any, ...]:
        """The components' values with some of other settings' values."""
        given = dict(zip(self._names, values, strict=True)) | changes
        return tuple(given[name] for name in self._names)

    def of_recipe(self, recipe: str) -> list[Any]:
        """The components' values for a recipe, in their order."""
        settings = RECIPES[recipe]
        special = {"recipe": recipe, "strength": DEFAULT_STRENGTH}
        return [
            special[name] if name in special else _shown(getattr(settings, name))
            for name in self._names
        ]

    def settings(self, values: Sequence[Any]) -> tuple[str, Settings]:
        """The recipe's name and the settings that the components' values make.

        Raises:
            InputError: a value out of its range, or that does not go with another.
        """
        given = dict(zip(self._names, values, strict=True))
        recipe, strength = given.pop("recipe"), given.pop("strength")
        if not isinstance(recipe, str) or recipe not in RECIPES:
            raise InputError(f"recipe={recipe}: expected {' or '.join(RECIPES)}")
        if not isinstance(strength, (int, float)):
            raise InputError(f"strength={strength}: expected a number from 0 to 1")
        base = RECIPES[recipe]
        for name, choices in _WITHOUT_PATHS.items():
            if given[name] not in choices:
                raise InputError(f"{name}={given[name]}: expected {' or '.join(choices)}")
        settings = replace(base, **{name: _meant(name, value) for name, value in given.items()})
        if strength == DEFAULT_STRENGTH:
            return recipe, settings
        if settings.content_weight != base.content_weight:
            raise InputError(
                f"strength={strength}: sets the content_weight, and {settings.content_weight} is "
                f"given for that; set the strength to {DEFAULT_STRENGTH}, or content_weight to "
                f"{base.content_weight}"
            )
        return recipe, settings.with_strength(strength)


def _component(setting: Field) -> gr.components.Component:
    """The component of a setting by its type, range and choices, with its help."""
    shared: dict[str, Any] = {
        "label": setting.name.replace("_", " "),
        "info": setting.metadata["help"],
        "value": _shown(setting.default),
    }
    choices = setting.metadata["choices"] or _WITHOUT_PATHS.get(setting.name)
    if choices:
        return gr.Dropdown([*choices], **shared)
    if setting.type is bool:
        return gr.Checkbox(**shared)
    if setting.type not in (int, float):
        return gr.Textbox(**shared)
    lowest, highest = setting.metadata["min"], setting.metadata["max"]
    if setting.type is float and math.isfinite(lowest) and math.isfinite(highest):
        return gr.Slider(lowest, highest, step=0.05, **shared)
    # Its own check of the range would be a second one, in other words.
    return gr.Number(precision=0 if setting.type is int else None, **shared)


def _shown(value: Any) -> Any:
    """A setting's value as a component has it."""
    return plain(value) if isinstance(value, tuple) else value


def _meant(name: str, value: Any) -> Any:
    """A component's value as the setting takes it."""
    kind: Any = FIELDS[name].type
    if get_origin(kind) is not tuple or not isinstance(value, str):
        return value
    parts = tuple(part.strip() for part in value.split(",")) if value.strip() else ()
    if get_args(kind)[0] is str:
        return parts
    try:
        return tuple(map(float, parts))
    except ValueError:
        raise InputError(f"{name}={value}: expected numbers from 0, as 0.3,0.7") from None
