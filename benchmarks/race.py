"""Contenders that advance in turns, each on its own clock; losses are computed outside it."""

import math
from collections.abc import Callable, Collection, Generator
from time import perf_counter

import numpy as np

# Fetches the image [1, H, W, 3] in [0, 1]; None while it does not have its final size.
GetImage = Callable[[], np.ndarray] | None
Steps = Generator[GetImage, None, None]
RUNNING, FINISHED, PASSED, CAPPED, DIVERGED, UNABLE = (
    "running",
    "finished",
    "passed the target",
    "stopped at the limit",
    "diverged",
    "could not go on",
)
# How long a contender runs before it is the next one's turn.
TURN_SECONDS = 20.0
# In place of a step of a stream that has none left.
_END = object()


class Contender:
    """One contender: its steps, its clock and its curve of (step, seconds, loss)."""

    def __init__(
        self,
        stream: Steps,
        loss_fn: Callable[[np.ndarray], float],
        *,
        interval_growth: float = 1.08,
        required_steps: Collection[int] = (),
        max_seconds: float = math.inf,
    ):
        """Put it at the start; nothing runs yet.

        Args:
            stream: its steps.
            loss_fn: the loss of an image.
            interval_growth: by what factor the steps between two evaluations grow.
            required_steps: steps that are evaluated in any case.
            max_seconds: on its clock, when it stops.
        """
        self._stream, self._loss_fn = stream, loss_fn
        self._growth, self._required_steps = interval_growth, required_steps
        self._max_seconds = max_seconds
        self._get_image: GetImage = None
        self._num_images, self._next_evaluation = 0, 1
        self.steps, self.seconds, self.state = 0, 0.0, RUNNING
        self.curve: list[tuple[int, float, float]] = []

    @property
    def loss(self) -> float:
        """The lowest loss so far."""
        return min((loss for _, _, loss in self.curve), default=math.inf)

    def advance(self, target: float | None) -> None:
        """Take steps for about TURN_SECONDS; stop at a loss of `target`, where that is known."""
        end = self.seconds + TURN_SECONDS
        while self.state == RUNNING and self.seconds < end:
            self._step(end)
            if self.state == RUNNING and target is not None and self.loss <= target:
                self.state = PASSED
            elif self.state == RUNNING and self.seconds >= self._max_seconds:
                self.state = CAPPED
        if self.state not in (RUNNING, FINISHED):
            self._stream.close()

    def extend(self, stream: Steps, max_seconds: float) -> None:
        """Continue a finished contender with more steps on the same clock."""
        self._stream, self._max_seconds, self.state = stream, max_seconds, RUNNING

    def image(self) -> np.ndarray:
        """The image after the last step, [1, H, W, 3] in [0, 1]."""
        return np.clip(self._get_image(), 0.0, 1.0)

    def record(self) -> dict:
        """State, steps, seconds and curve, for JSON."""
        return {
            "state": self.state,
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "curve": [(step, round(when, 3), loss) for step, when, loss in self.curve],
        }

    def _step(self, end: float) -> None:
        started = perf_counter()
        get_image = next(self._stream, _END)
        if get_image is _END:
            self.seconds += perf_counter() - started
            self.state = FINISHED
            if self._get_image is not None and self.curve[-1][0] != self.steps:
                self._evaluate(self._get_image())
            return
        self.steps += 1
        image = None
        if get_image is not None:
            self._get_image = get_image
            self._num_images += 1
            seconds = self.seconds + perf_counter() - started
            if self._is_evaluation_due(at_end=seconds >= min(end, self._max_seconds)):
                # Fetching the image waits for the device, so it is inside the clock.
                image = get_image()
        self.seconds += perf_counter() - started
        if image is not None:
            grown = math.ceil(self._num_images * self._growth)
            self._next_evaluation = max(self._num_images + 1, grown)
            self._evaluate(image)

    def _is_evaluation_due(self, at_end: bool) -> bool:
        due = self._num_images >= self._next_evaluation
        return at_end or due or self.steps in self._required_steps

    def _evaluate(self, image: np.ndarray) -> None:
        loss = self._loss_fn(image)
        if math.isfinite(loss):
            self.curve.append((self.steps, self.seconds, loss))
        else:
            self.state = DIVERGED
