"""Resolution and EXIF data that pass from a photograph to its painting, without the place."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from PIL import ExifTags, Image

_TAG = ExifTags.Base
# Of the picture as a whole: what it shows, who took it, when and with what.
_KEPT = (
    _TAG.ImageDescription, _TAG.Make, _TAG.Model, _TAG.Software, _TAG.DateTime, _TAG.Artist,
    _TAG.HostComputer, _TAG.Copyright, _TAG.XPTitle, _TAG.XPComment, _TAG.XPAuthor,
    _TAG.XPKeywords, _TAG.XPSubject,
)  # fmt: skip
# Of the exposure: what may hide a place, or is no longer true of a painting: maker's note,
# subject's area and location, color space, width, height, interoperability.
_DROPPED = {0x927C, 0x9214, 0xA214, 0xA001, 0xA002, 0xA003, 0xA005}
# A JPEG has room for 64 KiB.
_MAX_EXIF = 65_000
_INCH = 2
_UNITS = {_INCH: 1.0, 3: 2.54}  # of a resolution, in inches: per inch, per centimeter


class Metadata(NamedTuple):
    """What is known of a picture besides its pixels.

    Attributes:
        dpi: resolution, horizontal and vertical, in pixels per inch; None if unknown.
        exif: EXIF data, beginning with b"Exif", without orientation, thumbnail and place.
    """

    dpi: tuple[float, float] | None = None
    exif: bytes = b""


def of(image: Image.Image) -> tuple[Metadata | None, tuple[str, ...]]:
    """The metadata of an image that Pillow has opened, if it has some; and what is left out."""
    try:
        tags = image.getexif()
        kept, dpi = _kept(tags), _resolution(image, tags)
        exif = kept.tobytes() if kept else b""
        problem = f"have more than {_MAX_EXIF} bytes" if len(exif) > _MAX_EXIF else ""
    except Exception:  # broken EXIF data does not make the picture unreadable
        exif, dpi, problem = b"", _resolution(image, {}), "are broken"
    notices = (f"its EXIF data {problem} and are left out",) if problem else ()
    found = Metadata(dpi, b"" if problem else exif)
    return None if found == Metadata() else found, notices


def with_resolution(metadata: Metadata) -> bytes:
    """The EXIF data with the resolution in it, for files that have no other place for it."""
    tags = _kept(_tags(metadata))
    if metadata.dpi:
        tags[_TAG.XResolution], tags[_TAG.YResolution] = metadata.dpi
        tags[_TAG.ResolutionUnit] = _INCH
    return tags.tobytes() if tags else b""


def texts(metadata: Metadata) -> dict[int, bytes]:
    """The texts about the picture as a whole, by tag; a TIFF has no simple place for the others."""
    kept = _kept(_tags(metadata))
    return {tag: text.encode() for tag, text in kept.items() if isinstance(text, _Text)}


def _tags(metadata: Metadata) -> Image.Exif:
    tags = Image.Exif()
    if metadata.exif:
        tags.load(metadata.exif)
    return tags


def _resolution(image: Image.Image, tags: Mapping[int, Any]) -> tuple[float, float] | None:
    dpi = image.info.get("dpi")
    # Without a density in its header Pillow takes a JPEG's from the EXIF data, or invents one.
    if image.format in ("JPEG", "MPO") and image.info.get("jfif_unit") not in (1, 2):
        dpi = None
    unit = _UNITS.get(tags.get(_TAG.ResolutionUnit, _INCH))
    if dpi is None and unit and _TAG.XResolution in tags:
        dpi = [float(tags[tag]) * unit for tag in (_TAG.XResolution, _TAG.YResolution)]
    if dpi is None:
        return None
    horizontal, vertical = float(dpi[0]), float(dpi[1])
    fits = all(math.isfinite(x) and 1 <= x <= 65535 for x in (horizontal, vertical))
    return (horizontal, vertical) if fits else None


def _kept(tags: Image.Exif) -> Image.Exif:
    kept = Image.Exif()
    kept.update({tag: _writable(tags[tag]) for tag in _KEPT if tag in tags})
    exposure = tags.get_ifd(ExifTags.IFD.Exif).items()
    if found := {tag: _writable(value) for tag, value in exposure if tag not in _DROPPED}:
        kept[ExifTags.IFD.Exif] = found
    return kept


class _Text(str):
    """A text of EXIF data: Pillow reads its bytes as Latin-1, but would write ASCII."""

    def encode(self, *_: Any) -> bytes:
        return super().encode("latin-1")


def _writable(value: Any) -> Any:
    return _Text(value) if isinstance(value, str) else value
