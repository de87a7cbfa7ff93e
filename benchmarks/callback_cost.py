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
from nst_tf.callbacks.progress_bar import ProgressBar
from nst_tf.callbacks.snapshots import Snapshots
from nst_tf.callbacks.tensorboard import TensorBoard
from nst_tf.cli import app
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
    with tempfile.TemporaryDirectory() as folder:
        builders = _builders(Path(folder))
        callbacks: dict[str, dict] = {name: {"own": [], "step": []} for name in builders}
        for _, (name, build) in itertools.product(range(_ROUNDS.value), builders.items()):
            run = _TimedRun(optimize(content, [Style(style)], settings))
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                for _ in notify(run, build()):
                    pass
            callbacks[name]["own"] += run.callback_seconds
            callbacks[name]["step"] += run.step_seconds
    for name, seconds in callbacks.items():
        own, step = (statistics.median(seconds[key]) for key in ("own", "step"))
        print(f"{name}: {1000 * own:.2f} ms of {1000 * step:.0f} ms, {own / step:.2%}")
    machine.save(_OUTPUT.value, "callback_cost.json", results | {"callbacks": callbacks})


def _builders(folder: Path) -> dict[str, Callable[[], list[Callback]]]:
    """Each callback; those that act now and then are not due before the last step."""
    return {
        "no callback": lambda: [],
        "progress bar": lambda: [ProgressBar()],
        "loss log": lambda: [LossLog(str(folder / "losses.jsonl"))],
        "snapshots, none due": lambda: [Snapshots(folder, _NEVER)],
        "checkpoint, none due": lambda: [Checkpointing(str(folder / "run.ckpt"), {}, _NEVER)],
        "TensorBoard, no picture due": lambda: [TensorBoard(str(folder), _NEVER)],
        "animation": lambda: [Animation(folder / "animation.gif", 60)],
    }


class _TimedRun:
    """A run, the seconds of its steps, and those that callbacks took after each.

    The first step is left out, because it traces, and so is what follows the last, the run's end.
    """

    def __init__(self, run: Iterator[Progress]):
        self._run = run
        self.step_seconds: list[float] = []
        self.callback_seconds: list[float] = []

    def __iter__(self) -> Iterator[Progress]:
        for count in itertools.count():
            started = perf_counter()
            progress = next(self._run, None)
            if progress is None:
                return
            done = perf_counter()
            if count:
                self.step_seconds.append(done - started)
            yield progress
            if progress.done < 1:
                self.callback_seconds.append(perf_counter() - done)


if __name__ == "__main__":
    app.run(main)
