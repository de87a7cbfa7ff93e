"""What goes to the workers of a batch and what comes back."""

import traceback
from typing import NamedTuple

from nst_tf.errors import InputError
from nst_tf.settings import Settings


class RenderConfig(NamedTuple):
    """How the images of a batch are rendered; equal for all of them."""

    settings: Settings  # method "fast" takes the size only
    method: str = "optimize"  # or "fast"
    handle: str = "bundled"  # model of method "fast", see `nst_tf.load`
    recipe: str = "default"  # that the settings come from, for the records within the images


class RenderRequest(NamedTuple):
    """An image to render."""

    number: int  # index of its job
    content: tuple[str, bytes]  # name for messages, content of the file
    style: tuple[str, bytes]


class RenderResult(NamedTuple):
    """The outcome of a request: an image or an error."""

    number: int  # of the request
    data: bytes | None = None  # a PNG
    losses: dict[str, float] = {}  # of the image; empty for method "fast"
    seconds: float = 0.0
    worker: str = ""
    error: str | None = None
    trace: str | None = None  # traceback of an error other than InputError
    precision: str = ""  # of the convolutions at the end; empty for method "fast"


def failure(number: int, error: Exception) -> RenderResult:
    """The outcome of a request that raised an error, whatever it is: the others are rendered."""
    if isinstance(error, InputError):
        return RenderResult(number, error=str(error))
    message = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    trace = "".join(traceback.format_exception(error))
    return RenderResult(number, error=message, trace=trace)
