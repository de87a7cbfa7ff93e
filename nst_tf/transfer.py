"""The coarse-to-fine loop: paint small, enlarge, paint on."""

import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.images.image_io import resize
from nst_tf.networks import precision
from nst_tf.optimizers import preconditioner
from nst_tf.optimizers.adam import Adam
from nst_tf.optimizers.base import Evaluation
from nst_tf.optimizers.lbfgs import Lbfgs
from nst_tf.run import finite, memory
from nst_tf.run.problem import Task
from nst_tf.run.progress import Decided, Latest, Progress, State
from nst_tf.run.pyramid import scale_sizes, scale_steps
from nst_tf.run.session import Shared
from nst_tf.run.step import Step
from nst_tf.settings import Settings
from nst_tf.style import Style, check

_LOG = logging.getLogger(__name__)
# L-BFGS's first guess of the inverse Hessian. The curvature met along its moves grew with
# frequency^0.8 or so. Up to 256 px the last loss of three pairs stayed within 1.4%, in the mean,
# with an evenness of 0.5 and 0.9, a boldness of 1 and 2.5, and an exponent of 0.9. On the Gram
# objective of an earlier default, at 512 px, no evenness made it 3% higher for two pairs and 17%
# for a third. There, for an earlier L-BFGS, it was 5% higher with a sine in place of projection to
# [0, 1], and 30% with no bounds until the end; with Adam and a decaying step 20 to 40%.
FREQUENCY_EXPONENT = 0.7
EVENNESS = 0.7
BOLDNESS = 1.5
# How far a total may be off, relatively, where the convolutions are not float32.
NOISE = 1e-3


def stylize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings,
    *,
    start: np.ndarray | None = None,
    keep: np.ndarray | None = None,
) -> np.ndarray:
    """Repaint a photograph in the manner of one or more paintings.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: a picture to start from, in place of what `settings.init` says.
        keep: as of `optimize`.

    Returns:
        The picture, float32 sRGB in [0, 1], its long side `settings.size` pixels.

    Raises:
        InputError: as `optimize`.
    """
    for progress in optimize(content, styles, settings, start=start, keep=keep):
        last = progress
    return last.image()


def optimize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings,
    *,
    start: np.ndarray | None = None,
    keep: np.ndarray | None = None,
    resume: State | None = None,
    shared: Shared | None = None,
) -> Iterator[Progress]:
    """Paint step by step; leave the loop whenever the picture is good enough.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: a picture to start from, in place of what `settings.init` says; it is stretched to
            the photograph's sides.
        keep: where the photograph must stay as it is, float32 [h, w] in [0, 1] of the photograph's
            shape, in any size; paintings count in the rest only.
        resume: `Progress.state()` of an earlier run of the same pictures and settings, to go on
            from: the rest is the same to the last bit.
        shared: of earlier runs, so that what they have in common is not done again.

    Returns:
        An iterator with a Progress after each step; the last holds the finished picture.

    Raises:
        InputError: a size the network cannot see, an unknown layer, weights that do not load,
            too little memory allowed, an array that is no picture: by the call, before the first
            step. Later, as of `guard.finite`.
    """
    check(content, styles, start, keep, settings)
    if start is None and settings.init not in ("content", "noise"):
        raise InputError(f"init={settings.init}: give the picture itself as start=")
    scales = scale_sizes(content.shape[0], content.shape[1], settings)
    shared = shared or Shared()

    def begin() -> finite.Run:
        state = latest.state
        known = replace(settings, precision=state.decided.precision)
        network = shared.network(known)
        if not state.decided.plans:
            plans = memory.plan(scales, network, known, shared.room(content))
            _LOG.info(memory.describe(plans, known))
            decided = Decided(known.precision, tuple(plans))
            latest.state = state._replace(decided=decided, begun=decided)
        job = Task(content, styles, known, keep, shared.learnt(styles))
        return _paint(job, start, scales, network, shared.graphs, latest)

    if resume is None:
        decided = Decided(precision.resolve(settings.precision))
        resume = State(0, 0, decided, decided)
    latest = Latest(resume)
    del resume  # the latest state is to be the only one
    return finite.finite(begin, latest)


def _paint(job: Task, start, scales, network, graphs, latest: Latest) -> finite.Run:
    settings, steps = job.settings, scale_steps(scales, job.settings)
    first, taken, decided, begun = latest.state[:4]
    state: Any = None

    def progress(scale: int, step: int, seen: Evaluation) -> Progress:
        image = state.image
        return Progress(scale, scales, step, steps, *seen, image, latest, job.finish)

    for scale in range(first, len(scales)):
        size, plan = scales[scale], decided.plans[scale]
        optimizer = optimizer_of(settings, plan.history)
        if state is not None:
            enlarge = job.enlarge if start is None else lambda image, size: resize(image, *size)
            state = optimizer.resize(state, enlarge(state.image, size))
        else:
            state = _restored(optimizer.init(job.first(start, size), bounds=(0.0, 1.0)), latest)
        build = functools.partial(job.objective, network, size)
        step = Step(optimizer, build, plan.most, graphs, settings.jit)
        for index in range(taken, steps[scale]):
            state, seen = step(state)
            if step.most < plan.most:
                # Tiles that had to become smaller stay so.
                most = int(step.most)
                plans = [each._replace(most=min(each.most, most)) for each in decided.plans]
                decided = decided._replace(plans=tuple(plans))
            tensors = tf.nest.flatten(state)
            after = State(scale, index + 1, decided, begun, tensors, seen)
            yield progress(scale, index, seen), after
            del tensors, after
        last = latest.state
        if scale + 1 == len(scales) and taken == steps[scale] and last.seen is not None:
            # It was resumed at its end, which is what there is to tell.
            yield progress(scale, taken - 1, last.seen), last
        taken = 0


def _restored(fresh: Any, latest: Latest) -> Any:
    """An optimiser's state with the tensors of the state that a run goes on from, if it does."""
    if not latest.state.tensors:
        return fresh
    tensors = [tf.constant(tensor) for tensor in latest.state.tensors]
    # As they are needed now, so that they are not held twice.
    latest.state = latest.state._replace(tensors=tensors)
    return tf.nest.pack_sequence_as(fresh, tensors)


def optimizer_of(settings: Settings, history: int) -> Any:
    """The optimiser that settings describe.

    Args:
        settings: optimizer, its knobs, and precision, no longer `auto`.
        history: how many moves L-BFGS remembers.

    Returns:
        An `Adam` or `Lbfgs`.
    """
    if settings.optimizer == "adam":
        return Adam(settings.learning_rate, settings.beta_1, settings.beta_2, settings.epsilon)
    damp = functools.partial(preconditioner.damp, exponent=FREQUENCY_EXPONENT)
    noise = 0.0 if settings.precision == "float32" else NOISE
    return Lbfgs(history, damp, evenness=EVENNESS, boldness=BOLDNESS, noise=noise)
