"""The end of a run whose loss, gradient or image is infinite or NaN."""

import logging
import math

from nst_tf.errors import InputError
from nst_tf.run.progress import Progress

_LOG = logging.getLogger(__name__)


def stop_if_not_finite(progress: Progress, precision: str) -> None:
    """Raise an InputError about the step that failed; in float16 warn, because float32 may do."""
    total = float(progress.losses.total)
    what = "a gradient or a pixel is NaN" if math.isfinite(total) else f"the loss is {total:g}"
    height, width = progress.scales[progress.scale]
    where = (
        f"{what} at scale {progress.scale + 1} of {len(progress.scales)} ({width} x {height} px), "
        f"step {progress.step + 1} of {progress.steps[progress.scale]}"
    )
    if precision == "float16":
        _LOG.warning("%s; continuing in float32", where)
        return
    other = "" if precision == "float32" else "--precision=float32, "
    raise InputError(f"{where}; try {other}other --vgg_weights, or smaller weights of the terms")
