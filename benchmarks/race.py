"""Contenders that advance in turns, each on its own clock, judged outside the clock."""

import contextlib
import math
from collections.abc import Callable, Collection, Iterator
from time import perf_counter
from unittest import mock

import numpy as np
from contenders import Look

from nst_tf.networks import vgg

RUNNING, FINISHED, PASSED, CAPPED, DIVERGED, UNABLE = (
    "running",
    "finished",
    "passed the target",
    "stopped at the limit",
    "diverged",
    "could not go on",
)
SLICE = 20.0


class LoadingClock:
    """How long weights have been loaded, so that it can be left out."""

    def __init__(self):
        self.seconds = 0.0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Time every call of `features.extractor` for as long as this lasts."""
        load = vgg.extractor

        def timed(*arguments, **options):
            began = perf_counter()
            try:
                return load(*arguments, **options)
            finally:
                self.seconds += perf_counter() - began

        with mock.patch.object(vgg, "extractor", timed):
            yield


class Contender:
    """One contender: its steps, its clock and its curve."""

    def __init__(
        self,
        stream: Iterator[Look],
        judge: Callable[[np.ndarray], float],
        loading: LoadingClock,
        *,
        growth: float = 1.08,
        marks: Collection[int] = (),
        cap: float = math.inf,
    ):
        """Put it at the start; nothing runs yet.

        Args:
            stream: its steps.
            judge: the loss of a picture.
            loading: what its clock leaves out.
            growth: by what factor the steps between two evaluations grow.
            marks: steps that are evaluated in any case.
            cap: the seconds after which it stops.
        """
        self._stream, self._judge, self._loading = stream, judge, loading
        self._growth, self._marks, self._cap = growth, marks, cap
        self._look: Look = None
        self._looks, self._due = 0, 1
        self.steps, self.seconds, self.state = 0, 0.0, RUNNING
        self.curve: list[tuple[int, float, float]] = []

    @property
    def loss(self) -> float:
        """The least loss so far."""
        return min((loss for _, _, loss in self.curve), default=math.inf)

    def advance(self, target: float | None) -> None:
        """Take steps for about SLICE seconds of its own clock.

        Args:
            target: the loss at which it may stop, None while that is not known.
        """
        end = self.seconds + SLICE
        while self.state == RUNNING and self.seconds < end:
            self._step(end)
            if self.state == RUNNING and target is not None and self.loss <= target:
                self.state = PASSED
            elif self.state == RUNNING and self.seconds >= self._cap:
                self.state = CAPPED
        if self.state not in (RUNNING, FINISHED):
            self._stream.close()

    def go_on(self, stream: Iterator[Look], cap: float) -> None:
        """Continue a finished contender with more steps on the same clock.

        Args:
            stream: the steps.
            cap: the seconds after which it stops.
        """
        self._stream, self._cap, self.state = stream, cap, RUNNING

    def picture(self) -> np.ndarray:
        """The picture after the last step, [1, H, W, 3] in [0, 1]."""
        return np.clip(self._look(), 0.0, 1.0)

    def record(self) -> dict:
        """What is known of it, for JSON."""
        return {
            "state": self.state,
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "curve": [(step, round(when, 3), loss) for step, when, loss in self.curve],
        }

    def _step(self, end: float) -> None:
        began, loaded = perf_counter(), self._loading.seconds

        def now() -> float:
            return perf_counter() - began - (self._loading.seconds - loaded)

        try:
            look = next(self._stream)
        except StopIteration:
            self.seconds += now()
            self.state = FINISHED
            if self._look is not None and self.curve[-1][0] != self.steps:
                self._evaluate(self._look())
            return
        self.steps += 1
        picture = None
        if look is not None:
            self._look = look
            self._looks += 1
            at_end = self.seconds + now() >= min(end, self._cap)
            if at_end or self._looks >= self._due or self.steps in self._marks:
                # Seeing the picture waits for the device, so it is inside the clock.
                picture = look()
        self.seconds += now()
        if picture is not None:
            self._due = max(self._looks + 1, math.ceil(self._looks * self._growth))
            self._evaluate(picture)

    def _evaluate(self, picture: np.ndarray) -> None:
        loss = self._judge(picture)
        if math.isfinite(loss):
            self.curve.append((self.steps, self.seconds, loss))
        else:
            self.state = DIVERGED
