"""Validation of a setting's value by its type, range and choices."""

import math
from dataclasses import Field
from numbers import Real
from typing import Any, get_args, get_origin

from nst_tf.errors import InputError


def plain(value: Any) -> str:
    """A value as it is given to a flag."""
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def checked(setting: Field, value: Any) -> Any:
    """The value in the setting's type, if it is in its range."""
    if get_origin(setting.type) is tuple:
        return _checked_tuple(setting, value)
    if setting.type is bool:
        if not isinstance(value, bool):
            raise _refusal(setting, value, "true or false")
        return value
    if setting.type is str:
        choices = setting.metadata["choices"]
        if not isinstance(value, str) or not value or (choices and value not in choices):
            raise _refusal(setting, value, " or ".join(choices) or "a text")
        return value
    if not isinstance(value, Real) or isinstance(value, bool) or not _in_range(setting, value):
        raise _refusal(setting, value, _range(setting))
    return setting.type(value)  # type: ignore[operator, misc]


def _checked_tuple(setting: Field, value: Any) -> tuple:
    if not isinstance(value, (str, Real, list, tuple)):
        raise _refusal(setting, value, "a list")
    items = (value,) if isinstance(value, (str, Real)) else tuple(value)
    if get_args(setting.type)[0] is str:
        names = tuple(name.strip() if isinstance(name, str) else "" for name in items)
        if not names or not all(names) or len(set(names)) < len(names):
            raise _refusal(setting, value, "a list of different names")
        return names
    try:
        numbers = tuple(map(float, items))
    except (TypeError, ValueError):
        numbers = (math.nan,)
    if not all(0 <= number < math.inf for number in numbers):
        raise _refusal(setting, value, "numbers from 0")
    return numbers


def _in_range(setting: Field, value: Any) -> bool:
    bounds = setting.metadata
    # These exclude infinity and NaN, too.
    if not bounds["exclusive_min"] < value < bounds["exclusive_max"]:
        return False
    if not bounds["min"] <= value <= bounds["max"]:
        return False
    try:
        return setting.type(value) == value  # type: ignore[operator, misc]
    except OverflowError:  # an integer that is too large for a float
        return False


def _range(setting: Field) -> str:
    words = "a whole number" if setting.type is int else "a number"
    links = {"min": "of at least", "max": "of at most"}
    links |= {"exclusive_min": "above", "exclusive_max": "below"}
    limits = {name: setting.metadata[name] for name in links}
    shown = [f"{links[name]} {limit}" for name, limit in limits.items() if math.isfinite(limit)]
    return " ".join([words, " and ".join(shown)]).rstrip()


def _refusal(setting: Field, value: Any, expected: str) -> InputError:
    shown = plain(value)
    return InputError(f"{setting.name}={shown}: expected {expected}; change --{setting.name}")
