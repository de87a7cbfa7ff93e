"""Which pictures of a film are painted: a part of it, at its own time stamps or at a given rate."""

import itertools
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from nst_tf.errors import InputError

# What a number typed in decimals is a fraction of.
_MAX_DENOMINATOR = 10**6


class Shown(NamedTuple):
    """A picture of a film in whatever form its decoder gives, with its times in seconds."""

    picture: Any
    time: Fraction
    duration: Fraction


class Part(NamedTuple):
    """The part of a film to paint.

    Attributes:
        start: seconds from the film's first frame; the part begins with the frame shown then.
        seconds: how long it is; 0 is to the end.
        fps: frames a second; 0 keeps the film's own time stamps.
    """

    start: Fraction
    seconds: Fraction
    fps: Fraction

    def of(self, shown: Iterable[Shown]) -> Iterator[Shown]:
        """The pictures of this part, timed from its beginning."""
        part = self._cut(shown)
        return _at_rate(part, self.fps) if self.fps else part

    def _cut(self, shown: Iterable[Shown]) -> Iterator[Shown]:
        origin = None
        for each in shown:
            if origin is None:
                if each.time + each.duration <= self.start:
                    continue
                origin = each.time
            time, duration = each.time - origin, each.duration
            if self.seconds:
                if time >= self.seconds:
                    return
                duration = min(duration, self.seconds - time)
            yield Shown(each.picture, time, duration)


def make_part(start: float, seconds: float, fps: float) -> Part:
    """A part, where these are numbers from 0 on."""
    fractions = []
    for name, value in (("start", start), ("seconds", seconds), ("fps", fps)):
        if not 0 <= value < math.inf:
            raise InputError(
                f"{name}={value}: expected a number from 0 on; change --{name}, or leave it out"
            )
        fractions.append(Fraction(value).limit_denominator(_MAX_DENOMINATOR))
    return Part(*fractions)


def _at_rate(shown: Iterable[Shown], fps: Fraction) -> Iterator[Shown]:
    """The picture that is shown at each n / fps; pictures are dropped or repeated.

    A picture that comes less than half a frame late, of either rate, is on time: time stamps
    are rounded. The last one is shown to the end, rounded to whole frames.
    """
    number = 0
    previous: Shown | None = None
    for each in shown:
        if previous is not None:
            late = min(1 / fps, previous.duration) / 2
            while number < (each.time - late) * fps:
                yield Shown(previous.picture, number / fps, 1 / fps)
                number += 1
        previous = each
    if previous is not None:
        count = math.floor((previous.time + previous.duration) * fps + Fraction(1, 2))
        for index in itertools.count(number):
            if index >= max(count, 1):
                return
            yield Shown(previous.picture, index / fps, 1 / fps)
