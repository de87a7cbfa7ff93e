"""The method of https://github.com/crowsonkb/style-transfer-pytorch on the bundled weights.

Written anew in PyTorch, with that program's defaults: 2-Wasserstein style, Adam from coarse to
fine, and a running average of the iterates as the picture. Where other programs run too, set
OMP_WAIT_POLICY=PASSIVE, or waiting threads spin: that is slow, and counts as CPU time.

python benchmarks/crowsonkb.py --content=photo.jpg --style=painting.jpg --output=out.png
"""

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch
from absl import flags
from PIL import Image
from pytorch import Layers, Weights, as_array, as_tensor, load
from torch.nn import functional

from nst_tf.cli import app
from nst_tf.images import image_io
from nst_tf.settings import Settings

STYLE_WEIGHTS = {f"block{5 - i}_conv1": 4.0**i / 341 for i in (4, 3, 2, 1, 0)}
CONTENT_LAYER, CONTENT_WEIGHT, TV_WEIGHT = "block4_conv2", 0.015, 2.0
SETTINGS = Settings(style_layers=tuple(STYLE_WEIGHTS), content_layers=(CONTENT_LAYER,))
# At the first scale, and at each later one.
ITERATIONS = (1000, 500)
MIN_SCALE, RATE, BETAS, DECAY, THREADS = 128, 0.02, (0.9, 0.99), 0.99, 2
# Of roots of matrices, and their gradients; and what is added to the diagonals of covariances.
ROOT_STEPS, RIDGE = 12, 1e-4
# Torchvision's VGG19 takes pictures in [0, 1], divided by deviations of about 0.225, and ours takes
# [0, 255]. Biases that shrink along with the input make all features do so. That its features are
# then of the size of torchvision's is an assumption: those weights come from another training.
UNIT = 1 / 57.4
_BGR_MEAN = (103.939, 116.779, 123.68)
# After each scale: its long side, and the picture so far.
Report = Callable[[int, np.ndarray], None]


def paint(
    weights: Weights,
    content: np.ndarray,
    style: np.ndarray,
    size: int = 512,
    iterations: tuple[int, int] = ITERATIONS,
    report: Report | None = None,
) -> np.ndarray:
    """Paint from coarse to fine, from the photograph.

    Args:
        weights: of `pytorch.load`, with `SETTINGS`.
        content: the photograph, float32 [H, W, 3] in [0, 1].
        style: the painting, float32 [h, w, 3] in [0, 1]; it is never enlarged.
        size: long side of the picture.
        iterations: at the first scale, and at each later one.
        report: called after each scale.

    Returns:
        The picture, float32 [height, width, 3] in [0, 1].
    """
    torch.set_num_threads(THREADS)
    run = None
    for index, scale in enumerate(scales(size)):
        run = Run(Objective(weights, content, style, scale), run)
        for _ in range(iterations[min(index, 1)]):
            run.step()
        if report:
            report(scale, run.picture())
    return run.picture()


def step_seconds(
    weights: Weights, content: np.ndarray, style: np.ndarray, size: int, repeats: int
) -> list[tuple[int, float, int]]:
    """How long `paint` takes: so many steps are timed at each scale, after two that do not count.

    Returns:
        Of each scale the long side, the median of a step's seconds, and how many `paint` takes.
    """
    torch.set_num_threads(THREADS)
    rows = []
    for index, scale in enumerate(scales(size)):
        run, seconds = Run(Objective(weights, content, style, scale)), []
        for _ in range(2 + repeats):
            start = perf_counter()
            run.step()
            seconds.append(perf_counter() - start)
        rows.append((scale, statistics.median(seconds[2:]), ITERATIONS[min(index, 1)]))
    return rows


def scales(size: int) -> list[int]:
    """Long sides from coarse to fine, by factors of √2 and not below `MIN_SCALE`."""
    sides, side = [], size
    while side >= min(MIN_SCALE, size):
        sides.insert(0, side)
        side = round(size / 2 ** (len(sides) / 2))
    return sides


class Objective:
    """What is minimized at one scale."""

    def __init__(self, weights: Weights, content: np.ndarray, style: np.ndarray, scale: int):
        """Compute the targets; the arguments are `paint`'s, and the picture's long side."""
        self._weights = {name: (kernel, UNIT * bias) for name, (kernel, bias) in weights.items()}
        self.photograph = _resized(content, scale)
        with torch.no_grad():
            self._content = self._features(self.photograph)[CONTENT_LAYER]
            painting = self._features(_resized(style, min(scale, max(style.shape))))
            self._style = {}
            for name in STYLE_WEIGHTS:
                mean, covariance = moments(painting[name])
                self._style[name] = mean, covariance, Root.apply(covariance)

    def value(self, picture: torch.Tensor) -> torch.Tensor:
        """The weighted total loss of a picture [1, 3, H, W] in [0, 1]."""
        features = self._features(picture)
        content = functional.mse_loss(features[CONTENT_LAYER], self._content)
        style = sum(
            weight * wasserstein(features[name], *self._style[name])
            for name, weight in STYLE_WEIGHTS.items()
        )
        return style + CONTENT_WEIGHT * content + TV_WEIGHT * variation(picture)

    def _features(self, picture: torch.Tensor) -> Layers:
        x = UNIT * (255 * picture.flip(1) - torch.tensor(_BGR_MEAN).view(1, 3, 1, 1))
        x = functional.pad(x, (1, 1, 1, 1), "replicate")
        features = {}
        for name, (kernel, bias) in self._weights.items():
            if name.endswith("_conv1") and features:
                x = functional.max_pool2d(x, 2)
            x = functional.relu(functional.conv2d(x, kernel, bias, padding=min(len(features), 1)))
            features[name] = x
        return features


