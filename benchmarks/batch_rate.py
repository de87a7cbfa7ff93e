"""Measure a batch beside as many single runs, in turns.

python benchmarks/batch_rate.py
"""

import statistics
import tempfile

import commits
import machine
from absl import app, flags

from nst_tf.batch import jobs

_CONTENTS = flags.DEFINE_multi_string(
    "contents", [f"{machine.ROOT}/samples/content"], "content images, as for scripts/batch.py"
)
_STYLES = flags.DEFINE_multi_string(
    "styles", [f"{machine.ROOT}/samples/style"], "style images, as for scripts/batch.py"
)
_SIZE = flags.DEFINE_integer("size", 256, "long side of the pictures, in pixels")
_WORKERS = flags.DEFINE_multi_integer("workers", [1, 2], "workers of a batch")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often all is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
# The scripts of single runs, by the method of a batch.
_SCRIPTS = {"optimize": "stylize", "fast": "fast"}


def main(_: list[str]) -> None:
    """Measure each method, and save."""
    contents = jobs.find_images("contents", _CONTENTS.value)
    pairs = jobs.pair(contents, jobs.find_images("styles", _STYLES.value))
    settings = {"size": _SIZE.value, "rounds": _ROUNDS.value, "pictures": len(pairs)}
    results = machine.provenance() | {"settings": settings, "methods": {}}
    for method in _SCRIPTS:
        seconds: dict[str, list[float]] = {}
        for _ in range(_ROUNDS.value):
            for name, each in _measure(method, pairs).items():
                seconds.setdefault(name, []).append(each)
            medians = {name: statistics.median(each) for name, each in seconds.items()}
            print(f"{method}: {medians}", flush=True)
        results["methods"][method] = seconds
    machine.save(_OUTPUT.value, "batch_rate.json", results)


def _measure(method: str, pairs: list[jobs.Job]) -> dict[str, float]:
    """Seconds of all single runs, with the batches in between, and of each batch."""
    seconds = {"single runs": 0.0}
    parts = 1 + len(_WORKERS.value)
    with tempfile.TemporaryDirectory() as folder:
        for part, workers in enumerate([*_WORKERS.value, None]):
            for job in pairs[part::parts]:
                seconds["single runs"] += _script_seconds(
                    _SCRIPTS[method],
                    f"--content={job.content}",
                    f"--style={job.style}",
                    f"--output={folder}/{job.output}",
                )
            if workers:
                seconds[f"a batch, workers={workers}"] = _script_seconds(
                    "batch",
                    f"--method={method}",
                    f"--workers={workers}",
                    *(f"--contents={content}" for content in _CONTENTS.value),
                    *(f"--styles={style}" for style in _STYLES.value),
                    f"--output_dir={folder}/{workers}",
                )
    return seconds


def _script_seconds(script: str, *arguments: str) -> float:
    return commits.run_seconds(machine.ROOT, script, *arguments, f"--size={_SIZE.value}")


if __name__ == "__main__":
    app.run(main)
