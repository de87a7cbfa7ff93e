"""TIFF files: 16 bits by tifffile, and the full picture where the first is a thumbnail."""

import io
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import tifffile
from PIL import Image

from nst_tf.errors import InputError
from nst_tf.images import metadata, pillow_decoder
from nst_tf.images.samples import Samples, check_size, pages_notice, reduce, reduction

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION_TAG, _PROFILE_TAG, _DNG_TAG = 274, 34675, 50706
_JPEG_START_TAG, _JPEG_LENGTH_TAG = 513, 514
_JPEG_COMPRESSIONS = (6, 7)
_ASSOCIATED, _UNASSOCIATED = 1, 2
# Photometric interpretation: our mode and the number of color samples; those of a camera's sensor.
_COLORS = {0: ("L", 1), 1: ("L", 1), 2: ("RGB", 3), 5: ("CMYK", 4)}
_YCBCR, _SENSOR = 6, (32803, 34892)
# A picture is full if the largest in the file is not larger than that.
_MARGIN = 1.25
# A file of a camera has fewer.
_MAX_DIRECTORIES = 16
_REDUCED, _MASK = 1, 4
# How much smaller than its pixels a page can be, by compression: none, LZW, deflate (twice).
_MAX_RATIOS = {1: 1, 5: 2730, 8: 1032, 32946: 1032}


class _Directory(NamedTuple):
    page: Any  # tifffile.TiffPage
    number: int | None  # in the file; None for one that a page contains
    area: int  # pixels


def decode(path: Path, file: BinaryIO, long_side: int) -> Samples:
    """Decode the first page, or the full picture where the first is its thumbnail."""
    with tifffile.TiffFile(file) as tiff:
        directories = list(itertools.islice(_directories(file, tiff), _MAX_DIRECTORIES))
        chosen = _full_picture(path, directories)
        is_first = chosen is directories[0]
        samples = _decode(path, file, chosen, is_first, long_side)
        if not is_first and _ORIENTATION_TAG not in chosen.page.tags:  # cameras turn the thumbnail
            orientation = directories[0].page.tags.valueof(_ORIENTATION_TAG, 1)
            samples = samples._replace(orientation=orientation)
        return samples._replace(notices=samples.notices + _pages_notice(tiff, directories))


def _decode(
    path: Path, file: BinaryIO, chosen: _Directory, is_first: bool, long_side: int
) -> Samples:
    page = chosen.page
    if not is_first and (jpeg := _embedded_jpeg(file, page)):
        samples = pillow_decoder.decode(path, io.BytesIO(jpeg), long_side)
        return samples._replace(orientation=page.tags.valueof(_ORIENTATION_TAG, 1))
    _check_whole(page)
    is_known = (
        page.compression in tifffile.TIFF.DECOMPRESSORS
        and page.predictor in tifffile.TIFF.UNPREDICTORS
    )
    if page.bitspersample > 8 or not is_first:
        _check_samples(path, page)
        # Pillow's libtiff knows more compressions, and keeps the 16 bits at least of grey.
        if is_known:
            samples = _from_tifffile(path, page, long_side)
            found, notices = _metadata(file)
            return samples._replace(metadata=found, notices=notices)
    if chosen.number is None:
        raise _camera_raw(path)
    file.seek(0)
    return pillow_decoder.decode(path, file, long_side, frame=chosen.number)


def _directories(file: BinaryIO, tiff: tifffile.TiffFile) -> Iterator[_Directory]:
    """The pages, each followed by those that it contains."""
    try:
        for number, page in enumerate(tiff.pages):
            yield _Directory(page, number, _area(file, page))
            if page.subifds:  # type: ignore[union-attr]
                for part in page.pages:  # type: ignore[union-attr]
                    yield _Directory(part, None, _area(file, part))
    except Exception:  # the first is there, whatever follows
        return


def _full_picture(path: Path, directories: list[_Directory]) -> _Directory:
    """The first page, or, where it is a thumbnail, the largest that can be painted."""
    if not directories:
        raise ValueError("it has no page")
    first = directories[0]
    largest = max(each.area for each in directories)
    is_thumbnail = (
        first.page.subfiletype & _REDUCED
        or any(each.area > first.area and each.number is None for each in directories)
        or any(
            each.page.photometric in _SENSOR or _DNG_TAG in each.page.tags for each in directories
        )
    )
    if first.page.photometric not in _SENSOR:
        if not is_thumbnail or largest <= _MARGIN * first.area:
            return first
    # A sensor's samples are often called grey.
    paintable = {2, _YCBCR, 5} | ({0, 1} if first.page.photometric in (0, 1) else set())
    for each in sorted(directories, key=lambda each: each.area, reverse=True):
        is_paintable = each.page.photometric in paintable or _JPEG_START_TAG in each.page.tags
        if is_paintable and _MARGIN * each.area >= largest:
            return each
    raise _camera_raw(path)


