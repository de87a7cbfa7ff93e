"""Score an image of crowsonkb.py beside ours of the same pair, and time both.

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

from nst_tf import atomic_files
from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.images.pixels import resize
from nst_tf.reports import comparison
from nst_tf.run.pyramid import style_image_size

_CONTENT = flags.DEFINE_string("content", None, "the content image (required)")
_STYLE = flags.DEFINE_string("style", None, "the style image (required)")
_THEIRS = flags.DEFINE_string("theirs", None, "the image of crowsonkb.py (required)")
_WEIGHT = flags.DEFINE_float("content_weight", 0.45, "ours, so that both contents are as near")
_STEPS = flags.DEFINE_integer("steps", 50, "ours")
_REPEATS = flags.DEFINE_integer("repeats", 5, "how many of their steps are timed at each scale")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often ours is run")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")


def main() -> None:
    """Time ours and their steps, score both images, save numbers and a row of images."""
    content, style = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    theirs = image_io.read(_THEIRS.value).rgb
    height, width = theirs.shape[:2]
    size = max(height, width)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/ours.png"
        our_seconds = statistics.median(_stylize(path, size) for _ in range(_ROUNDS.value))
        ours = resize(image_io.read(path).rgb, height, width).numpy()
    weights = pytorch.load(crowsonkb.SETTINGS)
    steps = crowsonkb.step_seconds(weights, content, style, size, _REPEATS.value)
    small = resize(content, height, width).numpy()
    scaled_style = resize(style, *style_image_size(*style.shape[:2], size)).numpy()
    evaluator = comparison.Evaluator(small, scaled_style)
    name = f"{Path(_CONTENT.value).stem} x {Path(_STYLE.value).stem}"
    saved = Path(_OUTPUT.value, "crowsonkb.json")
    results = json.loads(saved.read_text()) if saved.is_file() else {"pairs": {}}
    results |= machine.provenance()
    results["pairs"][name] = {
        "seconds": sum(seconds * count for _, seconds, count in steps),
        "our_seconds": our_seconds,
        "content_weight": _WEIGHT.value,
        "steps": _STEPS.value,
        "theirs": asdict(evaluator.measure(theirs)),
        "ours": asdict(evaluator.measure(ours)),
    }
    machine.save(_OUTPUT.value, saved.name, results)
    row = contact_sheet.row([small, scaled_style, theirs, ours])
    sheet = Path(_OUTPUT.value, crowsonkb_report.sheet_name(name))
    atomic_files.replace(sheet, contact_sheet.encode([row]))
    print(results["pairs"][name])


def _stylize(path: str, size: int) -> float:
    """Run ours in a process of its own; its seconds."""
    flag_values = {
        "content": _CONTENT.value,
        "style": _STYLE.value,
        "output": path,
        "size": size,
        "content_weight": _WEIGHT.value,
        "steps": _STEPS.value,
    }
    arguments = [f"--{name}={value}" for name, value in flag_values.items()]
    return commits.run_seconds(machine.ROOT, "stylize", "--quiet", *arguments)


if __name__ == "__main__":
    app.run(main, required=["content", "style", "theirs"])
