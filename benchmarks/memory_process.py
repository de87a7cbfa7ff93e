"""One configuration of memory.py in a process of its own, so that its memory is its own.

It prints what it has measured as one line of JSON.
"""

import json
import math
from time import perf_counter
from unittest import mock

import machine
from absl import app, flags

from nst_tf import Settings, Style, optimize, startup
from nst_tf.images import image_io
from nst_tf.losses import tiles
from nst_tf.run import memory

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_string(
    "content", f"{_SAMPLES}/content/cincinnati_bridge.jpg", "the photograph"
)
_STYLE = flags.DEFINE_string(
    "style", f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg", "the painting"
)
_SIZE = flags.DEFINE_integer("size", 512, "long side of the picture in pixels")
_PRECISION = flags.DEFINE_string("precision", "float32", "type of the convolutions")
_LIMIT = flags.DEFINE_float("max_memory", 0, "the limit in GiB; 0 for none")
_SEEN = flags.DEFINE_float("seen", 1, "the share of the picture that may be seen at a time")
_STEPS = flags.DEFINE_integer(
    "steps", 13, "how many steps to take; the history is full after ten that were kept"
)


def main(_: list[str]) -> None:
    """Take steps and print their time, the peak of the memory and what was estimated."""
    startup.import_tensorflow()
    photograph, painting = image_io.read(_CONTENT.value).rgb, image_io.read(_STYLE.value).rgb
    settings = Settings(
        size=_SIZE.value,
        scales=1,
        steps=_STEPS.value,
        precision=_PRECISION.value,
        max_memory=_LIMIT.value or 1e6,
    )
    plans: list[memory.Plan] = []
    plan = memory.plan

    def remember(sizes, *arguments) -> list[memory.Plan]:
        most = min(_SEEN.value * math.prod(sizes[-1]), tiles.MAX_TILE_PIXELS)
        with mock.patch.object(tiles, "MAX_TILE_PIXELS", most):
            plans.extend(plan(sizes, *arguments))
        return plans

    with mock.patch.object(memory, "plan", remember):
        stream = optimize(photograph, [Style(painting)], settings)
    seconds = []
    began = perf_counter()
    for progress in stream:
        float(progress.losses.total)
        seconds.append(perf_counter() - began)
        began = perf_counter()
    found = {
        "height": progress.scales[0][0],
        "width": progress.scales[0][1],
        "tiles": plans[0].tiles,
        "history": plans[0].history,
        "estimate": plans[0].total,
        "peak_memory": machine.peak_memory(),
        # The first holds the targets and the tracing.
        "step_seconds": seconds[1:],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    app.run(main)
