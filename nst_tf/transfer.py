"""The coarse-to-fine loop: paint small, enlarge, paint on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst_tf import features
from nst_tf.errors import InputError
from nst_tf.image import resize
from nst_tf.losses import Losses
from nst_tf.objective import Objective
from nst_tf.optimizers import Adam
from nst_tf.settings import Settings

# VGG halves a picture five times; below this nothing is left to look at.
SHORTEST = 32
# Scales are added while the long side stays at least this long.
COARSEST = 256


@dataclass(frozen=True)
class Style:
    """A painting to learn from.

    Attributes:
        rgb: float32 sRGB [H, W, 3] in [0, 1].
        share: how much it counts beside the other paintings.
    """

    rgb: np.ndarray
    share: float = 1.0


@dataclass(frozen=True)
class Progress:
    """Where a run stands after a step.

    Attributes:
        scale: index of the scale, 0 is the coarsest.
        scales: (height, width) of each scale.
        step: index of the step within its scale.
        steps: steps in each scale.
        losses: the weighted losses of the picture before the step; tensors, so that nobody waits
            for the device unless they look.
    """

    scale: int
    scales: list[tuple[int, int]]
    step: int
    steps: int
    losses: Losses
    _image: tf.Tensor

    def image(self) -> np.ndarray:
        """The picture after the step, float32 sRGB [H, W, 3] in [0, 1], in its scale's size."""
        return self._image[0].numpy()

    @property
    def done(self) -> int:
        """How many steps of the whole run have been taken."""
        return self.scale * self.steps + self.step + 1


def stylize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings,
    *,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Repaint a photograph in the manner of one or more paintings.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: the picture to start from, where `settings.init` is a path.

    Returns:
        The picture, float32 sRGB in [0, 1], its long side `settings.size` pixels.

    Raises:
        InputError: as `optimize`.
    """
    for progress in optimize(content, styles, settings, start=start):
        last = progress
    return last.image()


def optimize(
    content: np.ndarray,
    styles: Sequence[Style],
    settings: Settings,
    *,
    start: np.ndarray | None = None,
) -> Iterator[Progress]:
    """Paint step by step; leave the loop whenever the picture is good enough.

    Args:
        content: the photograph, float32 sRGB [H, W, 3] in [0, 1].
        styles: the paintings.
        settings: the knobs.
        start: the picture to start from, where `settings.init` is a path.

    Yields:
        A Progress after each step; the last holds the finished picture.

    Raises:
        InputError: a size the network cannot see, an unknown layer, weights that do not load,
            an array that is no picture.
    """
    if not styles:
        raise InputError("styles: expected at least one painting")
    _check_picture("content", content)
    for style in styles:
        _check_picture("style", style.rgb)
    if start is not None:
        _check_picture("start", start)
    scales = scale_sizes(content.shape[0], content.shape[1], settings)
    network = features.extractor(
        settings.style_layers,
        settings.content_layers,
        network=settings.network,
        weights=settings.vgg_weights,
        pooling=settings.pooling,
    )
    optimizer = Adam(settings.learning_rate, settings.beta_1, settings.beta_2, settings.epsilon)
    image = _first_image(content, start, settings, scales[0])
    state = None
    for scale, (height, width) in enumerate(scales):
        photograph = resize(content, height, width)[tf.newaxis]
        paintings = [
            (_fit(style.rgb, max(height, width))[tf.newaxis], style.share) for style in styles
        ]
        objective = Objective(network, photograph, paintings, settings)
        image = resize(image, height, width)
        state = optimizer.init(image) if state is None else optimizer.resize(state, image)
        step = _compiled(optimizer, objective)
        for index in range(settings.steps):
            state, losses = step(state)
            yield Progress(scale, scales, index, settings.steps, losses, state.image)
        image = state.image


def scale_sizes(height: int, width: int, settings: Settings) -> list[tuple[int, int]]:
    """The sizes a picture is painted at, from coarse to fine by factors of two.

    Args:
        height: of the photograph, in pixels.
        width: of the photograph, in pixels.
        settings: `size` and `scales`.

    Returns:
        (height, width) of each scale; the last has `settings.size` as its long side.

    Raises:
        InputError: the picture or its coarsest scale would be too small for the network.
    """
    long, short = max(height, width), min(height, width)
    size = settings.size or long
    # The least n with _side(short, long, n) >= SHORTEST.
    smallest = -(-(2 * SHORTEST - 1) * long // (2 * short))
    if size < smallest:
        raise InputError(
            f"size={size}: the short side would be {_side(short, long, size)} px and the network "
            f"needs {SHORTEST}; give --size={smallest} or more"
        )
    count = settings.scales or 1 + max(0, int(np.log2(size / max(COARSEST, smallest))))
    longs = [_side(1, 2**k, size) for k in reversed(range(count))]
    if longs[0] < smallest:
        raise InputError(
            f"scales={count}: the coarsest would be {longs[0]} px long and the network needs "
            f"{smallest}; give fewer scales or a larger --size"
        )
    return [(_side(height, long, n), _side(width, long, n)) for n in longs]


def _check_picture(name: str, rgb: np.ndarray) -> None:
    expected = f"{name}: expected float32 [height, width, 3] in [0, 1], got"
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InputError(f"{expected} the shape {rgb.shape}")
    if rgb.dtype.kind != "f":
        raise InputError(f"{expected} {rgb.dtype}; divide by 255 if it is a picture in 8 bits")
    least, most = rgb.min(), rgb.max()
    if not (0 <= least and most <= 1):
        raise InputError(f"{expected} values up to {most} and down to {least}")


def _side(side: int, long: int, size: int) -> int:
    """A side of a picture whose long side is brought to `size`, rounded to nearest."""
    return (2 * side * size + long) // (2 * long)


def _fit(painting: np.ndarray, size: int) -> tf.Tensor:
    """A painting with its long side at `size`, or longer where it is too narrow to look at."""
    height, width = painting.shape[:2]
    long, short = max(height, width), min(height, width)
    size = max(size, -(-SHORTEST * long // short))
    return resize(painting, _side(height, long, size), _side(width, long, size))


def _first_image(
    content: np.ndarray, start: np.ndarray | None, settings: Settings, size: tuple[int, int]
) -> tf.Tensor:
    """The picture to start from, [1, H, W, 3]; noise is made in the coarsest scale's size."""
    if settings.init == "content":
        start = content
    elif settings.init == "noise":
        noise = tf.random.stateless_normal((*size, 3), seed=(settings.seed, 0), stddev=0.1)
        return tf.clip_by_value(0.5 + noise, 0.0, 1.0)[tf.newaxis]
    elif start is None:
        raise InputError(f"init={settings.init}: give the picture itself as start=")
    return resize(start, *size)[tf.newaxis]


def _compiled(optimizer: Adam, objective: Objective):
    """One step as a graph; a new one for each scale, traced once."""
    return tf.function(lambda state: optimizer.step(state, objective.value_and_grad))
