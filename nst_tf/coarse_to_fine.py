"""The coarse-to-fine loop: optimize a small image, enlarge it, optimize on."""

import dataclasses
import functools
import logging
from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter

import numpy as np
import tensorflow as tf

from nst_tf.callbacks.base import Callback, notify
from nst_tf.errors import InputError
from nst_tf.images.pixels import Size
from nst_tf.losses.temporal import TemporalTarget
from nst_tf.networks import device, precision
from nst_tf.optimizers.adam import Adam
from nst_tf.optimizers.base import Evaluation
from nst_tf.optimizers.lbfgs import Lbfgs
from nst_tf.optimizers.preconditioner import fourier_precondition
from nst_tf.run import memory_plan
from nst_tf.run.nan_check import stop_if_not_finite
from nst_tf.run.progress import Progress, RunPlan, State
from nst_tf.run.pyramid import scale_sizes, scale_steps
from nst_tf.run.scale_problem import ScaleProblem
from nst_tf.run.session import Session
from nst_tf.run.traced_step import Optimizer, OptimizerState, Step
from nst_tf.settings import Settings
from nst_tf.style import Style, check, report_poor, squares

_LOG = logging.getLogger(__name__)
# L-BFGS's first guess of the inverse Hessian: the curvature along its steps grew with about
# frequency^0.8. What was tried around these values is in benchmarks/RESULTS.md.
FREQUENCY_EXPONENT = 0.7
DIAGONAL_EXPONENT = 0.7
INITIAL_SCALE = 1.5
# Relative error of a total where the convolutions are not float32.
NOISE = 1e-3


def stylize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings = Settings(),  # noqa: B008, it is frozen
    *,
    start: np.ndarray | None = None,
    keep_mask: np.ndarray | None = None,
    alpha: np.ndarray | None = None,
    callbacks: Iterable[Callback] = (),
) -> np.ndarray:
    """Repaint a photograph in the manner of one or more paintings.

    Args:
        content: the content image, float32 sRGB [H, W, 3] in [0, 1].
        styles: the style images.
        settings: all that determines the picture besides.
        start: an image to start from, in place of what `settings.init` names.
        keep_mask: where the content image must stay, see `optimize`.
        alpha: opacity of the content image, see `optimize`.
        callbacks: called after each step, and closed at the end.

    Returns:
        The picture, float32 sRGB in [0, 1], its long side `settings.size` pixels.

    Raises:
        InputError: as `optimize`.
    """
    run = optimize(content, styles, settings, start=start, keep_mask=keep_mask, alpha=alpha)
    for progress in notify(run, callbacks):
        last = progress
    return last.image()


def optimize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings = Settings(),  # noqa: B008, it is frozen
    *,
    start: np.ndarray | None = None,
    keep_mask: np.ndarray | None = None,
    alpha: np.ndarray | None = None,
    temporal: TemporalTarget | None = None,
    resume: State | None = None,
    session: Session | None = None,
) -> Iterator[Progress]:
    """Optimize step by step; leave the loop whenever the picture is good enough.

    Args:
        content: the content image, float32 sRGB [H, W, 3] in [0, 1].
        styles: the style images.
        settings: all that determines the picture besides.
        start: an image to start from, in place of what `settings.init` names; it is stretched to
            the content image's sides.
        keep_mask: where the content image must stay, float32 [h, w] in [0, 1] of its shape, in any
            size; styles apply elsewhere only.
        alpha: opacity of the content image, float32 [h, w] in [0, 1] of its shape, in any size:
            what is transparent does not count, and stays.
        temporal: for a frame of a film, what it is held to; of the content image's size.
        resume: `Progress.state()` of an earlier run with equal images and settings, to continue:
            the rest is the same to the last bit.
        session: of earlier runs, whose network, traces and style targets are reused.

    Returns:
        An iterator with a Progress after each step; the last holds the finished picture.

    Raises:
        InputError: a size too small for the network, an unknown layer, weights that do not load,
            too little memory allowed, an array that is no image: by the call, before the first
            step. By the iterator: a loss, a gradient or a pixel that is infinite or NaN; the last
            Progress is from before.
    """
    check(content, styles, start, keep_mask, alpha, settings)
    if start is None and settings.init not in ("content", "noise"):
        raise InputError(f"init={settings.init}: give the picture itself as start=")
    images = content, styles, keep_mask, alpha, temporal
    return iter(_Run(images, start, settings, resume, session or Session()))


