"""The losses of https://github.com/crowsonkb/style-transfer-pytorch, written anew."""

import torch
from torch.nn import functional

# Of matrix square roots and their gradients; and what is added to the diagonals of covariances.
NEWTON_STEPS, RIDGE = 12, 1e-4


def moments(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean [C] and covariance [C, C], its diagonal raised by `RIDGE`, of features [1, C, H, W]."""
    flat = features[0].flatten(1)
    mean = flat.mean(1)
    covariance = flat @ flat.T / flat.shape[1] - mean.outer(mean)
    return mean, covariance + RIDGE * torch.eye(len(mean))


def wasserstein(
    features: torch.Tensor,
    target_mean: torch.Tensor,
    target_covariance: torch.Tensor,
    target_root: torch.Tensor,
) -> torch.Tensor:
    """The squared 2-Wasserstein distance by channel of features [1, C, H, W] from a target."""
    mean, covariance = moments(features)
    cross = SquareRoot.apply(target_root @ covariance @ target_root)
    of_covariances = (target_covariance + covariance - 2 * cross).diagonal().mean()
    return functional.mse_loss(mean, target_mean) + of_covariances


class SquareRoot(torch.autograd.Function):
    """The square root of a positive matrix by the Newton-Schulz iteration, and its gradient."""

    @staticmethod
    def forward(ctx, matrix: torch.Tensor) -> torch.Tensor:
        """The root, by an iteration that brings its inverse along."""
        norm, three = matrix.norm(), 3 * torch.eye(len(matrix))
        root, inverse = matrix / norm, torch.eye(len(matrix))
        for _ in range(NEWTON_STEPS):
            factor = (three - inverse @ root) / 2
            root, inverse = root @ factor, factor @ inverse
        root = root * norm.sqrt()
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx, upstream: torch.Tensor) -> torch.Tensor:
        """X of RX + XR = upstream, by the iteration for the sign of [[R, upstream], [0, -R]]."""
        (root,) = ctx.saved_tensors
        norm, three = root.norm(), 3 * torch.eye(len(root))
        sign, x = root / norm, upstream / norm
        for _ in range(NEWTON_STEPS):
            factor = three - sign @ sign
            x = (x @ factor - sign.T @ (sign.T @ x - x @ sign)) / 2
            sign = sign @ factor / 2
        return x / 2


def total_variation(image: torch.Tensor) -> torch.Tensor:
    """Mean squared differences of neighbors on a stencil of nine points, edges repeated."""
    x = functional.pad(image, (1, 1, 1, 1), "replicate")
    inner = x[..., 1:-1, 1:-1]
    axial = (x[..., 1:-1, 2:] - inner, x[..., 2:, 1:-1] - inner)
    diagonal = (x[..., 1:, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, 1:])
    squares = [difference.square().mean() for difference in axial + diagonal]
    return 2 / 3 * (squares[0] + squares[1]) + 1 / 6 * (squares[2] + squares[3])
