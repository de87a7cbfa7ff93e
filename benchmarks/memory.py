"""Measure peak memory and a step's time against size, whole and in tiles.

python benchmarks/memory.py
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import machine
from absl import app, flags

from nst_tf import files

_SIZES = flags.DEFINE_list(
    "sizes", ["512", "1024"], "long sides in pixels, seen whole and in tiles"
)
_LARGE = flags.DEFINE_list(
    "large",
    ["1024:2.4", "2048:5.5", "4096:5.5"],
    "long sides in pixels and limits in GiB, as 4096:5.5, seen as the limit has it",
)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often each is measured, in turns; large ones once")
_PRECISIONS = flags.DEFINE_list("precisions", ["float32", "bfloat16"], "types to measure in")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
# Of the picture, with its surroundings, for two tiles at 1024 px.
_TWO_TILES = 0.7
_GIB = 2**30


def main(_: list[str]) -> None:
    """Measure round by round, and save after each process."""
    settings = {"rounds": _ROUNDS.value}
    results = machine.provenance() | {"settings": settings, "runs": []}

    for precision in _PRECISIONS.value:
        for size in map(int, _SIZES.value * _ROUNDS.value):
            for seen in (1, _TWO_TILES):
                _measure(results, precision=precision, size=size, seen=seen)
        for size, limit in (each.split(":") for each in _LARGE.value):
            _measure(results, precision=precision, size=int(size), max_memory=float(limit))


def _measure(results: dict, **flag_values) -> None:
    """Measure in a process of its own, and save.

    That process must be started from a small one, as here: on Linux its peak memory begins with
    its parent's.
    """
    command = [sys.executable, str(Path(__file__).with_name("memory_process.py"))]
    command += [f"--{name}={value}" for name, value in flag_values.items()]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found = json.loads(done.stdout.splitlines()[-1])
    results["runs"].append(flag_values | found)
    path = Path(_OUTPUT.value) / "memory.json"
    files.replace(path, json.dumps(results, indent=1).encode())
    print(
        f"{flag_values}: {found['tiles']} tiles, {found['peak_memory'] / _GIB:.2f} GiB, "
        f"estimated {found['estimate'] / _GIB:.2f}, "
        f"{statistics.median(found['step_seconds']):.3f} s a step",
        flush=True,
    )


if __name__ == "__main__":
    app.run(main)