class Run:
    """Adam at one scale, and the exponential moving average of what it comes by."""

    def __init__(self, objective: Objective, before: "Run | None" = None):
        """Begin with the average and moments of the scale before, or with the photograph."""
        self._objective, start = objective, objective.photograph
        resize = partial(functional.interpolate, size=start.shape[2:], align_corners=False)
        if before:
            start = resize(before.average(), mode="bicubic").clamp(0, 1)
        self._iterate = start.clone().requires_grad_()
        self._adam = torch.optim.Adam([self._iterate], lr=RATE, betas=BETAS)
        if before:
            (state,) = before._adam.state.values()
            self._adam.state[self._iterate] = {
                "step": state["step"],
                "exp_avg": resize(state["exp_avg"], mode="bicubic"),
                "exp_avg_sq": resize(state["exp_avg_sq"], mode="bilinear").relu(),
            }
        self._sum, self._share = (1 - DECAY) * start, 1 - DECAY

    def step(self) -> None:
        """One step of Adam, and back into [0, 1]."""
        self._adam.zero_grad()
        self._objective.value(self._iterate).backward()
        self._adam.step()
        self._iterate.data.clamp_(0, 1)
        self._sum.mul_(DECAY).add_(self._iterate.detach(), alpha=1 - DECAY)
        self._share = DECAY * self._share + 1 - DECAY

    def average(self) -> torch.Tensor:
        """The average [1, 3, H, W], without bias to its start from nothing."""
        return self._sum / self._share

    def picture(self) -> np.ndarray:
        """The average, float32 [H, W, 3] in [0, 1]."""
        return as_array(self.average().clamp(0, 1))[0]


def moments(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean [C] and covariance [C, C], its diagonal raised by `RIDGE`, of features [1, C, H, W]."""
    flat = features[0].flatten(1)
    mean = flat.mean(1)
    covariance = flat @ flat.T / flat.shape[1] - mean.outer(mean)
    return mean, covariance + RIDGE * torch.eye(len(mean))


def wasserstein(
    features: torch.Tensor, mean: torch.Tensor, covariance: torch.Tensor, root: torch.Tensor
) -> torch.Tensor:
    """The squared 2-Wasserstein distance by channel of features [1, C, H, W] from a target."""
    here, spread = moments(features)
    cross = Root.apply(root @ spread @ root)
    return functional.mse_loss(here, mean) + (covariance + spread - 2 * cross).diagonal().mean()


class Root(torch.autograd.Function):
    """The square root of a positive matrix by Newton and Schulz, and its gradient likewise."""

    @staticmethod
    def forward(ctx, matrix: torch.Tensor) -> torch.Tensor:
        """The root, by an iteration that brings its inverse along."""
        norm, three = matrix.norm(), 3 * torch.eye(len(matrix))
        root, inverse = matrix / norm, torch.eye(len(matrix))
        for _ in range(ROOT_STEPS):
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
        for _ in range(ROOT_STEPS):
            factor = three - sign @ sign
            x = (x @ factor - sign.T @ (sign.T @ x - x @ sign)) / 2
            sign = sign @ factor / 2
        return x / 2


def variation(picture: torch.Tensor) -> torch.Tensor:
    """Mean squared differences of neighbors on a stencil of nine points, edges repeated."""
    x = functional.pad(picture, (1, 1, 1, 1), "replicate")
    inner = x[..., 1:-1, 1:-1]
    straight = (x[..., 1:-1, 2:] - inner, x[..., 2:, 1:-1] - inner)
    slanted = (x[..., 1:, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, 1:])
    squares = [difference.square().mean() for difference in straight + slanted]
    return 2 / 3 * (squares[0] + squares[1]) + 1 / 6 * (squares[2] + squares[3])


def _resized(picture: np.ndarray, side: int) -> torch.Tensor:
    """A picture [H, W, 3] with that long side, in 8 bits as Pillow does it."""
    height, width = (round(side * n / max(picture.shape)) for n in picture.shape[:2])
    pixels = Image.fromarray(np.rint(255 * picture).astype(np.uint8))
    pixels = pixels.resize((width, height), Image.Resampling.BICUBIC)
    return as_tensor(np.asarray(pixels, np.float32)[np.newaxis] / 255)


def main() -> None:
    """Paint one pair, and write the picture after each scale."""
    given, wall, processor = flags.FLAGS, perf_counter(), process_time()
    output = Path(given.output)
    image_io.check_output(output)

    def report(scale: int, picture: np.ndarray) -> None:
        image_io.write(output.with_stem(f"{output.stem}_{scale}"), picture)
        spent = f"{perf_counter() - wall:.1f} s, {process_time() - processor:.1f} s of CPU"
        print(f"{scale} px: {spent} so far", flush=True)

    content, style = image_io.read(given.content).rgb, image_io.read(given.style).rgb
    first, later = map(int, given.iterations)
    image_io.write(
        output, paint(load(SETTINGS), content, style, given.size, (first, later), report)
    )


def _define_flags() -> None:
    """Not at import, for other benchmarks have flags of these names."""
    flags.DEFINE_string("content", None, "photograph")
    flags.DEFINE_string("style", None, "painting")
    flags.DEFINE_string("output", None, "picture to write; one more with each scale in its name")
    flags.DEFINE_integer("size", 512, "long side of the picture, in pixels", lower_bound=16)
    flags.DEFINE_list(
        "iterations", list(map(str, ITERATIONS)), "at the first scale, and at each later one"
    )


if __name__ == "__main__":
    _define_flags()
    app.run(main, required=["content", "style", "output"])
