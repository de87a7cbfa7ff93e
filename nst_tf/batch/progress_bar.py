"""The progress of a batch: a bar on a terminal, a line every ten seconds elsewhere."""

import math
import sys
from collections.abc import Mapping
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from nst_tf.callbacks.progress_bar import LINE_SECONDS, time_left
from nst_tf.printable import printable


class BatchProgressBar:
    """Shows how many images are done, the time left and the last outcome."""

    def __init__(self, total: int):
        self._total, self._count, self._num_rendered = total, 0, 0
        self._started, self._last_line = monotonic(), -math.inf
        self._is_terminal = sys.stdout.isatty()
        console = Console()
        self._bar = Bar(
            BarColumn(None, table_column=Column(ratio=1, width=8)),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            _NameColumn(console.encoding),
            TextColumn("{task.fields[outcome]}"),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task("", total=total, left="", outcome="preparing")
        if self._is_terminal:
            self._bar.start()

    def on_result(self, entry: Mapping[str, Any]) -> None:
        """Count an entry of the log."""
        self._count += 1
        if not entry["error"]:
            self._num_rendered += 1
        outcome = "failed" if entry["error"] else "painted"
        name, left = entry["output"], self._left()
        if self._is_terminal:
            self._bar.update(self._task, advance=1, description=name, left=left, outcome=outcome)
        elif monotonic() - self._last_line >= LINE_SECONDS or self._count == self._total:
            line = f"{self._count} of {self._total}: {name} {outcome}"
            print(f"{line}; {left}" if left else line, flush=True)
            self._last_line = monotonic()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._is_terminal:
            self._bar.stop()

    def _left(self) -> str:
        """The time left, once an image is rendered: failures are too quick to tell it."""
        work = self._num_rendered + self._total - self._count
        return time_left(monotonic() - self._started, 0, self._num_rendered / max(work, 1))


class _NameColumn(ProgressColumn):
    """The task's description, cut where the other columns leave too little width."""

    def __init__(self, encoding: str):
        super().__init__()
        self._encoding = encoding

    def render(self, task: Task) -> Text:
        # Escaped before its width is measured; and not every terminal has an ellipsis.
        name = printable(task.description, self._encoding)
        has_ellipsis = printable("…", self._encoding) == "…"
        return Text(name, no_wrap=True, overflow="ellipsis" if has_ellipsis else "crop")
