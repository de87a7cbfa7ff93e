"""What the page's inputs stand for: files, and the request that they make."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst_tf.app import masks, previews
from nst_tf.app.controls import Controls
from nst_tf.app.order import Order
from nst_tf.app.painted import PaintRequest
from nst_tf.app.paintings import Painting
from nst_tf.app.visits import Visit
from nst_tf.digests import file_sha256
from nst_tf.errors import InputError
from nst_tf.images import pillow_decoder
from nst_tf.run.pyramid import style_long_side
from nst_tf.style import Style, visible_region

# The folder of a file that Gradio has received: its SHA-256.
_UPLOAD = re.compile("[0-9a-f]{64}")
# Pixels that the brush may have drawn, which it does on a small picture.
_MAX_LAYER = 4 * previews.SMALL**2
# Of the name of a picture's file.
_MAX_NAME = 80


class Sources:
    """Makes requests of what the components hold."""

    def __init__(self, folder: Path, offered: Sequence[Painting], controls: Controls):
        """`folder` is where what browsers send arrives."""
        self._folder = folder.resolve()
        self._offered = {str(each.preview): each.path for each in offered}
        self._controls = controls

    def receive(self, visit: Visit, path: str) -> Path:
        """Take a picture that a browser has sent; the path of what that shows of it."""
        visit.check_open()
        source = self.received(path)
        visit.originals[path] = source
        picture = visit.read(source, previews.SMALL)
        preview = visit.new_folder() / f"{source.stem}.jpg"
        visit.originals[str(preview)] = source
        try:
            return previews.write_picture(preview, picture)
        finally:
            if visit.is_closed:  # meanwhile, so that nobody else deletes it
                visit.discard(preview.parent)

    def is_shown(self, visit: Visit, value: Any) -> bool:
        """Whether a value is the small picture that the page was given for an input."""
        path = value.get("path") if isinstance(value, dict) else None
        if not isinstance(path, str) or path not in visit.originals:
            return False
        return visit.folder in Path(path).parents

    def original(self, visit: Visit, path: str) -> Path:
        """The file that something shown stands for."""
        return visit.originals.get(path) or self._offered.get(path) or self.received(path)

    def received(self, path: Any) -> Path:
        """The path of a file that a browser has sent.

        Raises:
            InputError: it is of any other file of this machine; Gradio's own check lets some pass.
        """
        found = Path(path).resolve() if isinstance(path, str) and "\0" not in path else Path()
        inside = found.relative_to(self._folder).parts if self._folder in found.parents else ()
        # What visits and the server keep there is known by its name, or it is another's.
        if len(inside) != 2 or not _UPLOAD.fullmatch(inside[0]):
            raise InputError(f"{Path(str(path)).name}: was not sent to this page; drop it here")
        return found

    def received_layer(self, path: Any) -> Path:
        """As `received`, for what the brush has drawn; InputError also where it is too large."""
        found = self.received(path)
        with found.open("rb") as file, pillow_decoder.open_image(file) as image:
            width, height = image.size
        if width * height > _MAX_LAYER:
            raise InputError(f"brush: {width} x {height} px; expected no more than the page shows")
        return found

    def order(
        self,
        visit: Visit,
        photograph: str | None,
        paintings: Sequence[str | None],
        weights: Sequence[float],
        layers: Sequence[np.ndarray],
        knobs: Sequence[Any],
        *,
        twice_as_large: bool = False,
    ) -> Order:
        """What the components ask for.

        Raises:
            InputError: something is missing, or does not fit.
        """
        visit.check_open()
        recipe, settings = self._controls.settings(knobs)
        if not photograph:
            raise InputError("photograph: none is there; drop one, or paste one")
        given = [(path, weight) for path, weight in zip(paintings, weights, strict=True) if path]
        if not given:
            raise InputError("painting: none is there; choose one, or drop one")
        source = self.original(visit, photograph)
        if twice_as_large:
            size = settings.size or max(visit.read(source, 0).rgb.shape[:2])
            knobs = self._controls.changed(knobs, size=2 * size)
            recipe, settings = self._controls.settings(knobs)
        content = visit.read(source, settings.size)
        needed = style_long_side(settings, settings.size or max(content.rgb.shape[:2]))
        drawn = masks.from_layers(layers, len(given))
        styles: list[Style] = []
        files = [source]
        for (path, weight), mask in zip(given, drawn.paintings, strict=True):
            if not isinstance(weight, (int, float)):
                raise InputError(f"weight={weight}: expected a number from 0")
            painting = self.original(visit, path)
            picture = visit.read(painting, needed)
            region = visible_region(picture.alpha, None)
            styles.append(Style(picture.rgb, weight=weight, mask=mask, region=region))
            files.append(painting)
        request = PaintRequest(
            photograph=content,
            styles=tuple(styles),
            settings=settings,
            keep_mask=drawn.keep,
            recipe=recipe,
            sources=tuple(file_sha256(path) for path in files),
        )
        name = "_".join(path.stem for path in files)[:_MAX_NAME]
        return Order(request, name, tuple(knobs))
