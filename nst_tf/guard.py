"""A run that stops where a loss is no number, with what it had before."""

import logging
import math
from collections.abc import Callable, Iterator

from nst_tf.errors import InputError
from nst_tf.progress import Latest, Progress

_LOG = logging.getLogger(__name__)


def finite(
    stream: Iterator[Progress], latest: Latest, again: Callable[[Latest], Iterator[Progress]]
) -> Iterator[Progress]:
    """Pass a run on as long as its losses and their gradients are numbers.

    Args:
        stream: the run.
        latest: of that run.
        again: begins a run at a state; in float32 it takes over where float16 fails.

    Yields:
        The same Progress.

    Raises:
        InputError: a loss or its gradient is infinite or no number; the last Progress is from
            before.
    """
    last = latest.state
    for progress in stream:
        if progress.finite:
            last = progress.state()
            yield progress
            continue
        if last.precision != "float16":
            raise _refusal(progress, last.precision)
        _LOG.warning("%s; going on in float32", _what(progress))
        # With the tiles and the history that there are; they were cut with room to spare.
        latest = Latest(last._replace(precision="float32"))
        yield from finite(again(latest), latest, again)
        return


def _what(progress: Progress) -> str:
    height, width = progress.scales[progress.scale]
    total = float(progress.losses.total)
    what = "the loss's gradient is no number" if math.isfinite(total) else f"the loss is {total:g}"
    return (
        f"{what} at scale {progress.scale + 1} of "
        f"{len(progress.scales)} ({width} x {height} px), step {progress.step + 1} of "
        f"{progress.steps[progress.scale]}"
    )


def _refusal(progress: Progress, precision: str) -> InputError:
    other = "" if precision == "float32" else "--precision=float32, "
    return InputError(
        f"{_what(progress)}; try {other}other --vgg_weights, or smaller weights of the terms"
    )
