"""Judge a picture of crowsonkb.py beside ours of the same pair, and time both.

python benchmarks/crowsonkb.py --content=photo.jpg --style=painting.jpg --output=theirs.png
python benchmarks/beside_crowsonkb.py --content=photo.jpg --style=painting.jpg --theirs=theirs.png
"""

import json
import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path

import commits
import contact_sheet
import crowsonkb
import crowsonkb_report
import machine
import pytorch
from absl import flags

from nst_tf import files
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.reports import comparison
from nst_tf.run.pyramid import painting_size

_CONTENT = flags.DEFINE_string("content", None, "the photograph (required)")
_STYLE = flags.DEFINE_string("style", None, "the painting (required)")
_THEIRS = flags.DEFINE_string("theirs", None, "the picture of crowsonkb.py (required)")
_WEIGHT = flags.DEFINE_float("content_weight", 0.45, "ours, so that both contents are as near")
_STEPS = flags.DEFINE_integer("steps", 50, "ours")
_REPEATS = flags.DEFINE_integer("repeats", 5, "how many of their steps are timed at each scale")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often ours is painted")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")


def main() -> None:
    """Time ours and their steps, judge both pictures, save numbers and a row of pictures."""
    photograph, painting = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    theirs = image_io.read(_THEIRS.value).rgb
    height, width = theirs.shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/ours.png"
        ours_seconds = statistics.median(
            _paint(path, max(height, width)) for _ in range(_ROUNDS.value)
        )
        ours = image_io.resize(image_io.read(path).rgb, height, width).numpy()
    weights = pytorch.load(crowsonkb.SETTINGS)
    steps = crowsonkb.step_seconds(
        weights, photograph, painting, max(height, width), _REPEATS.value
    )
    small = image_io.resize(photograph, height, width).numpy()
    fitted = painting_size(*painting.shape[:2], max(height, width))
    style = image_io.resize(painting, *fitted).numpy()
    judge = comparison.Evaluator(small, style)
    name = f"{Path(_CONTENT.value).stem} x {Path(_STYLE.value).stem}"
    saved = Path(_OUTPUT.value, "crowsonkb.json")
    results = json.loads(saved.read_text()) if saved.is_file() else {"pairs": {}}
    results |= machine.provenance()
    results["pairs"][name] = {
        "seconds": sum(seconds * count for _, seconds, count in steps),
        "our_seconds": ours_seconds,
        "content_weight": _WEIGHT.value,
        "steps": _STEPS.value,
        "theirs": asdict(judge.measure(theirs)),
        "ours": asdict(judge.measure(ours)),
    }
    files.replace(saved, json.dumps(results, indent=1).encode())
    row = contact_sheet.row([small, style, theirs, ours])
    files.replace(Path(_OUTPUT.value, crowsonkb_report.picture(name)), contact_sheet.encode([row]))
    print(results["pairs"][name])


def _paint(path: str, size: int) -> float:
    """Paint ours in a process of its own; its seconds."""
    arguments = {
        "content": _CONTENT.value,
        "style": _STYLE.value,
        "output": path,
        "size": size,
        "content_weight": _WEIGHT.value,
        "steps": _STEPS.value,
    }
    given = [f"--{name}={value}" for name, value in arguments.items()]
    return commits.run_seconds(machine.ROOT, "stylize", "--quiet", *given)


if __name__ == "__main__":
    app.run(main, required=["content", "style", "theirs"])
