"""PyTorch's L-BFGS on the bundled weights; TensorFlow is not needed here."""

from collections.abc import Iterator

import h5py
import numpy as np
import torch
from stepwise import stepwise
from torch.nn import functional

from nst_tf.networks.weights import bundled_path
from nst_tf.settings import Settings

# PyTorch's default, which its style transfer tutorial takes.
HISTORY = 100
# PyTorch's default, steps without a line search: at 128 px it came further in as many evaluations
# than the strong Wolfe search.
LINE_SEARCH = None
_BGR_MEAN = (103.939, 116.779, 123.68)
_BLOCKS = (2, 2, 4, 4, 4)

Layers = dict[str, torch.Tensor]
Weights = dict[str, tuple[torch.Tensor, torch.Tensor]]


def load(settings: Settings) -> Weights:
    """Kernel [out, in, 3, 3] and bias of the bundled VGG19's layers, up to the deepest needed."""
    # The first optimizer makes PyTorch import more of itself, and imports are not on the clock.
    torch.optim.LBFGS([torch.zeros(1, requires_grad=True)]).zero_grad()
    missing = {*settings.style_layers, *settings.content_layers}
    weights = {}
    with h5py.File(bundled_path("vgg19_notop_f16.h5")) as file:
        for block, count in enumerate(_BLOCKS, 1):
            for index in range(1, count + 1):
                name = f"block{block}_conv{index}"
                kernel = file[name][name]["kernel:0"][()].astype(np.float32)
                bias = file[name][name]["bias:0"][()].astype(np.float32)
                kernel = torch.from_numpy(kernel.transpose(3, 2, 0, 1)).contiguous()
                weights[name] = (kernel, torch.from_numpy(bias))
                missing.discard(name)
                if not missing:
                    return weights
    raise ValueError(f"VGG19 has no layers {missing}")


class Objective:
    """The Gram objective in PyTorch: all layers alike, and no total variation."""

    def __init__(self, weights: Weights, start: np.ndarray, style: np.ndarray, settings: Settings):
        """Compute the targets.

        Args:
            weights: of `load`.
            start: the content image, float32 [1, H, W, 3] in [0, 1].
            style: the style image, float32 [1, h, w, 3] in [0, 1].
            settings: layers, and weights of content and style.
        """
        self._weights, self._settings = weights, settings
        with torch.no_grad():
            content = self._features(as_tensor(start))
            self._content = {name: content[name] for name in settings.content_layers}
            features = self._features(as_tensor(style))
            self._style = {name: _gram_matrix(features[name]) for name in settings.style_layers}

    def value(self, image: torch.Tensor) -> torch.Tensor:
        """The weighted total loss of an image [1, 3, H, W] in [0, 1]."""
        features = self._features(image)
        grams = {name: _gram_matrix(features[name]) for name in self._style}
        style = self._settings.style_weight * _relative_error(grams, self._style)
        return style + self._settings.content_weight * _relative_error(features, self._content)

    def _features(self, image: torch.Tensor) -> Layers:
        x = 255 * image.flip(1) - torch.tensor(_BGR_MEAN).view(1, 3, 1, 1)
        features = {}
        for name, (kernel, bias) in self._weights.items():
            if name.endswith("_conv1") and features:
                x = functional.max_pool2d(x, 2)
            x = features[name] = functional.relu(functional.conv2d(x, kernel, bias, padding=1))
        return features


def lbfgs(
    weights: Weights, start: np.ndarray, style: np.ndarray, settings: Settings
) -> Iterator[torch.Tensor]:
    """PyTorch's L-BFGS, as its style transfer tutorial uses it, with no closure call wasted.

    The image is clamped to [0, 1] within the closure, as in the tutorial. Unlike there, one call
    of `step` does all iterations, for each call begins with an evaluation known already.

    Args:
        weights: of `load`.
        start: the content image, float32 [1, H, W, 3] in [0, 1].
        style: the style image, float32 [1, h, w, 3] in [0, 1].
        settings: layers, and weights of content and style.

    Yields:
        After each closure call the best image so far, [1, 3, H, W].
    """

    def run(report) -> None:
        objective = Objective(weights, start, style, settings)
        image = as_tensor(start).clone().requires_grad_()
        endless = {"max_iter": 10**9, "max_eval": 10**9}
        endless |= {"tolerance_grad": 0, "tolerance_change": 0}
        optimizer = torch.optim.LBFGS(
            [image], history_size=HISTORY, line_search_fn=LINE_SEARCH, **endless
        )
        best_loss, best = float("inf"), None

        def closure() -> torch.Tensor:
            nonlocal best_loss, best
            image.data.clamp_(0, 1)
            optimizer.zero_grad()
            loss = objective.value(image)
            loss.backward()
            if loss.item() < best_loss:
                best_loss, best = loss.item(), image.detach().clone()
            report(best)
            return loss

        while True:
            optimizer.step(closure)

    return stepwise(run)


def as_tensor(image: np.ndarray) -> torch.Tensor:
    """An image [1, H, W, 3] as PyTorch has it, [1, 3, H, W]."""
    return torch.from_numpy(image.transpose(0, 3, 1, 2)).contiguous()


def as_array(image: torch.Tensor) -> np.ndarray:
    """An image [1, 3, H, W] as TensorFlow has it, [1, H, W, 3]."""
    return image.numpy().transpose(0, 2, 3, 1)


def _gram_matrix(features: torch.Tensor) -> torch.Tensor:
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def _relative_error(layers: Layers, targets: Layers) -> torch.Tensor:
    terms = [
        (layers[name] - target).square().sum() / target.square().sum()
        for name, target in targets.items()
    ]
    return torch.stack(terms).mean()
