"""The images of a batch as thumbnails: a row for each content image, a column for each style."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst_tf.batch.jobs import Job
from nst_tf.batch.runner import LogEntry
from nst_tf.images import image_io
from nst_tf.images.cutout import on_white
from nst_tf.images.pixels import resize

# Long side of a thumbnail and what lies between two, in pixels; the side is shorter where a row
# would be wider than the limit.
SIDE = 192
GAP = 8
_MAX_WIDTH = 60_000
# Thumbnails of a table.
_MAX_THUMBNAILS = 200


class Thumbnail(NamedTuple):
    """A small image; without pixels where there is none."""

    rgb: np.ndarray | None  # float32 sRGB [h, w, 3] in [0, 1]
    name: str  # of the file
    entry: LogEntry | None = None  # of the log; None for content and style images


# The first row has an empty corner and the style images, each other one a content image and what
# was rendered from it.
Table = list[list[Thumbnail]]


def num_tables(jobs: Sequence[Job]) -> int:
    """The number of tables that `tables` makes."""
    contents, _, num_rows = _layout(jobs)
    return math.ceil(len(contents) / num_rows)


def tables(jobs: Sequence[Job], entries: Mapping[str, LogEntry], folder: Path) -> Iterator[Table]:
    """The outputs in a batch's folder as tables; many content images make several."""
    contents, styles, num_rows = _layout(jobs)
    outputs = {(job.content, job.style): job.output for job in jobs}
    side = min(SIDE, _MAX_WIDTH // (1 + len(styles)) - GAP)

    def rendered(output: str) -> Thumbnail:
        entry = entries.get(output, {})
        # The output of an earlier run is not that of this one.
        failed = entry.get("error") is not None
        return Thumbnail(None if failed else _read(str(folder / output), side), output, entry)

    def original(path: str) -> Thumbnail:
        return Thumbnail(_read(path, side), Path(path).name)

    head = [Thumbnail(None, ""), *map(original, styles)]
    for first in range(0, len(contents), num_rows):
        rows = [
            [original(content), *(rendered(outputs[content, style]) for style in styles)]
            for content in contents[first : first + num_rows]
        ]
        yield [head, *rows]


def _layout(jobs: Sequence[Job]) -> tuple[list[str], list[str], int]:
    """Content images, style images, and the number of content images in a table."""
    contents = list(dict.fromkeys(job.content for job in jobs))
    styles = list(dict.fromkeys(job.style for job in jobs))
    return contents, styles, max(1, _MAX_THUMBNAILS // (1 + len(styles)))


def _read(path: str, side: int) -> np.ndarray | None:
    """An image with its long side resized; None if it cannot be read."""
    try:
        picture = image_io.read(path, long_side=side)
        rgb = picture.rgb if picture.alpha is None else on_white(picture.rgb, picture.alpha)
        height, width = rgb.shape[:2]
        scale = side / max(height, width)
        return resize(rgb, max(1, round(height * scale)), max(1, round(width * scale))).numpy()
    # Whatever it is, the others are shown; why one could not be painted is in the log.
    except Exception:
        return None
