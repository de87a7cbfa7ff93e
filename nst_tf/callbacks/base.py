"""Callbacks: what follows a run, and `notify`, which calls them."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator

from nst_tf.errors import InputError
from nst_tf.run.progress import Progress

_LOG = logging.getLogger(__name__)


class Callback:
    """Follows a run; a subclass overrides what it needs.

    An InputError of a callback, such as a full disk, does not stop the run. It becomes a warning,
    which is not repeated while it says the same.
    """

    def on_begin(self) -> None:
        """Called once, before the first step."""

    def on_step(self, progress: Progress) -> None:
        """Called after each step.

        Args:
            progress: where the run stands; its picture is computed when `image()` is called.
        """

    def close(self) -> None:
        """Called once, when the run ends, however it ends."""


def notify(run: Iterable[Progress], callbacks: Iterable[Callback]) -> Iterator[Progress]:
    """Pass a run on, calling the callbacks after each step and at the end.

    Args:
        run: of `optimize`.
        callbacks: called in their order, and closed in the reverse order.

    Yields:
        The same Progress.
    """
    callbacks = list(callbacks)
    warnings: dict[int, str] = {}  # the last of each, by identity: a dataclass has no hash

    def call(callback: Callback, method: Callable, *arguments: Progress) -> None:
        try:
            method(*arguments)
        except InputError as error:
            if warnings.get(id(callback)) != str(error):
                _LOG.warning("%s; the run is not affected", error)
            warnings[id(callback)] = str(error)

    with contextlib.ExitStack() as closing:
        for callback in callbacks:
            closing.callback(call, callback, callback.close)
        for callback in callbacks:
            call(callback, callback.on_begin)
        for progress in run:
            for callback in callbacks:
                call(callback, callback.on_step, progress)
            yield progress
