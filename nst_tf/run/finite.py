"""A run that stops where a loss is no number, with what it had before."""

import logging
import math
from collections.abc import Callable, Iterator

from nst_tf.errors import InputError
from nst_tf.run.progress import Latest, Progress, State

_LOG = logging.getLogger(__name__)
Run = Iterator[tuple[Progress, State]]


def finite(begin: Callable[[], Run], latest: Latest) -> Iterator[Progress]:
    """Pass a run on as long as its losses, their gradients and its picture are numbers.

    Args:
        begin: begins the run at the latest state; called at once, and again, in float32, where
            float16 fails.
        latest: takes the state after each good step.

    Returns:
        An iterator of the run's Progress.

    Raises:
        InputError: something is infinite or no number, by the iterator; the last Progress is from
            before.
    """
    return _follow(begin(), begin, latest)


def _follow(run: Run, begin: Callable[[], Run], latest: Latest) -> Iterator[Progress]:
    while True:
        for progress, state in run:
            # Waits for the device at each step: later, the good state before would be gone.
            if not progress.finite:
                break
            latest.state = state
            del state
            yield progress
        else:
            return
        decided = latest.state.decided
        if decided.precision != "float16":
            raise _refusal(progress, decided.precision)
        _LOG.warning("%s; going on in float32", _what(progress))
        # The network and the graphs in float16 go first.
        del run, progress, state
        latest.state = latest.state._replace(decided=decided._replace(precision="float32"))
        run = begin()


def _what(progress: Progress) -> str:
    total = float(progress.losses.total)
    what = (
        "a gradient or a pixel is no number" if math.isfinite(total) else f"the loss is {total:g}"
    )
    height, width = progress.scales[progress.scale]
    return (
        f"{what} at scale {progress.scale + 1} of {len(progress.scales)} ({width} x {height} px), "
        f"step {progress.step + 1} of {progress.steps[progress.scale]}"
    )


def _refusal(progress: Progress, precision: str) -> InputError:
    other = "" if precision == "float32" else "--precision=float32, "
    return InputError(
        f"{_what(progress)}; try {other}other --vgg_weights, or smaller weights of the terms"
    )
