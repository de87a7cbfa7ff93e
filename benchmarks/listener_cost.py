"""Measure what watching a run costs, beside its steps.

python benchmarks/listener_cost.py
"""

import contextlib
import itertools
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import perf_counter

import machine
from absl import flags

from nst_tf import Progress, Settings, Style, files, optimize
from nst_tf.callbacks import animation, progress_bar, snapshots, tensorboard
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.run import checkpoint

_SAMPLES = machine.ROOT / "samples"
_SIZE = flags.DEFINE_integer("size", 512, "long side of the picture, in pixels")
_STEPS = flags.DEFINE_integer("steps", 10, "steps of each run")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often each is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_NEVER = 10**9


def main() -> None:
    """Measure each listener on runs of its own, and save."""
    content = image_io.read(f"{_SAMPLES}/content/raccoon.jpg").rgb
    painting = image_io.read(f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg").rgb
    knobs = Settings(size=_SIZE.value, scales=1, steps=_STEPS.value)
    results = machine.provenance()
    results["settings"] = {"size": knobs.size, "steps": knobs.steps, "rounds": _ROUNDS.value}
    with tempfile.TemporaryDirectory() as folder:
        watchers = _watchers(Path(folder))
        found: dict[str, dict] = {name: {"own": [], "step": []} for name in watchers}
        for _, (name, watch) in itertools.product(range(_ROUNDS.value), watchers.items()):
            stream = _Timed(optimize(content, [Style(painting)], knobs))
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                for _ in watch(iter(stream)):
                    pass
            found[name]["own"] += stream.outside
            found[name]["step"] += stream.inside
    results["listeners"] = found
    for name, seconds in found.items():
        own, step = (statistics.median(seconds[key]) for key in ("own", "step"))
        print(f"{name}: {1000 * own:.2f} ms of {1000 * step:.0f} ms, {own / step:.2%}")
    files.replace(
        Path(_OUTPUT.value) / "listener_cost.json", json.dumps(results, indent=1).encode()
    )


def _watchers(folder: Path) -> dict[str, Callable[[Iterator[Progress]], Iterable[Progress]]]:
    """Each listener; those that act now and then have nothing to do but at the end."""
    return {
        "no listener": iter,
        "progress lines": progress_bar.show,
        "loss log": lambda run: progress_bar.log_losses(run, str(folder / "losses.jsonl")),
        "snapshots, none due": lambda run: snapshots.write(run, folder, _NEVER),
        "checkpoint, none due": lambda run: checkpoint.keep(
            run, str(folder / "run.ckpt"), {}, _NEVER
        ),
        "TensorBoard, no picture due": lambda run: tensorboard.write(run, str(folder), _NEVER),
        "film": lambda run: animation.film(run, folder / "film.gif", 60),
    }


class _Timed:
    """A run, the seconds within its steps, and those that its listener took after each.

    The last step is left out: what comes after it is the run's end.
    """

    def __init__(self, stream: Iterator[Progress]):
        self._stream = stream
        self.inside: list[float] = []
        self.outside: list[float] = []

    def __iter__(self) -> Iterator[Progress]:
        for count in itertools.count():
            began = perf_counter()
            progress = next(self._stream, None)
            if progress is None:
                return
            done = perf_counter()
            # The first has the tracing in it.
            if count:
                self.inside.append(done - began)
            yield progress
            if progress.done < 1:
                self.outside.append(perf_counter() - done)


if __name__ == "__main__":
    app.run(main)
