"""One configuration of memory.py in a process of its own, so that its memory is its own.

It prints what it has measured as one line of JSON.
"""

import json
import math
from time import perf_counter

import machine
from absl import app, flags

from nst_tf import Settings, Style, optimize, tensorflow_startup
from nst_tf.images import image_io
from nst_tf.losses.tiles import MAX_TILE_PIXELS
from nst_tf.run import memory_plan
from nst_tf.run.progress import RunPlan, State
from nst_tf.run.pyramid import scale_sizes
from nst_tf.run.session import Session

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string(
    "content", f"{_SAMPLES}/content/cincinnati_bridge.jpg", "the content image"
)
_STYLE = flags.DEFINE_string(
    "style", f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg", "the style image"
)
_SIZE = flags.DEFINE_integer("size", 512, "long side of the result in pixels")
_PRECISION = flags.DEFINE_string("precision", "float32", "type of the convolutions")
_LIMIT = flags.DEFINE_float("max_memory", 0, "the limit in GiB; 0 for none")
_FRACTION = flags.DEFINE_float(
    "max_tile_fraction", 1, "pixels of the largest tile, padding included, over the image's"
)
_STEPS = flags.DEFINE_integer(
    "steps", 13, "how many steps to take; the history is full after ten that were accepted"
)


def main(_: list[str]) -> None:
    """Take steps and print their time, the peak of the memory and the estimate."""
    tensorflow_startup.import_tensorflow()
    content, styles = image_io.read(_CONTENT.value).rgb, [Style(image_io.read(_STYLE.value).rgb)]
    settings = Settings(
        size=_SIZE.value,
        scales=1,
        steps=_STEPS.value,
        precision=_PRECISION.value,
        max_memory=_LIMIT.value or 1e6,
    )
    session = Session()
    network = session.begin(settings, styles)
    sizes = scale_sizes(*content.shape[:2], settings)
    max_pixels = min(int(_FRACTION.value * math.prod(sizes[0])), MAX_TILE_PIXELS)
    budget = session.memory_budget(content)
    (scale_plan,) = memory_plan.plan(sizes, network, settings, budget, max_tile_pixels=max_pixels)
    plan = RunPlan(settings.precision, (scale_plan,))
    run = optimize(content, styles, settings, resume=State(0, 0, plan, plan), session=session)
    seconds = []
    started = perf_counter()
    for progress in run:
        float(progress.losses.total)
        seconds.append(perf_counter() - started)
        started = perf_counter()
    results = {
        "height": sizes[0][0],
        "width": sizes[0][1],
        "tiles": scale_plan.num_tiles,
        "history": scale_plan.lbfgs_history,
        "estimate": scale_plan.total_bytes,
        "peak_memory": machine.peak_memory(),
        # The first computes the style targets and traces.
        "step_seconds": seconds[1:],
    }
    print(json.dumps(results))


if __name__ == "__main__":
    app.run(main)