class _Run:
    """A run of the loop.

    Attributes:
        state: after its last good step.
    """

    def __init__(self, images, start, settings: Settings, resume: State | None, session: Session):
        content, self._styles, self._keep_mask, self._alpha, self._temporal = images
        self._content, self._start, self._settings = content, start, settings
        self._session = session
        self._sizes = scale_sizes(content.shape[0], content.shape[1], settings)
        self._steps = scale_steps(self._sizes, settings)
        if resume is None:
            plan = RunPlan(precision.resolve(settings.precision))
            resume = State(0, 0, plan, plan)
        self.state = resume
        self._begin()

    def __iter__(self) -> Iterator[Progress]:
        try:
            while (failed := (yield from self._scales())) is not None:
                stop_if_not_finite(failed, self.state.plan.precision)
                del failed
                plan = self.state.plan._replace(precision="float32")
                self.state = self.state._replace(plan=plan)
                self._begin()
        finally:
            # A Progress that is kept holds this run.
            self._network, self._session = None, Session()

    def finish(self, image: tf.Tensor, size: Size) -> tf.Tensor:
        return self._problem.finish(image, size)

    def _begin(self) -> None:
        """Load the network in the plan's precision, and plan the scales where that is open."""
        settings = dataclasses.replace(self._settings, precision=self.state.plan.precision)
        session = self._session
        self._network = None  # the one of another precision goes first
        self._network = session.begin(settings, self._styles)
        if self.state.plan.scales:
            _LOG.info("%s on %s", settings.precision, device.describe())
        else:
            budget = session.memory_budget(self._content)
            style_sizes = [squares(style)[0].rgb.shape[:2] for style in self._styles]
            plans = memory_plan.plan(
                self._sizes, self._network, settings, budget, style_sizes=style_sizes
            )
            _LOG.info(memory_plan.describe(plans, settings))
            plan = RunPlan(settings.precision, tuple(plans))
            self.state = self.state._replace(plan=plan, initial_plan=plan)
        report_poor(self._styles, settings.style_scale * max(self._sizes[-1]))
        self._problem = ScaleProblem(
            self._content,
            self._styles,
            settings,
            self._keep_mask,
            self._alpha,
            self._temporal,
            session.style_target_cache,
        )

    def _scales(self):
        """The steps of all scales from the state on; returns the Progress of one that failed."""
        first, taken = self.state.scale, self.state.step
        state: OptimizerState | None = None
        for scale in range(first, len(self._sizes)):
            optimizer, step = self._at_scale(scale)
            state = self._initial(optimizer, scale, state)
            for index in range(taken, self._steps[scale]):
                began = perf_counter()
                state, evaluation = step(state)
                # Waits for the device at each step: later, the good state before would be gone.
                finite = bool(evaluation.finite)
                seconds = perf_counter() - began
                progress = self._progress(scale, index, evaluation, seconds, state.image)
                if not finite:
                    return progress
                self._keep(scale, index, state, evaluation, step.max_tile_pixels)
                yield progress
                del progress
            last = self.state.evaluation
            if scale + 1 == len(self._sizes) and taken == self._steps[scale] and last is not None:
                # A run that was resumed at its end has this to show.
                yield self._progress(scale, taken - 1, last, 0.0, state.image)
            taken = 0
        return None

    def _at_scale(self, scale: int) -> tuple[Optimizer, Step]:
        plan, settings = self.state.plan.scales[scale], self._problem.settings
        optimizer = optimizer_from_settings(settings, plan.lbfgs_history)
        build = functools.partial(self._problem.objective, self._network, self._sizes[scale])
        graphs, jit_compile = self._session.graphs, settings.jit_compile
        return optimizer, Step(optimizer, build, plan.max_tile_pixels, graphs, jit_compile)

    def _initial(
        self, optimizer: Optimizer, scale: int, previous: OptimizerState | None
    ) -> OptimizerState:
        """The optimizer's state at the start of a scale, or that which the run resumes."""
        size = self._sizes[scale]
        if previous is not None:
            image = self._problem.enlarge(
                previous.image, self._sizes[scale - 1], size, detail=self._start is None
            )
            return optimizer.resize(previous, image)
        fresh = optimizer.init(self._problem.start(self._start, size), bounds=(0.0, 1.0))
        if not self.state.tensors:
            return fresh
        tensors = [tf.constant(tensor) for tensor in self.state.tensors]
        # As tensors from here on, so that they are not held twice.
        self.state = self.state._replace(tensors=tensors)
        return tf.nest.pack_sequence_as(fresh, tensors)

    def _keep(
        self, scale: int, index: int, state: OptimizerState, evaluation: Evaluation, pixels: int
    ) -> None:
        """Make this the state to resume from; tiles that had to become smaller stay so."""
        plan, initial_plan = self.state.plan, self.state.initial_plan
        if pixels < plan.scales[scale].max_tile_pixels:
            smaller = [
                each._replace(max_tile_pixels=min(each.max_tile_pixels, pixels))
                for each in plan.scales
            ]
            plan = plan._replace(scales=tuple(smaller))
        tensors = tf.nest.flatten(state)
        self.state = State(scale, index + 1, plan, initial_plan, tensors, evaluation)

    def _progress(self, scale: int, index: int, evaluation, seconds: float, image) -> Progress:
        losses, accepted, _ = evaluation
        return Progress(
            scale, self._sizes, index, self._steps, losses, accepted, seconds, image, self
        )


def optimizer_from_settings(settings: Settings, lbfgs_history: int) -> Optimizer:
    """The optimizer of settings whose precision is resolved."""
    if settings.optimizer == "adam":
        return Adam(settings.learning_rate, settings.beta_1, settings.beta_2, settings.epsilon)
    return Lbfgs(
        lbfgs_history,
        functools.partial(fourier_precondition, exponent=FREQUENCY_EXPONENT),
        diagonal_exponent=DIAGONAL_EXPONENT,
        initial_scale=INITIAL_SCALE,
        noise=0.0 if settings.precision == "float32" else NOISE,
    )
