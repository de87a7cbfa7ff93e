"""Measures that compare images, and the comparison of optimization and feed-forward models."""

import functools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import tensorflow as tf

from nst_tf import feed_forward
from nst_tf.callbacks.base import Callback, notify
from nst_tf.coarse_to_fine import optimize
from nst_tf.images.color_transfer import to_oklab
from nst_tf.images.cutout import apply_to_visible, crop_to_visible
from nst_tf.images.image_io import Picture
from nst_tf.images.pixels import resize
from nst_tf.losses.style_targets import StyleImage
from nst_tf.losses.tiled_objective import build_objective
from nst_tf.networks import vgg
from nst_tf.printable import printable
from nst_tf.run.progress import Progress
from nst_tf.run.pyramid import MIN_SIDE, scale_sizes, style_image_size
from nst_tf.settings import Settings
from nst_tf.style import Style, visible_region

# Held out: no recipe compares style at these layers.
HELD_OUT = ("block1_conv2", "block2_conv2", "block3_conv2", "block4_conv2")
CONTENT_LAYER = "block4_conv2"
# A smooth style image counts as having this grain, so that no image is infinitely grainier.
_MIN_BAND = 1e-4
# In pixels; a Gaussian of one pixel has fallen to a ten-thousandth there.
_BLUR_RADIUS = 4
# What the evaluator's network takes at a time.
_MAX_TILE_PIXELS = 2**20
# Runs of a feed-forward model that are timed once it is warm.
_REPEATS = 5
# The name of the optimization's picture.
OPTIMIZED = "optimised"
# Characters of a name in a caption.
_MAX_NAME = 32


@dataclass(frozen=True)
class Scores:
    """Measures of an image that no recipe minimizes.

    Attributes:
        style: distance from the style image: the mean over `HELD_OUT` of `wasserstein.wasserstein`.
            0 for the style image itself.
        content: distance from the content image: the relative squared error of the features of
            `CONTENT_LAYER`. 0 for the content image itself.
        ssim: structural similarity to the content image, 1 for the content image itself (Wang et
            al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity").
        grain: `finest_band` over the style image's. Above 1 the image is grainier, below 1
            smoother.
    """

    style: float
    content: float
    ssim: float
    grain: float


@dataclass(frozen=True)
class Entry:
    """An image in a comparison; fields that do not apply to it are None."""

    name: str  # how it was made
    rgb: np.ndarray  # float32 sRGB [H, W, 3] in [0, 1]
    scores: Scores | None = None
    seconds_cold: float | None = None  # the first image, with loading and tracing
    seconds_warm: float | None = None  # a further image; of the optimization its steps alone

    def caption(self) -> list[str]:
        """Lines with name, seconds and scores, as far as there are any."""
        lines = [_cut(" ".join(printable(self.name).split()))]
        if self.seconds_cold is not None:
            cold, warm = format_seconds(self.seconds_cold), format_seconds(self.seconds_warm)
            lines.append(f"{cold} s cold, {warm} s warm")
        if self.scores is not None:
            scores = self.scores
            lines.append(
                f"style {scores.style:.3f}, content {scores.content:.2f}, "
                f"SSIM {scores.ssim:.2f}, grain {scores.grain:.2f}"
            )
        return lines


class Evaluator:
    """Measures images of one content image, one style image and one size, in float32."""

    def __init__(self, content: np.ndarray, style: np.ndarray):
        """Compute the targets.

        Args:
            content: the content image at the images' size, float32 sRGB [H, W, 3] in [0, 1].
            style: the style image at that scale, float32 sRGB [h, w, 3] in [0, 1].
        """
        self._content = tf.constant(content)
        self._style_band = finest_band(style)
        settings = Settings(
            style_layers=HELD_OUT,
            content_layers=(CONTENT_LAYER,),
            content_weight=1.0,
            tv_weight=0.0,
        )
        self._objective = build_objective(
            vgg.extractor_from_settings(settings, "float32"),
            self._content[tf.newaxis],
            [StyleImage(tf.constant(style)[tf.newaxis])],
            settings,
            max_tile_pixels=_MAX_TILE_PIXELS,
        )

    def measure(self, rgb: np.ndarray) -> Scores:
        """The scores of an image float32 sRGB [H, W, 3] in [0, 1], of the content image's size."""
        image = tf.constant(rgb)
        losses = self._objective.value(image[tf.newaxis])
        return Scores(
            style=float(losses.style),
            content=float(losses.content),
            ssim=float(tf.image.ssim(image, self._content, max_val=1.0)),
            grain=finest_band(rgb) / max(self._style_band, _MIN_BAND),
        )


