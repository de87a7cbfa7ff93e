"""Measure what callbacks take after each step of a run, beside the step.

python benchmarks/callback_cost.py
"""

import contextlib
import itertools
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import machine
from absl import flags

from nst_tf import Progress, Settings, Style, optimize
from nst_tf.callbacks.animation import Animation
from nst_tf.callbacks.base import Callback, notify
from nst_tf.callbacks.checkpointing import Checkpointing
from nst_tf.callbacks.loss_log import LossLog
from nst_tf.callbacks.preview import Preview, to_file
from nst_tf.callbacks.progress_bar import ProgressBar
from nst_tf.callbacks.snapshots import Snapshots
from nst_tf.callbacks.tensorboard import TensorBoard
from nst_tf.cli import app
from nst_tf.cli.stylize import PREVIEW_SECONDS
from nst_tf.images import image_io

_SAMPLES = machine.ROOT / "samples"
_SIZE = flags.DEFINE_integer("size", 512, "long side of the result, in pixels")
_STEPS = flags.DEFINE_integer("steps", 10, "steps of each run")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often each is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_NEVER = 10**9


def main() -> None:
    """Measure each callback on runs of its own, and save."""
    content = image_io.read(f"{_SAMPLES}/content/raccoon.jpg").rgb
    style = image_io.read(f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg").rgb
    settings = Settings(size=_SIZE.value, scales=1, steps=_STEPS.value)
    results = machine.provenance()
    results["settings"] = {"size": settings.size, "steps": settings.steps, "rounds": _ROUNDS.value}

    def follow(settings: Settings, callbacks: list[Callback]) -> _TimedRun:
        run = _TimedRun(optimize(content, [Style(style)], settings))
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            run.follow(callbacks)
        return run

    callbacks: dict[str, dict] = {name: {"own": [], "step": []} for name in _NOT_DUE}
    whole: dict[str, dict] = {name: {"own": [], "run": []} for name in _WHOLE}
    for _ in range(_ROUNDS.value):
        for name, build in _NOT_DUE.items():
            with tempfile.TemporaryDirectory() as folder:
                run = follow(settings, build(Path(folder)))
            callbacks[name]["own"] += run.callback_seconds
            callbacks[name]["step"] += run.step_seconds
        for name, build in _WHOLE.items():
            with tempfile.TemporaryDirectory() as folder:
                run = follow(Settings(size=_SIZE.value), build(Path(folder)))
            whole[name]["own"].append(run.all_callback_seconds)
            whole[name]["run"].append(run.seconds)
    for name, seconds in callbacks.items():
        own, step = (statistics.median(seconds[key]) for key in ("own", "step"))
        print(f"{name}: {1000 * own:.2f} ms of {1000 * step:.0f} ms, {own / step:.2%}")
    for name, seconds in whole.items():
        own, of = (statistics.median(seconds[key]) for key in ("own", "run"))
        print(f"{name}: {own:.2f} s of {of:.1f} s, {own / of:.2%}")
    results |= {"callbacks": callbacks, "whole_runs": whole}
    machine.save(_OUTPUT.value, "callback_cost.json", results)


# Those that act now and then are not due before the last step.
_NOT_DUE: dict[str, Callable[[Path], list[Callback]]] = {
    "no callback": lambda folder: [],
    "progress bar": lambda folder: [ProgressBar()],
    "loss log": lambda folder: [LossLog(str(folder / "losses.jsonl"))],
    "snapshots, none due": lambda folder: [Snapshots(folder, _NEVER)],
    "checkpoint, none due": lambda folder: [Checkpointing(str(folder / "run.ckpt"), {}, _NEVER)],
    "TensorBoard, no picture due": lambda folder: [TensorBoard(folder, _NEVER)],
    "preview, none due": lambda folder: [Preview(to_file(folder / "preview.png"), _NEVER)],
    "animation": lambda folder: [Animation(folder / "animation.gif", 60)],
}
# Those that write pictures on the way, as often as by default.
_WHOLE: dict[str, Callable[[Path], list[Callback]]] = {
    "preview, .png": lambda folder: [Preview(to_file(folder / "preview.png"), PREVIEW_SECONDS)],
    "preview, .jpg": lambda folder: [Preview(to_file(folder / "preview.jpg"), PREVIEW_SECONDS)],
    "TensorBoard": lambda folder: [TensorBoard(folder, 10)],
}


class _TimedRun:
    """A run, the seconds of its steps, and those that callbacks took after each.

    The first step is left out, because it traces, and so is what follows the last, the run's end;
    but not of `seconds`, which are the whole run's, and of `all_callback_seconds` among them.
    """

    def __init__(self, run: Iterator[Progress]):
        self._run = run
        self.step_seconds: list[float] = []
        self.callback_seconds: list[float] = []
        self.seconds = self.all_callback_seconds = 0.0

    def follow(self, callbacks: list[Callback]) -> None:
        """Follow the run to its end."""
        began = perf_counter()
        for _ in notify(self, callbacks):
            pass
        ended = perf_counter()
        self.seconds = ended - began
        self.all_callback_seconds += ended - self._exhausted

    def __iter__(self) -> Iterator[Progress]:
        for count in itertools.count():
            started = perf_counter()
            progress = next(self._run, None)
            done = self._exhausted = perf_counter()
            if progress is None:
                return
            if count:
                self.step_seconds.append(done - started)
            yield progress
            seconds = perf_counter() - done
            self.all_callback_seconds += seconds
            if progress.done < 1:
                self.callback_seconds.append(seconds)


if __name__ == "__main__":
    app.run(main)
