"""Curves of loss over seconds."""


def seconds_to(curve: list, target: float) -> float | None:
    """When a curve first comes down to a loss.

    Args:
        curve: (step, seconds, loss), in order.
        target: the loss.

    Returns:
        Seconds, interpolated linearly between evaluations; the time of the first evaluation if
        it is there already; None if it never gets there.
    """
    before = None
    for _, seconds, loss in curve:
        if loss <= target:
            if before is None:
                return seconds
            share = (before[1] - target) / (before[1] - loss)
            return before[0] + share * (seconds - before[0])
        before = seconds, loss
    return None
