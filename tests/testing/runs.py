"""Runs without a network, for what follows a run."""

import tensorflow as tf

from nst_tf import Progress, State
from nst_tf.losses.terms import Losses
from nst_tf.run.progress import RunPlan


class _Run:
    state = State(0, 1, RunPlan("float32"), RunPlan("float32"))

    def finish(self, image, size):
        return image


def fake_run(*totals, rejected=(), size=(8, 8)):
    """A Progress for each total; each list of totals is a scale, the last one of `size`.

    The picture is gray n/64 after step n, or as before where n is in `rejected`.
    """
    scales = [tuple(side >> halvings for side in size) for halvings in range(len(totals))][::-1]
    steps = [len(each) for each in totals]
    shown = -1
    for number, (scale, step) in enumerate(
        (scale, step) for scale, count in enumerate(steps) for step in range(count)
    ):
        accepted = number not in rejected
        shown = number if accepted else shown
        total = totals[scale][step]
        yield Progress(
            scale=scale,
            scales=scales,
            step=step,
            steps=steps,
            losses=Losses(*(tf.constant(part * total) for part in (1.0, 0.5, 0.3, 0.2))),
            accepted=tf.constant(accepted),
            seconds=0.5,
            _image=tf.fill([1, *scales[scale], 3], shown / 64),
            _run=_Run(),
        )
