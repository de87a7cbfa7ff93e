"""How far a run is: a bar on a terminal, a line now and then elsewhere."""

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
        self._began = self._last_line = monotonic()
        self._task = self._bar.add_task("preparing", total=1.0)

    def on_begin(self) -> None:
        """Show the bar."""
        self._began = monotonic()
        self._last_line = self._began - LINE_SECONDS
        if self._is_terminal:
            self._bar.start()

    def on_step(self, progress: Progress) -> None:
        """Show where the run stands."""
        # Those of a trial that the optimizer did not keep are not the picture's.
        if progress.accepted or self._losses is None:
            self._losses = progress.losses
        left = time_left(monotonic() - self._began, progress.done)
        if self._is_terminal:
            line = f"{_describe(progress, self._losses)} {left} left"
            self._bar.update(self._task, description=line, completed=progress.done)
        elif monotonic() - self._last_line >= LINE_SECONDS or progress.done == 1:
            height, width = progress.scales[progress.scale]
            line = _describe(progress, self._losses)
            print(f"{width} x {height} px, {line}, {left} left", flush=True)
            self._last_line = monotonic()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._is_terminal:
            self._bar.stop()


def time_left(seconds: float, done: float) -> timedelta:
    """What is left of work of which a fraction has taken so many seconds."""
    return timedelta(seconds=round(seconds * (1 - done) / done))


def _describe(progress: Progress, losses: Losses) -> str:
    total, style, content, _ = (f"{float(value):.2g}" for value in losses)
    return (
        f"scale {progress.scale + 1}/{len(progress.scales)} "
        f"step {progress.step + 1}/{progress.steps[progress.scale]} "
        f"loss {total}: style {style} content {content}"
    )
