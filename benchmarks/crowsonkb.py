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
from crowsonkb_losses import SquareRoot, moments, total_variation, wasserstein
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
MIN_SCALE, LEARNING_RATE, BETAS, AVERAGE_DECAY, THREADS = 128, 0.02, (0.9, 0.99), 0.99, 2
# Torchvision's VGG19 takes images in [0, 1], divided by deviations of about 0.225, and ours takes
# [0, 255]. Biases that shrink along with the input make all features do so. That its features are
# then of the size of torchvision's is an assumption: those weights come from another training.
INPUT_SCALE = 1 / 57.4
_BGR_MEAN = (103.939, 116.779, 123.68)
# After each scale: its long side, and the image so far.
Report = Callable[[int, np.ndarray], None]


def stylize(
    weights: Weights,
    content: np.ndarray,
    style: np.ndarray,
    size: int = 512,
    iterations: tuple[int, int] = ITERATIONS,
    report: Report | None = None,
) -> np.ndarray:
    """Optimize from coarse to fine, from the content image.

    Args:
        weights: of `pytorch.load`, with `SETTINGS`.
        content: the content image, float32 [H, W, 3] in [0, 1].
        style: the style image, float32 [h, w, 3] in [0, 1]; it is never enlarged.
        size: long side of the result.
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
            report(scale, run.image())
    return run.image()


def step_seconds(
    weights: Weights, content: np.ndarray, style: np.ndarray, size: int, repeats: int
) -> list[tuple[int, float, int]]:
    """How long `stylize` takes, from `repeats` steps at each scale, after two that do not count.

    Returns:
        Of each scale the long side, the median of a step's seconds, and the number of its steps.
    """
    torch.set_num_threads(THREADS)
    rows = []
    for index, scale in enumerate(scales(size)):
        run, seconds = Run(Objective(weights, content, style, scale)), []
        for _ in range(2 + repeats):
            started = perf_counter()
            run.step()
            seconds.append(perf_counter() - started)
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
    """What is minimized at one scale.

    Attributes:
        content: the content image at that scale, [1, 3, H, W].
    """

    def __init__(self, weights: Weights, content: np.ndarray, style: np.ndarray, scale: int):
        """Compute the targets; the arguments are `stylize`'s, and the image's long side."""
        self._weights = {
            name: (kernel, INPUT_SCALE * bias) for name, (kernel, bias) in weights.items()
        }
        self.content = _resized(content, scale)
        with torch.no_grad():
            self._content_features = self._features(self.content)[CONTENT_LAYER]
            features = self._features(_resized(style, min(scale, max(style.shape))))
            self._style = {}
            for name in STYLE_WEIGHTS:
                mean, covariance = moments(features[name])
                self._style[name] = mean, covariance, SquareRoot.apply(covariance)

    def value(self, image: torch.Tensor) -> torch.Tensor:
        """The weighted total loss of an image [1, 3, H, W] in [0, 1]."""
        features = self._features(image)
        content = functional.mse_loss(features[CONTENT_LAYER], self._content_features)
        style = sum(
            weight * wasserstein(features[name], *self._style[name])
            for name, weight in STYLE_WEIGHTS.items()
        )
        return style + CONTENT_WEIGHT * content + TV_WEIGHT * total_variation(image)

    def _features(self, image: torch.Tensor) -> Layers:
        x = INPUT_SCALE * (255 * image.flip(1) - torch.tensor(_BGR_MEAN).view(1, 3, 1, 1))
        x = functional.pad(x, (1, 1, 1, 1), "replicate")
        features = {}
        for name, (kernel, bias) in self._weights.items():
            if name.endswith("_conv1") and features:
                x = functional.max_pool2d(x, 2)
            x = functional.relu(functional.conv2d(x, kernel, bias, padding=min(len(features), 1)))
            features[name] = x
        return features


class Run:
    """Adam at one scale, and the exponential moving average of its iterates."""

    def __init__(self, objective: Objective, coarser: "Run | None" = None):
        """Begin with the average and moments of the coarser scale, or with the content image."""
        self._objective, start = objective, objective.content
        resize = partial(functional.interpolate, size=start.shape[2:], align_corners=False)
        if coarser:
            start = resize(coarser.average(), mode="bicubic").clamp(0, 1)
        self._iterate = start.clone().requires_grad_()
        self._adam = torch.optim.Adam([self._iterate], lr=LEARNING_RATE, betas=BETAS)
        if coarser:
            (state,) = coarser._adam.state.values()
            self._adam.state[self._iterate] = {
                "step": state["step"],
                "exp_avg": resize(state["exp_avg"], mode="bicubic"),
                "exp_avg_sq": resize(state["exp_avg_sq"], mode="bilinear").relu(),
            }
        self._sum, self._sum_of_weights = (1 - AVERAGE_DECAY) * start, 1 - AVERAGE_DECAY

    def step(self) -> None:
        """One step of Adam, and back into [0, 1]."""
        self._adam.zero_grad()
        self._objective.value(self._iterate).backward()
        self._adam.step()
        self._iterate.data.clamp_(0, 1)
        self._sum.mul_(AVERAGE_DECAY).add_(self._iterate.detach(), alpha=1 - AVERAGE_DECAY)
        self._sum_of_weights = AVERAGE_DECAY * self._sum_of_weights + 1 - AVERAGE_DECAY

    def average(self) -> torch.Tensor:
        """The average [1, 3, H, W], corrected for its start at 0."""
        return self._sum / self._sum_of_weights

    def image(self) -> np.ndarray:
        """The average, float32 [H, W, 3] in [0, 1]."""
        return as_array(self.average().clamp(0, 1))[0]


def _resized(image: np.ndarray, side: int) -> torch.Tensor:
    """An image [H, W, 3] with that long side, in 8 bits as Pillow does it."""
    height, width = (round(side * n / max(image.shape)) for n in image.shape[:2])
    pixels = Image.fromarray(np.rint(255 * image).astype(np.uint8))
    pixels = pixels.resize((width, height), Image.Resampling.BICUBIC)
    return as_tensor(np.asarray(pixels, np.float32)[np.newaxis] / 255)


def main() -> None:
    """Stylize one pair, and write the picture after each scale."""
    values, wall, processor = flags.FLAGS, perf_counter(), process_time()
    output = Path(values.output)
    image_io.check_output(output)

    def report(scale: int, image: np.ndarray) -> None:
        image_io.write(output.with_stem(f"{output.stem}_{scale}"), image)
        spent = f"{perf_counter() - wall:.1f} s, {process_time() - processor:.1f} s of CPU"
        print(f"{scale} px: {spent} so far", flush=True)

    content, style = image_io.read(values.content).rgb, image_io.read(values.style).rgb
    first, later = map(int, values.iterations)
    image = stylize(load(SETTINGS), content, style, values.size, (first, later), report)
    image_io.write(output, image)


def _define_flags() -> None:
    """Not at import, for other benchmarks have flags of these names."""
    flags.DEFINE_string("content", None, "the content image")
    flags.DEFINE_string("style", None, "the style image")
    flags.DEFINE_string("output", None, "picture to write; one more with each scale in its name")
    flags.DEFINE_integer("size", 512, "long side of the picture, in pixels", lower_bound=16)
    flags.DEFINE_list(
        "iterations", list(map(str, ITERATIONS)), "at the first scale, and at each later one"
    )


if __name__ == "__main__":
    _define_flags()
    app.run(main, required=["content", "style", "output"])
