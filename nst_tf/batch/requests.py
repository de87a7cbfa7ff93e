"""What goes to the workers of a batch and comes back: orders, errands, and what became of them."""

from typing import NamedTuple

from nst_tf.settings import Settings


class Order(NamedTuple):
    """How the pictures of a batch are painted.

    Attributes:
        settings: the knobs; the fast method takes their size only.
        method: `optimize` or `fast`.
        handle: the fast method's model, as of `fast.load`.
        precision: of the convolutions, settled for all workers; empty before that.
    """

    settings: Settings
    method: str = "optimize"
    handle: str = "bundled"
    precision: str = ""


class Errand(NamedTuple):
    """A picture to paint.

    Attributes:
        number: of its job.
        content: the photograph's name, for messages, and the bytes of its file.
        style: likewise of the painting.
    """

    number: int
    content: tuple[str, bytes]
    style: tuple[str, bytes]


class Painted(NamedTuple):
    """What became of it.

    Attributes:
        number: of its job.
        data: the bytes of a PNG; None where it failed.
        losses: of the picture; none for the fast method.
        seconds: that it took.
        worker: who painted it.
        error: why it failed.
        trace: where, for errors that are none of the user's.
        kind: the precision that it was painted in; empty for the fast method.
    """

    number: int
    data: bytes | None = None
    losses: dict[str, float] = {}
    seconds: float = 0.0
    worker: str = ""
    error: str | None = None
    trace: str | None = None
    kind: str = ""
