"""The losses in NumPy, as their formulas stand."""

import numpy as np
from scipy import linalg


def gram_matrix(features):
    """Gatys et al. 2016, equation 3, over the number of positions."""
    return np.einsum("bijc,bijd->bcd", features, features) / np.prod(features.shape[1:3])


def wasserstein(features, target):
    """Dowson & Landau 1982, equation 4, over the target's second moment, in float64."""
    (m, x), (mu, y) = _mean_and_root(features), _mean_and_root(target)
    # tr (A B)½ for A = XᵀX and B = YᵀY, without roots of singular matrices.
    overlap = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    squares = np.sum((m - mu) ** 2) + np.sum(x**2) + np.sum(y**2) - 2 * overlap
    return squares / (np.sum(y**2) + mu @ mu)


def wasserstein_by_sqrtm(features, target):
    """The same with the matrix roots of the formula, for covariances of full rank."""
    (m, x), (mu, y) = _mean_and_root(features), _mean_and_root(target)
    a, b = x.T @ x, y.T @ y
    root = np.real(linalg.sqrtm(b))
    overlap = np.trace(np.real(linalg.sqrtm(root @ a @ root)))
    squares = np.sum((m - mu) ** 2) + np.trace(a) + np.trace(b) - 2 * overlap
    return squares / (np.trace(b) + mu @ mu)


def _mean_and_root(features):
    """The mean, and a matrix R for which RᵀR is the covariance."""
    flat = np.asarray(features, np.float64).reshape(-1, features.shape[-1])
    return flat.mean(0), np.linalg.qr((flat - flat.mean(0)) / np.sqrt(len(flat)), mode="r")
