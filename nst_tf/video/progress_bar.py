"""The progress of a film: a bar on a terminal, a line every ten seconds elsewhere."""

import math
import sys
from time import monotonic

from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Column

from nst_tf.callbacks.progress_bar import LINE_SECONDS, time_left
from nst_tf.video.film_painting import FilmProgress


class FilmProgressBar:
    """Shows how many frames are painted, and the time elapsed and left."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._last_line = -math.inf
        self._origin: tuple[float, int] | None = None
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(None, table_column=Column(ratio=1, width=8)),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            expand=True,
        )
        self._task = self._bar.add_task("the first frame", total=None, left="")
        if self._is_terminal:
            self._bar.start()

    def on_frame(self, progress: FilmProgress) -> None:
        """Show where the film stands."""
        left = self._left(progress)
        done, total = progress.done, progress.total
        where = f"frame {done} of {total}" if total else f"frame {done}"
        if self._is_terminal:
            self._bar.update(self._task, description=where, completed=done, total=total, left=left)
        elif monotonic() - self._last_line >= LINE_SECONDS or done == total:
            print(f"{where}; {left}" if left else where, flush=True)
            self._last_line = monotonic()

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._is_terminal:
            self._bar.stop()

    def _left(self, progress: FilmProgress) -> str:
        """From the first new frame on: that one takes longest, and those before took no time."""
        now, done = monotonic(), progress.done
        if not progress.is_new or not progress.total or done > progress.total:
            return ""
        self._origin = self._origin or (now, done)
        before = self._origin[1] / progress.total
        return time_left(now - self._origin[0], before, done / progress.total)
