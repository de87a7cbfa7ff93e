"""What a comparison measures: the same evaluator for every way to paint."""

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import numpy as np
import tensorflow as tf

from nst_tf import fast
from nst_tf.images.color_transfer import to_oklab
from nst_tf.images.image_io import resize
from nst_tf.losses import tiled_objective
from nst_tf.losses.style_targets import Painting
from nst_tf.networks import vgg
from nst_tf.run.progress import Progress
from nst_tf.run.pyramid import painting_size, scale_sizes
from nst_tf.settings import Settings
from nst_tf.style import Style
from nst_tf.transfer import optimize

# Held out: no recipe compares style at these layers.
HELD_OUT = ("block1_conv2", "block2_conv2", "block3_conv2", "block4_conv2")
CONTENT_LAYER = "block4_conv2"
# Of a painting without any detail, so that no picture is infinitely grainier.
_LEAST_BAND = 1e-4
# Where a Gaussian of one pixel has fallen to a ten-thousandth.
_BLUR_REACH = 4
# The evaluator looks at this many pixels at a time.
_MOST_SEEN = 2**20
# How often a feed-forward model paints once it is warm.
_REPEATS = 5


@dataclass(frozen=True)
class Scores:
    """What the evaluator says of a picture, whatever recipe painted it.

    Attributes:
        style: how far its brushwork and colours are from the painting's: the mean over `HELD_OUT`
            of `losses.wasserstein`. 0 for the painting itself.
        content: how far its shapes are from the photograph's: the relative squared error of the
            features of `CONTENT_LAYER`. 0 for the photograph itself.
        ssim: structural similarity to the photograph, 1 for the photograph itself (Wang et al.
            2004, "Image Quality Assessment: From Error Visibility to Structural Similarity").
        grain: its finest detail over the painting's, of `finest_band`. Above 1 it is grainier than
            the painting, below 1 smoother.
    """

    style: float
    content: float
    ssim: float
    grain: float


@dataclass(frozen=True)
class Entry:
    """A picture in a comparison.

    Attributes:
        name: how it was made.
        rgb: float32 sRGB [H, W, 3] in [0, 1].
        scores: of the evaluator; None for the painting.
        seconds_cold: from nothing: the first picture, with loading and tracing; None where
            nothing was painted.
        seconds_warm: a further picture: of the optimisation its steps alone.
    """

    name: str
    rgb: np.ndarray
    scores: Scores | None = None
    seconds_cold: float | None = None
    seconds_warm: float | None = None


class Evaluator:
    """Judges pictures of one photograph in the manner of one painting, at one size."""

    def __init__(self, content: np.ndarray, style: np.ndarray):
        """Compute the targets, in float32.

        Args:
            content: the photograph at the pictures' size, float32 sRGB [H, W, 3] in [0, 1].
            style: the painting at that size, float32 sRGB [h, w, 3] in [0, 1].
        """
        self._content = tf.constant(content)
        self._band = finest_band(style)
        settings = Settings(
            style_layers=HELD_OUT,
            content_layers=(CONTENT_LAYER,),
            content_weight=1.0,
            tv_weight=0.0,
        )
        network = vgg.of(settings, "float32")
        painting = Painting(tf.constant(style)[tf.newaxis])
        self._objective = tiled_objective.objective(
            network, self._content[tf.newaxis], [painting], settings, most=_MOST_SEEN
        )

    def measure(self, rgb: np.ndarray) -> Scores:
        """Judge a picture.

        Args:
            rgb: float32 sRGB [H, W, 3] in [0, 1], of the photograph's size.

        Returns:
            Its scores.
        """
        picture = tf.constant(rgb)
        losses = self._objective.value(picture[tf.newaxis])
        return Scores(
            style=float(losses.style),
            content=float(losses.content),
            ssim=float(tf.image.ssim(picture, self._content, max_val=1.0)),
            grain=finest_band(rgb) / max(self._band, _LEAST_BAND),
        )


def finest_band(rgb: np.ndarray) -> float:
    """How much detail below one pixel a picture has.

    Args:
        rgb: float32 sRGB [H, W, 3] in [0, 1].

    Returns:
        The root mean square of Oklab's L less its blur by a Gaussian of one pixel.
    """
    lightness = to_oklab(rgb)[tf.newaxis, ..., :1]
    reach = tf.range(-_BLUR_REACH, _BLUR_REACH + 1, dtype=tf.float32)
    kernel = tf.nn.softmax(-tf.square(reach) / 2)
    edges = [[0, 0], [_BLUR_REACH, _BLUR_REACH], [_BLUR_REACH, _BLUR_REACH], [0, 0]]
    blurred = tf.pad(lightness, edges, "SYMMETRIC")
    for shape in ([-1, 1, 1, 1], [1, -1, 1, 1]):
        blurred = tf.nn.conv2d(blurred, tf.reshape(kernel, shape), 1, "VALID")
    return float(tf.sqrt(tf.reduce_mean(tf.square(lightness - blurred))))


def compare(
    content: np.ndarray,
    style: np.ndarray,
    settings: Settings,
    handles: Sequence[str],
    *,
    start: np.ndarray | None = None,
    watch: Callable[[Iterator[Progress]], Iterable[Progress]] = iter,
) -> list[Entry]:
    """Paint a photograph slowly and fast, and measure both.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        style: the painting, float32 sRGB [h, w, 3] in [0, 1].
        settings: of the optimisation; its size is everybody's.
        handles: feed-forward models, as `fast.load` takes them.
        start: what the optimisation starts from, as of `optimize`.
        watch: a listener for the optimisation.

    Returns:
        The photograph, the painting, the optimised picture, and one of each model.

    Raises:
        InputError: as `optimize` and `fast.load`.
    """
    height, width = scale_sizes(content.shape[0], content.shape[1], settings)[-1]
    small = resize(content, height, width).numpy()
    fitted = painting_size(style.shape[0], style.shape[1], max(height, width))
    painting = resize(style, *fitted).numpy()
    # The models first: whether they can be loaded is known at once.
    painted = [_paint_fast(small, style, handle) for handle in handles]
    begin = partial(optimize, content, [Style(style)], settings, start=start)
    painted.insert(0, _paint_slowly(lambda: watch(begin())))
    evaluator = Evaluator(small, painting)
    entries = [Entry("photograph", small), *painted]
    judged = [replace(entry, scores=evaluator.measure(entry.rgb)) for entry in entries]
    judged.insert(1, Entry("painting", painting))
    return judged


def _paint_slowly(begin: Callable[[], Iterable[Progress]]) -> Entry:
    started = last = perf_counter()
    seconds: dict[int, list[float]] = {}
    for progress in begin():
        float(progress.losses.total)  # waits for the device
        now = perf_counter()
        seconds.setdefault(progress.scale, []).append(now - last)
        last = now
    rgb = progress.image()
    cold = perf_counter() - started
    warm = math.fsum(len(steps) * statistics.median(steps) for steps in seconds.values())
    return Entry("optimised", rgb, seconds_cold=cold, seconds_warm=warm)


def _paint_fast(content: np.ndarray, style: np.ndarray, handle: str) -> Entry:
    def paint() -> np.ndarray:
        return painter(content[np.newaxis], style[np.newaxis])[0].numpy()

    started = perf_counter()
    painter = fast.load(handle)
    rgb = paint()
    cold = perf_counter() - started
    seconds = []
    for _ in range(_REPEATS):
        started = perf_counter()
        paint()
        seconds.append(perf_counter() - started)
    return Entry(
        f"fast ({handle})", rgb, seconds_cold=cold, seconds_warm=statistics.median(seconds)
    )
