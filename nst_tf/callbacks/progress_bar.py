"""Consumers of the Progress stream: each passes on what it hears, so they can be chained.

And what prints the few lines that the library itself has to say.
"""

import contextlib
import json
import logging
import math
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

from nst_tf import files
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.losses.terms import Losses
from nst_tf.run.progress import Progress, State

_LOG = logging.getLogger(__name__)
# Seconds between two lines where there is no terminal; steps between two texts of a bar.
LINE_EVERY = 10.0
LOG_EVERY = 10


def show(stream: Iterable[Progress]) -> Iterator[Progress]:
    """Show how far the run is: a bar on a terminal, plain lines now and then elsewhere.

    Args:
        stream: the run.

    Yields:
        The same Progress.
    """
    return _bar(stream) if sys.stdout.isatty() else _lines(stream)


def print_notices(*, quiet: bool = False) -> None:
    """Print what the library has to say: what a run will take, and what it changes on its way.

    Args:
        quiet: warnings alone.
    """
    log = logging.getLogger("nst_tf")
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False
    log.handlers = [_Notices()]


class _Notices(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # To the stream of the moment, which is the bar's while there is one.
        file = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        print(record.getMessage(), file=file, flush=True)


def show_batch(stream: Iterable[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    """Show how far a batch is: a bar on a terminal, plain lines now and then elsewhere.

    Args:
        stream: the batch, as of `batch.Batch.paint`.
        total: how many pictures it paints.

    Yields:
        The same.
    """
    return _batch_bar(stream, total) if sys.stdout.isatty() else _batch_lines(stream, total)


def log_losses(
    stream: Iterable[Progress], path: str, *, resumed: State | None = None
) -> Iterator[Progress]:
    """Write one JSON object a step: scale, step and the weighted losses that it evaluated.

    A step whose picture the optimiser did not keep says so: `"accepted": false`. A loss that is
    not finite is null. A full disk does not stop the run.

    Args:
        stream: the run.
        path: the file to write, JSON Lines.
        resumed: where the run goes on from, if it does: the lines up to there are kept.

    Yields:
        The same Progress.

    Raises:
        InputError: the file cannot be written.
    """
    file = _open(path, resumed)

    def follow() -> Iterator[Progress]:
        told = False
        try:
            for progress in stream:
                try:
                    file.write(_row(progress))
                    file.flush()
                except OSError as error:
                    if not told:
                        why = error.strerror
                        _LOG.warning("loss_log=%s: cannot be written (%s); painting on", path, why)
                    told = True
                yield progress
        finally:
            # Closing writes once more what could not be.
            with contextlib.suppress(OSError):
                file.close()

    return follow()


def _bar(stream: Iterable[Progress]) -> Iterator[Progress]:
    # All of it fits into 80 columns.
    columns = (BarColumn(8), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console()) as bar:
        task = bar.add_task("preparing", total=1.0)
        kept = _Kept()
        for count, progress in enumerate(stream):
            kept.add(progress)
            if count % LOG_EVERY == 0 or progress.done == 1:
                total, style, content, _ = (f"{float(value):.2g}" for value in kept.losses())
                bar.update(
                    task,
                    description=f"scale {progress.scale + 1}/{len(progress.scales)} "
                    f"step {progress.step + 1}/{progress.steps[progress.scale]} "
                    f"loss {total}: style {style} content {content}",
                )
            bar.update(task, completed=progress.done)
            yield progress


def _lines(stream: Iterable[Progress]) -> Iterator[Progress]:
    last = monotonic() - LINE_EVERY
    kept = _Kept()
    for progress in stream:
        kept.add(progress)
        now = monotonic()
        if now - last >= LINE_EVERY or progress.done == 1:
            print(_describe(progress, kept.losses()), flush=True)
            last = now
        yield progress


def _batch_bar(stream: Iterable[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    columns = (
        BarColumn(16),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        # A long name is not to take the others' room.
        TextColumn("{task.description}", table_column=Column(max_width=40, no_wrap=True)),
    )
    # A picture may take minutes; the bar would forget the last one by then.
    with Bar(*columns, console=Console(), speed_estimate_period=3600) as bar:
        task = bar.add_task("preparing", total=total)
        for entry in stream:
            bar.update(task, advance=1, description=_outcome(entry))
            yield entry


def _batch_lines(stream: Iterable[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    began, last = monotonic(), -math.inf
    for count, entry in enumerate(stream, 1):
        now = monotonic()
        if now - last >= LINE_EVERY or count == total:
            left = timedelta(seconds=round((now - began) / count * (total - count)))
            print(f"{count} of {total}: {_outcome(entry)}; {left} left", flush=True)
            last = now
        yield entry


def _outcome(entry: dict[str, Any]) -> str:
    return f"{entry['output']} {'failed' if entry['error'] else 'painted'}"


class _Kept:
    """The losses of the last picture that the optimiser kept; looks at none before it is asked."""

    def __init__(self):
        self._recent = []

    def add(self, progress: Progress) -> None:
        self._recent.append((progress.losses, progress.accepted))

    def losses(self) -> Losses:
        accepted = (losses for losses, accepted in reversed(self._recent) if accepted)
        # Where none was kept there is only what was tried.
        found = next(accepted, self._recent[-1][0])
        self._recent = [(found, True)]
        return found


def _describe(progress: Progress, losses: Losses) -> str:
    height, width = progress.scales[progress.scale]
    steps = progress.steps[progress.scale]
    return (
        f"{width} x {height} px, step {progress.step + 1} of {steps}: "
        f"loss {float(losses.total):.4g} = style {float(losses.style):.4g} "
        f"+ content {float(losses.content):.4g} + tv {float(losses.tv):.4g}"
    )


def _open(path: str, resumed: State | None) -> TextIO:
    if Path(path).suffix.lower() in image_io.FORMATS:
        raise InputError(f"loss_log={path}: is the name of a picture; give one as losses.jsonl")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if resumed is None:
            return open(path, "w", encoding="utf-8")
        files.replace(path, "".join(_lines_before(path, resumed)).encode())
        return open(path, "a", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"loss_log={path}: cannot be written ({error.strerror}); give another --loss_log"
        ) from error


def _lines_before(path: str, resumed: State) -> list[str]:
    """The lines of the steps that were taken before; a killed run may have left half a line."""
    if not Path(path).is_file():
        return []
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    return [line for line in lines if _before(line, resumed)]


def _before(line: str, resumed: State) -> bool:
    try:
        row = json.loads(line)
        return (row["scale"], row["step"]) < (resumed.scale, resumed.step)
    except (ValueError, KeyError, TypeError):
        return False


def _row(progress: Progress) -> str:
    row: dict[str, Any] = {"scale": progress.scale, "step": progress.step}
    values = {name: float(value) for name, value in progress.losses._asdict().items()}
    # JSON has no NaN.
    row |= {name: value if math.isfinite(value) else None for name, value in values.items()}
    if not progress.accepted:
        row["accepted"] = False
    return json.dumps(row) + "\n"
