"""Curves of loss over seconds."""


def seconds_to(curve: list, target: float) -> float | None:
    """When a curve of (step, seconds, loss) first comes down to a loss; None if it never does.

    It is interpolated linearly between evaluations.
    """
    last = None
    for _, seconds, loss in curve:
        if loss <= target:
            if last is None:
                return seconds
            fraction = (last[1] - target) / (last[1] - loss)
            return last[0] + fraction * (seconds - last[0])
        last = seconds, loss
    return None
