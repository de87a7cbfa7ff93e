"""Measure a batch beside as many single runs, in turns.

python benchmarks/batch_rate.py
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import machine
from absl import app, flags

from nst_tf import files
from nst_tf.batch import jobs

_CONTENTS = flags.DEFINE_multi_string(
    "contents", [f"{machine.ROOT}/samples/content"], "the photographs, as of scripts/batch.py"
)
_STYLES = flags.DEFINE_multi_string(
    "styles", [f"{machine.ROOT}/samples/style"], "the paintings, likewise"
)
_SIZE = flags.DEFINE_integer("size", 256, "long side of the pictures, in pixels")
_WORKERS = flags.DEFINE_multi_integer("workers", [1, 2], "workers of a batch")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often all is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_SINGLE = {"optimize": "stylize", "fast": "fast"}


def main(_: list[str]) -> None:
    """Measure each method, and save."""
    pairs = jobs.pair(
        jobs.pictures("contents", _CONTENTS.value), jobs.pictures("styles", _STYLES.value)
    )
    settings = {"size": _SIZE.value, "rounds": _ROUNDS.value, "pictures": len(pairs)}
    results = machine.provenance() | {"settings": settings, "methods": {}}
    for method in _SINGLE:
        seconds: dict[str, list[float]] = {}
        for _ in range(_ROUNDS.value):
            for name, each in _round(method, pairs).items():
                seconds.setdefault(name, []).append(each)
            medians = {name: statistics.median(each) for name, each in seconds.items()}
            print(f"{method}: {medians}", flush=True)
        results["methods"][method] = seconds
    text = json.dumps(results, indent=1)
    files.replace(Path(_OUTPUT.value) / "batch_rate.json", text.encode())


def _round(method: str, pairs: list[jobs.Job]) -> dict[str, float]:
    """Seconds of all single runs, with the batches in between, and of each batch."""
    found = {"single runs": 0.0}
    parts = 1 + len(_WORKERS.value)
    with tempfile.TemporaryDirectory() as folder:
        for part, workers in enumerate([*_WORKERS.value, None]):
            for job in pairs[part::parts]:
                found["single runs"] += _seconds(
                    _SINGLE[method],
                    f"--content={job.content}",
                    f"--style={job.style}",
                    f"--output={folder}/{job.output}",
                )
            if workers:
                found[f"a batch, workers={workers}"] = _seconds(
                    "batch",
                    f"--method={method}",
                    f"--workers={workers}",
                    *(f"--contents={content}" for content in _CONTENTS.value),
                    *(f"--styles={style}" for style in _STYLES.value),
                    f"--output_dir={folder}/{workers}",
                )
    return found


def _seconds(script: str, *arguments: str) -> float:
    command = [sys.executable, f"{machine.ROOT}/scripts/{script}.py", *arguments]
    started = perf_counter()
    subprocess.run([*command, f"--size={_SIZE.value}"], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


if __name__ == "__main__":
    app.run(main)
