"""The progress of a run: a bar on a terminal, a line every ten seconds elsewhere."""

import sys
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from nst_tf.callbacks.base import Callback
from nst_tf.losses.terms import Losses
from nst_tf.run.progress import Progress

# Between two lines where there is no terminal.
LINE_SECONDS = 10.0


class ProgressBar(Callback):
    """Shows scale, step, the losses of the picture, and the time left."""

    def __init__(self) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"), BarColumn(None), console=Console(), expand=True
        )
        self._is_terminal = sys.stdout.isatty()
        self._losses: Losses | None = None
        self._origin: tuple[float, float] | None = None
        self._last_line = monotonic() - LINE_SECONDS
        self._task = self._bar.add_task("preparing", total=1.0)

    def on_begin(self) -> None:
        """Show the bar."""
        if self._is_terminal:
            self._bar.start()

    def on_step(self, progress: Progress) -> None:
        """Show where the run stands."""
        # Those of a trial that the optimizer did not keep are not the picture's.
        if progress.accepted or self._losses is None:
            self._losses = progress.losses
        # From the first step on: that one is traced, and a resumed run had work done before.
        now = monotonic()
        self._origin = self._origin or (now, progress.done)
        left = time_left(now - self._origin[0], self._origin[1], progress.done)
        if self._is_terminal:
            line = f"{_describe(progress, self._losses)} {left}"
            self._bar.update(self._task, description=line, completed=progress.done)
        elif monotonic() - self._last_line >= LINE_SECONDS or progress.done == 1:
            height, width = progress.scales[progress.scale]
            line = _describe(progress, self._losses)
            print(f"{width} x {height} px, {line} {left}".rstrip(), flush=True)
            self._last_line = monotonic()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._is_terminal:
            self._bar.stop()


def time_left(seconds: float, before: float, done: float) -> str:
    """The time left where a fraction of the work, from `before` to `done`, took so many seconds."""
    if done == before:
        return ""
    return f"{timedelta(seconds=round(seconds * (1 - done) / (done - before)))} left"


def _describe(progress: Progress, losses: Losses) -> str:
    total, style, content, _ = (f"{float(value):.2g}" for value in losses)
    return (
        f"scale {progress.scale + 1}/{len(progress.scales)} "
        f"step {progress.step + 1}/{progress.steps[progress.scale]} "
        f"loss {total}: style {style} content {content}"
    )
