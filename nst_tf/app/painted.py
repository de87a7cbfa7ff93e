"""What is asked of a painter, and the picture that comes of it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst_tf import atomic_files
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture
from nst_tf.run.record import Json
from nst_tf.settings import Settings
from nst_tf.style import Style


@dataclass(frozen=True, kw_only=True)
class PaintRequest:
    """What to paint.

    Attributes:
        photograph: the content image.
        styles: the paintings.
        settings: all that determines the picture besides.
        keep_mask: where the photograph must stay, float32 [h, w] in [0, 1] of its shape, in any
            size; None for nowhere.
        recipe: the name in `RECIPES` that the settings began with, for the record.
        sources: SHA-256 of the files of the photograph and the paintings, if they are known. Where
            they are equal, so are the pictures, though each may have been reduced for another size
            when it was read.
    """

    photograph: Picture
    styles: tuple[Style, ...]
    settings: Settings
    keep_mask: np.ndarray | None = None
    recipe: str = "default"
    sources: tuple[str, ...] = ()


class SavedState(NamedTuple):
    """Where the state of a run lies, from which it can be resumed.

    Attributes:
        path: of the checkpoint.
        inputs: of the run, as in the checkpoint.
        settings: of the run.
        taken: the steps taken at each scale, up to that of the state.
        has_start: whether the run began from an earlier picture.
        is_reread: whether the pictures were read anew for another size on the way.
    """

    path: Path
    inputs: Json
    settings: Settings
    taken: tuple[int, ...]
    has_start: bool
    is_reread: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Painted:
    """A picture, finished or stopped on its way.

    Attributes:
        request: what it was painted by.
        picture: float32 sRGB [H, W, 3] in [0, 1].
        record: of its run; None for a picture of the feed-forward network.
        is_finished: whether the run took all its steps.
        seconds: that it took, with those of the runs that it continues.
        message: what ended the run before its end, as one line; empty if nothing did, or `stop`.
        saved: the state to go on from; None where there is none, or it could not be written.
    """

    request: PaintRequest
    picture: np.ndarray
    record: Json | None
    is_finished: bool
    seconds: float
    message: str = ""
    saved: SavedState | None = None

    def write(self, path: str | os.PathLike) -> None:
        """Write the picture as stylize.py does, a PNG with its record within it.

        Args:
            path: the file; its extension decides the format, see `image_io.write`.

        Raises:
            InputError: an unknown extension, or a path that cannot be written to.
        """
        atomic_files.replace(path, self.encode(path))

    def encode(self, path: str | os.PathLike = "picture.png") -> bytes:
        """The bytes of the file that `write` writes."""
        photograph = self.request.photograph
        return image_io.encode(
            self.picture,
            path,
            alpha=photograph.alpha,
            bits=photograph.bits,
            note="" if self.record is None else json.dumps(self.record),
            metadata=photograph.metadata,
        )
