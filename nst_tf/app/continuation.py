"""How a picture goes on: from the state of its run, or as the start of another."""

import dataclasses
from typing import NamedTuple

import numpy as np

from nst_tf.app.painted import Painted, PaintRequest, SavedState
from nst_tf.errors import InputError
from nst_tf.run import checkpoint
from nst_tf.run.progress import Progress, RunPlan, State
from nst_tf.run.pyramid import ceil_div, scale_sizes, scale_steps
from nst_tf.settings import Settings
from nst_tf.style import Style


class Course(NamedTuple):
    """How a run goes.

    Attributes:
        settings: of the run.
        start: an earlier picture that it began from.
        start_digest: of that, where it began from it, but is resumed.
        taken: the steps taken at each scale before this part of it.
        seconds: that they took.
        is_reread: whether the pictures were read anew for another size on the way.
    """

    settings: Settings
    start: np.ndarray | None = None
    start_digest: str | None = None
    taken: tuple[int, ...] = ()
    seconds: float = 0.0
    is_reread: bool = False

    @property
    def has_start(self) -> bool:
        """Whether it began from an earlier picture."""
        return self.start is not None or self.start_digest is not None

    def taken_until(self, last: Progress) -> tuple[int, ...]:
        """The steps taken at each scale, up to a step of this part."""
        known = len(self.taken)
        before = [
            self.taken[scale]
            if scale < known - 1
            else max(self.taken[scale] if scale < known else 0, last.steps[scale])
            for scale in range(last.scale)
        ]
        return *before, last.step + 1

    def is_one_run(self, last: Progress) -> bool:
        """Whether a run of these settings would have come to the same step in the same way."""
        is_changed = self.has_start or self.is_reread
        return not is_changed and [*self.taken_until(last)[:-1]] == last.steps[: last.scale]


def go_on(painted: Painted, request: PaintRequest) -> tuple[Course, State | None]:
    """The course from a picture on, and the state that it resumes, if it does."""
    resumed, before = None, painted.request
    if painted.saved is not None and _differ_in_length_only(before, request):
        is_reread = painted.saved.is_reread or not _have_equal_arrays(before, request)
        resumed = _resume(painted.saved, request, painted.seconds, is_reread)
    if resumed is not None:
        return resumed
    return Course(_at_one_scale(request), start=painted.picture, seconds=painted.seconds), None


def _resume(
    saved: SavedState, request: PaintRequest, seconds: float, is_reread: bool
) -> tuple[Course, State] | None:
    """The course from a saved state on; None where the state does not fit."""
    settings = _at_one_scale(request) if saved.has_start else request.settings
    before, sizes = (_sizes(request, each) for each in (saved.settings, settings))
    begun = len(saved.taken)
    if sizes[:begun] != before[:begun]:
        return None
    try:
        found = checkpoint.load(str(saved.path), saved.inputs)
    except InputError:
        found = None
    if found is None or (found.state.scale + 1, found.state.step) != (begun, saved.taken[-1]):
        return None
    state = found.state
    if sizes != before:
        if state.plan != state.initial_plan:
            return None  # memory ran out, or float16 failed
        anew = RunPlan(state.plan.precision)
        state = state._replace(plan=anew, initial_plan=anew)
    if begun == len(sizes):
        settings = _with_more_steps(settings, scale_steps(sizes, settings), state.step)
    digest = saved.inputs["images"]["start"]
    course = Course(settings, None, digest, saved.taken, seconds, is_reread)
    return course, state


def _with_more_steps(settings: Settings, steps: list[int], taken: int) -> Settings:
    """The settings, with as many steps again at the last scale where all have been taken there."""
    if taken < steps[-1]:
        return settings
    finer = len(steps) - 1
    # The inverse of the schedule.
    grown = ceil_div((taken + steps[-1]) * 5**finer, 3**finer)
    return dataclasses.replace(settings, steps=grown)


def _at_one_scale(request: PaintRequest) -> Settings:
    """The settings of the last scale alone, from a picture that needs no noise."""
    settings = request.settings
    steps = scale_steps(_sizes(request, settings), settings)[-1]
    return dataclasses.replace(settings, scales=1, steps=steps, init="content", init_noise=0.0)


def _sizes(request: PaintRequest, settings: Settings) -> list:
    height, width = request.photograph.rgb.shape[:2]
    return scale_sizes(height, width, settings)


def _differ_in_length_only(one: PaintRequest, other: PaintRequest) -> bool:
    """Whether two requests are equal but for size and steps."""
    settings = dataclasses.replace(
        one.settings, size=other.settings.size, steps=other.settings.steps
    )
    have_equal_pictures = bool(one.sources) and one.sources == other.sources
    return (
        settings == other.settings
        and _equal(one.keep_mask, other.keep_mask)
        and len(one.styles) == len(other.styles)
        and all(map(_apply_alike, one.styles, other.styles))
        and (have_equal_pictures or _have_equal_arrays(one, other))
    )


def _apply_alike(one: Style, other: Style) -> bool:
    return (one.weight, one.layers) == (other.weight, other.layers) and _equal(one.mask, other.mask)


def _have_equal_arrays(one: PaintRequest, other: PaintRequest) -> bool:
    """Whether photographs and paintings, as many of one as of the other, are equal."""
    return (
        _equal(one.photograph.rgb, other.photograph.rgb)
        and _equal(one.photograph.alpha, other.photograph.alpha)
        and all(
            _equal(style.rgb, same.rgb) and _equal(style.region, same.region)
            for style, same in zip(one.styles, other.styles, strict=True)
        )
    )


def _equal(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or np.array_equal(one, other)
