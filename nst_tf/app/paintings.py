"""The paintings that a server offers, with a small picture of each."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nst_tf.app import previews
from nst_tf.errors import InputError
from nst_tf.images import image_io

_LOG = logging.getLogger(__name__)
# Beside the package in a checkout; an installed one has none.
SAMPLES = Path(__file__).parents[2] / "samples" / "style"
_THUMBNAIL_SIDE = 320


class Painting(NamedTuple):
    """A painting that is offered."""

    path: Path
    preview: Path
    name: str


def read(folders: Sequence[Path], scratch: Path) -> list[Painting]:
    """All pictures of some folders, those that cannot be read left out; previews in `scratch`."""
    found: list[Painting] = []
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in image_io.READ_EXTENSIONS:
                continue
            preview = scratch / f"{len(found)}-{path.stem}.jpg"
            try:
                picture = image_io.read(path, long_side=_THUMBNAIL_SIDE)
                previews.write_picture(preview, picture, _THUMBNAIL_SIDE)
            except InputError as error:
                _LOG.warning("left out of the paintings: %s", error)
                continue
            found.append(Painting(path, preview, path.stem.replace("_", " ")))
    return found
