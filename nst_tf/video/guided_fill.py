"""Filling what was not carried along: colors as its surroundings give them to such content."""

import cv2
import numpy as np

# Side of the windows over the frame's short side, from near to all of it.
_WINDOWS = (1 / 8, 1 / 2, 2)
# Of a window, what must be known for its fit to count alone.
_ENOUGH = 0.1
# Variance of gray below which content is flat: then the mean is the fit.
_FLAT = 1e-3


def guided_fill(painted: np.ndarray, known: np.ndarray, content: np.ndarray) -> np.ndarray:
    """A painted frame with its unknown pixels filled by a local linear map of the content.

    He, Sun & Tang 2010, "Guided Image Filtering", equations 4 to 6: in each window, a and b fit
    painted = a * gray + b; here by least squares over the known pixels alone, and where a window
    has few of these, the next wider one counts.

    Args:
        painted: float32 [H, W, 3] in [0, 1]; unknown pixels do not count.
        known: float32 [H, W] in [0, 1].
        content: float32 [H, W, 3] in [0, 1].

    Returns:
        float32 [H, W, 3] in [0, 1], the painted frame where it is known; the content where nothing
        is known.
    """
    if not known.any():
        return content
    guide = cv2.cvtColor(content, cv2.COLOR_RGB2GRAY)
    filled, missing = np.zeros_like(content), np.ones_like(guide)
    for window in _WINDOWS:
        side = 2 * int(window * min(known.shape) / 2) + 1
        fit, density = _fit(painted, known, guide, side)
        weight = missing * np.minimum(density / _ENOUGH, 1.0)
        if window == _WINDOWS[-1]:
            weight = missing
        filled += weight[..., np.newaxis] * fit
        missing = missing - weight
    alpha = known[..., np.newaxis]
    return (alpha * painted + (1 - alpha) * np.clip(filled, 0.0, 1.0)).astype(np.float32)


def _fit(
    painted: np.ndarray, known: np.ndarray, guide: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """The fit of each pixel's window, [H, W, 3], and how much of the window is known."""

    def mean(values: np.ndarray) -> np.ndarray:
        # Twice, so that windows end softly.
        once = cv2.blur(values, (side, side), borderType=cv2.BORDER_CONSTANT)
        return cv2.blur(once, (side, side), borderType=cv2.BORDER_CONSTANT)

    density = mean(known)
    total = np.maximum(density, 1e-6)
    gray_mean = mean(known * guide) / total
    variance = mean(known * guide * guide) / total - gray_mean**2
    weights, gray = known[..., np.newaxis], guide[..., np.newaxis]
    painted_mean = mean(weights * painted) / total[..., np.newaxis]
    covariance = mean(weights * gray * painted) / total[..., np.newaxis]
    covariance -= gray_mean[..., np.newaxis] * painted_mean
    slope = covariance / (variance + _FLAT)[..., np.newaxis]
    return painted_mean + slope * (guide - gray_mean)[..., np.newaxis], density
