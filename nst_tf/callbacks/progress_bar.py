"""The progress of a run: a bar on a terminal, a line every ten seconds elsewhere."""

import sys
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from nst_tf.callbacks.base import Callback
from nst_tf.losses.terms import Losses
from nst_tf.run.progress import Progress, seconds_left

# Between two lines where there is no terminal.
LINE_SECONDS = 10.0
# Of the bar; what would leave it less is left out.
_MIN_WIDTH = 8


class ProgressBar(Callback):
    """Shows scale, step, the time elapsed and left, and the losses of the picture."""

    def __init__(self) -> None:
        console = Console()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(None, table_column=Column(ratio=1, width=_MIN_WIDTH)),
            _TimeAndLosses(console),
            console=console,
            expand=True,
        )
        self._is_terminal = sys.stdout.isatty()
        self._losses: Losses | None = None
        self._origin: tuple[float, float] | None = None
        self._last_line = monotonic() - LINE_SECONDS
        self._task = self._bar.add_task("preparing", total=1.0, left="", losses="")

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
        step, losses = _describe_step(progress), _describe_losses(self._losses)
        if self._is_terminal:
            done = progress.done
            self._bar.update(self._task, description=step, completed=done, left=left, losses=losses)
        elif monotonic() - self._last_line >= LINE_SECONDS or progress.done == 1:
            height, width = progress.scales[progress.scale]
            print(f"{width} x {height} px, {step} {losses} {left}".rstrip(), flush=True)
            self._last_line = monotonic()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._is_terminal:
            self._bar.stop()


class _TimeAndLosses(ProgressColumn):
    """The time elapsed, which goes on during a step, the time left, and the losses.

    As much of that as there is room for.
    """

    def __init__(self, console: Console):
        super().__init__()
        self._console = console

    def render(self, task: Task) -> Text:
        left, losses = task.fields["left"], task.fields["losses"]
        elapsed = f"{timedelta(seconds=int(task.elapsed or 0))} elapsed"
        times = f"{elapsed}, {left}" if left else elapsed
        room = self._console.width - len(task.description) - _MIN_WIDTH - 2  # the gaps
        texts = (f"{times} {losses}".rstrip(), times)
        return Text(next((text for text in texts if len(text) <= room), left), no_wrap=True)


def time_left(seconds: float, before: float, done: float) -> str:
    """The time left where a fraction of the work, from `before` to `done`, took so many seconds."""
    left = seconds_left(seconds, before, done)
    return "" if left is None else f"{timedelta(seconds=round(left))} left"


def _describe_step(progress: Progress) -> str:
    step, steps = progress.step + 1, progress.steps[progress.scale]
    return f"scale {progress.scale + 1}/{len(progress.scales)} step {step}/{steps}"


def _describe_losses(losses: Losses) -> str:
    total, style, content, _ = (f"{float(value):.2g}" for value in losses)
    return f"loss {total}: style {style} content {content}"
