"""fast.py: repaint photographs in one pass of a trained network."""

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nst_tf import feed_forward
from nst_tf.batch import jobs
from nst_tf.cli import app, inputs
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.cutout import apply_to_visible, crop_to_visible
from nst_tf.images.pixels import ImageLike, Size, resize
from nst_tf.networks import device
from nst_tf.networks.stylization import STYLE_SIZE
from nst_tf.run.pyramid import MIN_SIDE, scale_sizes
from nst_tf.settings import Settings

# Of the content image; from here on strokes look fine, since they keep their size in pixels.
_FINE_STROKES = 2000
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of fast.py; their help says what they mean."""

    content: Sequence[str]
    style: Sequence[str]
    style_blend: Sequence[str]
    output: str
    handle: str
    size: int
    strength: float


def stylize(options: Options) -> None:
    """Paint each content image in each style, or in one mixture of all styles."""
    app.print_notices()
    paths = inputs.split(options.style)
    weights = inputs.parse_weights("style_blend", options.style_blend, len(paths))
    mixtures = [paths] if weights else [[style] for style in paths]
    outputs = _outputs(options, mixtures)
    # Read twice, so that a mistake is found before the first is painted and one is held at a time.
    sizes = [_size(path, options.size) for path in options.content]
    longest = max(map(max, sizes))
    app.check_no_overwrite([*options.content, *paths], output=outputs)
    for output in outputs:
        image_io.check_output(output, longest)
    images = {path: read_style(path)[None] for path in paths}
    if longest > _FINE_STROKES:
        _LOG.info(
            "strokes keep their size in pixels: at %d px they look fine; --size=1500 paints them "
            "larger",
            longest,
        )
    model = feed_forward.load(options.handle)
    painters = [
        model.blend([images[style] for style in styles], weights or [1.0]) for styles in mixtures
    ]
    print(f"on {device.describe()}", flush=True)
    remaining = iter(outputs)
    for path, size in zip(options.content, sizes, strict=True):
        picture = image_io.read(path, long_side=options.size)
        content = resize(picture.rgb[None], *size)
        # A large picture is not to be held twice.
        picture = picture._replace(rgb=np.empty(0, np.float32))
        for paint in painters:
            output = next(remaining)
            run = functools.partial(paint, strength=options.strength)
            painted = apply_to_visible(run, content, picture.alpha, MIN_SIDE)[0]
            image_io.write(
                output,
                painted,
                alpha=picture.alpha,
                bits=picture.bits,
                metadata=picture.metadata,
            )
            print(f"painted {output}", flush=True)


def read_style(path: str) -> ImageLike:
    """The visible part of a style image, with a warning if it is small."""
    picture = image_io.read(path, long_side=2 * STYLE_SIZE)
    rgb = crop_to_visible(picture.rgb, picture.alpha)
    short = min(rgb.shape[:2])
    if short < STYLE_SIZE / 2:
        _LOG.info(
            "%s: is enlarged %.1f times, to a short side of %d px, so its strokes are soft; a "
            "larger picture of it paints better",
            path,
            STYLE_SIZE / short,
            STYLE_SIZE,
        )
    return rgb


def _size(path: str, long_side: int) -> Size:
    height, width = image_io.read(path, long_side=long_side).rgb.shape[:2]
    try:
        return scale_sizes(height, width, Settings(size=long_side, scales=1))[-1]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _outputs(options: Options, mixtures: Sequence[Sequence[str]]) -> list[str]:
    """The output of each content image in each mixture, in this order."""
    folder = Path(options.output)
    if len(options.content) * len(mixtures) == 1 and not folder.is_dir():
        return [options.output]
    if folder.suffix and not folder.is_dir():
        raise InputError(f"output={folder}: expected a folder, there are several pictures")
    names = []
    for content in options.content:
        for styles in mixtures:
            names.append("_".join(Path(path).stem for path in (content, *styles)))
    # Files of one name may come from several folders.
    return [str(folder / name) for name in jobs.output_names(names, folder)]