def finest_band(rgb: np.ndarray) -> float:
    """Detail below one pixel: RMS of Oklab's L [H, W] minus its blur by a Gaussian of one pixel."""
    lightness = to_oklab(rgb)[tf.newaxis, ..., :1]
    offsets = tf.range(-_BLUR_RADIUS, _BLUR_RADIUS + 1, dtype=tf.float32)
    kernel = tf.nn.softmax(-tf.square(offsets) / 2)
    margins = [[0, 0], [_BLUR_RADIUS, _BLUR_RADIUS], [_BLUR_RADIUS, _BLUR_RADIUS], [0, 0]]
    blurred = tf.pad(lightness, margins, "SYMMETRIC")
    for shape in ([-1, 1, 1, 1], [1, -1, 1, 1]):
        blurred = tf.nn.conv2d(blurred, tf.reshape(kernel, shape), 1, "VALID")
    return float(tf.sqrt(tf.reduce_mean(tf.square(lightness - blurred))))


def compare(
    content: Picture,
    style: Picture,
    settings: Settings,
    handles: Sequence[str],
    *,
    start: np.ndarray | None = None,
    callbacks: Iterable[Callback] = (),
    follow: Callable[[Iterator[Progress]], Iterator[Progress]] = iter,
) -> list[Entry]:
    """Stylize by optimization and by each feed-forward model, and measure all alike.

    The entries are the photograph, the painting, the optimized picture and that of each model; all
    have the settings' size. `start` and `callbacks` are for the optimization. `follow` passes its
    steps on; where it leaves out the last ones, the picture so far is compared. Of a cut-out
    painting the rectangle that is visible is measured.
    """
    height, width = scale_sizes(content.rgb.shape[0], content.rgb.shape[1], settings)[-1]
    resized = resize(content.rgb, height, width).numpy()
    visible = np.asarray(crop_to_visible(style.rgb, style.alpha))
    style_size = style_image_size(visible.shape[0], visible.shape[1], max(height, width))
    resized_style = resize(visible, *style_size).numpy()
    # The models first, so that one that cannot be loaded is known at once.
    feed_forward = [_run_model(resized, content.alpha, visible, handle) for handle in handles]
    styles = [Style(style.rgb, region=visible_region(style.alpha, None))]
    run = follow(optimize(content.rgb, styles, settings, start=start, alpha=content.alpha))
    optimized = _run_optimization(notify(run, callbacks), height, width)
    evaluator = Evaluator(resized, resized_style)
    entries = [
        replace(entry, scores=evaluator.measure(entry.rgb))
        for entry in (Entry("photograph", resized), optimized, *feed_forward)
    ]
    entries.insert(1, Entry("painting", resized_style))
    return entries


def format_seconds(seconds: float | None) -> str:
    """Three digits, without an exponent; empty for None."""
    if seconds is None:
        return ""
    return f"{seconds:.3g}" if seconds < 999.5 else f"{seconds:.0f}"


def _cut(name: str) -> str:
    """The name, or the end of a long one, such as a model's path."""
    return name if len(name) <= _MAX_NAME else f"… {name[-_MAX_NAME:]}"


def _run_optimization(run: Iterable[Progress], height: int, width: int) -> Entry:
    started = last = perf_counter()
    step_seconds: dict[int, list[float]] = {}
    for progress in run:
        float(progress.losses.total)  # waits for the device
        now = perf_counter()
        step_seconds.setdefault(progress.scale, []).append(now - last)
        last = now
    rgb = progress.image()
    cold = perf_counter() - started
    warm = math.fsum(len(each) * statistics.median(each) for each in step_seconds.values())
    name = OPTIMIZED
    if progress.done < 1:  # perhaps at a coarser scale
        name += f" to {math.floor(100 * progress.done)}%"
        rgb = resize(rgb, height, width).numpy()
    return Entry(name, rgb, seconds_cold=cold, seconds_warm=warm)


def _run_model(
    content: np.ndarray, alpha: np.ndarray | None, style: np.ndarray, handle: str
) -> Entry:
    def stylize() -> np.ndarray:
        run = functools.partial(stylizer, style=style[np.newaxis])
        return apply_to_visible(run, content[np.newaxis], alpha, MIN_SIDE)[0]

    started = perf_counter()
    stylizer = feed_forward.load(handle)
    rgb = stylize()
    cold = perf_counter() - started
    seconds = []
    for _ in range(_REPEATS):
        started = perf_counter()
        stylize()
        seconds.append(perf_counter() - started)
    warm = statistics.median(seconds)
    return Entry(f"fast ({printable(handle)})", rgb, seconds_cold=cold, seconds_warm=warm)
