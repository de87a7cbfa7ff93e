"""The pictures of a batch, small: a row for each photograph, a column for each painting."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst_tf.batch.jobs import Job
from nst_tf.errors import InputError
from nst_tf.images import image_io

# Longest side in pixels; so many of them in a table; so long a table side by side.
SIDE = 192
_MOST = 200
_LONGEST = 60_000
Table = list[list["Thumbnail"]]


class Thumbnail(NamedTuple):
    """A picture, small.

    Attributes:
        rgb: float32 sRGB [h, w, 3] in [0, 1]; None where there is no picture.
        name: of its file.
        entry: its line of the log; None for photographs and paintings.
    """

    rgb: np.ndarray | None
    name: str
    entry: Mapping[str, Any] | None = None


def count(jobs: Sequence[Job]) -> int:
    """How many tables there are of a batch's jobs."""
    contents, _, rows = _layout(jobs)
    return -(-len(contents) // rows)


def tables(
    jobs: Sequence[Job], entries: Mapping[str, Mapping[str, Any]], folder: Path
) -> Iterator[Table]:
    """Make thumbnails.

    Args:
        jobs: of a batch, each photograph with each painting.
        entries: the lines of its log, by output.
        folder: where its pictures are.

    Yields:
        Tables: the first row has an empty corner and the paintings, the others a photograph and
        what was painted from it. Many photographs make several tables.
    """
    contents, styles, rows = _layout(jobs)
    outputs = {(job.content, job.style): job.output for job in jobs}
    side = min(SIDE, _LONGEST // (1 + len(styles)))
    head = [Thumbnail(None, ""), *(_thumbnail(style, side) for style in styles)]
    for first in range(0, len(contents), rows):
        table = [head]
        for content in contents[first : first + rows]:
            row = [_thumbnail(content, side)]
            for style in styles:
                output = outputs[content, style]
                entry = entries.get(output, {})
                failed = entry.get("error") is not None
                # A picture of an earlier run is not what was asked for.
                small = None if failed else _small(str(folder / output), side)
                row.append(Thumbnail(small, output, entry))
            table.append(row)
        yield table


def _layout(jobs: Sequence[Job]) -> tuple[list[str], list[str], int]:
    """Photographs, paintings, and how many photographs are in a table."""
    contents = list(dict.fromkeys(job.content for job in jobs))
    styles = list(dict.fromkeys(job.style for job in jobs))
    return contents, styles, max(1, _MOST // (1 + len(styles)))


def _thumbnail(path: str, side: int) -> Thumbnail:
    return Thumbnail(_small(path, side), Path(path).name)


def _small(path: str, side: int) -> np.ndarray | None:
    try:
        rgb = image_io.read(path).rgb
    except InputError:
        return None
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    return image_io.resize(rgb, max(1, round(height * scale)), max(1, round(width * scale))).numpy()