def _camera_raw(path: Path) -> InputError:
    return InputError(
        f"{path}: is a camera's raw file; expected a developed picture; export it as JPEG or TIFF"
    )


def _area(file: BinaryIO, page: Any) -> int:
    """Number of pixels; a camera may give it only within the JPEG that it embeds."""
    if page.imagewidth and page.imagelength:
        return page.imagewidth * page.imagelength
    try:
        with pillow_decoder.open_image(io.BytesIO(_embedded_jpeg(file, page))) as image:
            return image.width * image.height
    except Exception:  # no picture of a known kind
        return 0


def _embedded_jpeg(file: BinaryIO, page: Any) -> bytes:
    """The JPEG file that is all of a page; empty if it is none."""
    # Tuples, of one number in a file of one piece.
    starts, lengths = (
        np.ravel(page.tags.valueof(tag, ())) for tag in (_JPEG_START_TAG, _JPEG_LENGTH_TAG)
    )
    if starts.size and lengths.size:
        start, length = int(starts[0]), int(lengths[0])
    elif page.compression in _JPEG_COMPRESSIONS and len(page.dataoffsets) == 1:
        start, length = page.dataoffsets[0], page.databytecounts[0]
    else:
        return b""
    file.seek(start)
    data = file.read(length)
    return data if data[:2] == b"\xff\xd8" else b""


def _pages_notice(tiff: tifffile.TiffFile, directories: list[_Directory]) -> tuple[str, ...]:
    try:
        count = len(tiff.pages)
    except Exception:  # the first is there, whatever follows
        return ()
    pages = [each.page for each in directories if each.number is not None]
    return pages_notice(count - sum(bool(page.subfiletype & (_REDUCED | _MASK)) for page in pages))


def _check_whole(page: Any) -> None:
    """Refuse a page that says it is larger than what it holds; Pillow would fill it with black."""
    ratio = _MAX_RATIOS.get(page.compression)
    if ratio and page.photometric != _YCBCR:  # which may be subsampled
        row = math.ceil(page.imagewidth * page.samplesperpixel * page.bitspersample / 8)
        if sum(page.databytecounts) * ratio < row * page.imagelength:
            raise ValueError("some of its pixels are missing")


def _check_samples(path: Path, page: Any) -> None:
    if page.dtype not in (np.uint8, np.uint16) or page.bitspersample not in (8, 16):
        raise InputError(
            f"{path}: has samples of {page.bitspersample} bits ({page.dtype or 'unknown'}); "
            "expected unsigned integers of 8 or 16 bits; convert it"
        )


def _metadata(file: BinaryIO) -> tuple[metadata.Metadata | None, tuple[str, ...]]:
    try:
        file.seek(0)
        with Image.open(file, formats=["TIFF"]) as image:
            return metadata.of(image)
    except Exception:  # Pillow does not know all of what tifffile knows
        return None, ()


def _from_tifffile(path: Path, page: Any, long_side: int) -> Samples:
    mode, count = _COLORS.get(page.photometric, ("", 0))
    planes, depth, height, width, contiguous = page.shaped
    if not mode or depth != 1 or planes * contiguous < count:
        raise InputError(
            f"{path}: has {planes * contiguous} samples to a pixel, {page.photometric!r}, depth "
            f"{depth}; expected grey, RGB or CMYK, depth 1; convert it"
        )
    factor = reduction(width, height, long_side)
    check_size(path, width, height, planes * contiguous * page.dtype.itemsize, factor)
    # One of `planes` (planar layout) and `contiguous` is 1.
    samples = page.asarray().reshape(planes, height, width, contiguous).transpose(1, 2, 0, 3)

    def rows(top: int, bottom: int) -> Samples:
        strip = samples[top:bottom].reshape(bottom - top, width, -1)
        return _separate(mode, count, strip, page)

    found = reduce(rows, height, factor)
    profile = page.tags.valueof(_PROFILE_TAG)
    return found._replace(profile=profile, orientation=page.tags.valueof(_ORIENTATION_TAG, 1))


def _separate(mode: str, count: int, samples: np.ndarray, page: Any) -> Samples:
    """Colors and alpha of [H, W, C]."""
    colors, alpha = samples[..., :count], None
    largest = np.iinfo(samples.dtype).max
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        colors = largest - colors
    if page.extrasamples and page.extrasamples[0] in (_ASSOCIATED, _UNASSOCIATED):
        alpha = samples[..., count]
        if page.extrasamples[0] == _ASSOCIATED:
            # Colours multiplied by alpha already: divide it out.
            straight = colors * (float(largest) / np.maximum(alpha, 1)[..., np.newaxis])
            colors = np.minimum(straight + 0.5, largest).astype(samples.dtype)
    return Samples(mode, colors, alpha)
