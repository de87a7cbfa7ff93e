"""What a visitor asks for."""

from typing import Any, NamedTuple

from nst_tf.app.painted import PaintRequest


class Order(NamedTuple):
    """What a visitor asks for: the request, a name for the picture, and the knobs' values."""

    request: PaintRequest
    name: str
    knobs: tuple[Any, ...]
