"""Measure where the seconds of a run with one step go, beside an earlier commit's, in turns.

python benchmarks/start_up.py
"""

import json
import statistics
import tempfile
from pathlib import Path

import commits
import machine
from absl import flags

from nst_tf.cli import app

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string("content", f"{_SAMPLES}/content/raccoon.jpg", "the content image")
_STYLE = flags.DEFINE_string("style", f"{_SAMPLES}/style/hokusai_great_wave.jpg", "the style image")
_BEFORE = flags.DEFINE_string("before", "bf9bda1", "the earlier commit")
_SIZE = flags.DEFINE_integer("size", 512, "long side of the result, in pixels")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "how often each is measured, in turns")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")


def main() -> None:
    """Run whole processes in turns, and save after each round."""
    settings = {"size": _SIZE.value, "rounds": _ROUNDS.value, "before": _BEFORE.value}
    results = machine.provenance() | {"settings": settings}
    runs: dict[str, dict[str, list[float]]] = {"before": {}, "after": {}, "import tensorflow": {}}
    with commits.sources(_BEFORE.value) as sources, tempfile.TemporaryDirectory() as folder:
        for _ in range(_ROUNDS.value):
            for name in runs:
                measured = _measure(sources.get(name), Path(folder))
                for key, seconds in measured.items():
                    runs[name].setdefault(key, []).append(seconds)
                print(f"{name}: {measured}", flush=True)
            machine.save(_OUTPUT.value, "start_up.json", results | {"runs": runs})
    medians = {name: statistics.median(each["process"]) for name, each in runs.items()}
    print(f"medians: {medians}")


def _measure(source: Path | None, folder: Path) -> dict[str, float]:
    """Seconds of a process, and of the run within it as its record has them.

    Without a source it is the bare import of TensorFlow.
    """
    if source is None:
        return {"process": commits.python_seconds(machine.ROOT, "-c", "import tensorflow")}
    seconds = commits.run_seconds(
        source,
        "stylize",
        f"--content={_CONTENT.value}",
        f"--style={_STYLE.value}",
        f"--output={folder}/stylized.png",
        f"--size={_SIZE.value}",
        "--scales=1",
        "--steps=1",
        "--quiet",
    )
    record = json.loads((folder / "stylized.png.json").read_text())
    # The key is that of the recorded results.
    return {"process": seconds, "painting": record["seconds"]}


if __name__ == "__main__":
    app.run(main)
