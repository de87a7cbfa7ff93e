"""Image files to float32 sRGB arrays and back."""

import io
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf import atomic_files
from nst_tf.errors import InputError
from nst_tf.images import codecs, png_text
from nst_tf.images.color_profiles import to_srgb
from nst_tf.images.cutout import VISIBLE, fill_hidden, on_white
from nst_tf.images.metadata import Metadata
from nst_tf.images.pixels import ImageLike, resize, to_float, to_uint
from nst_tf.images.samples import Samples, reduce

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
# What files that can be read are called, those of HEIF only where pillow-heif is installed.
HEIF_EXTENSIONS = (".heic", ".heif")
READ_EXTENSIONS = (*FORMATS, ".jpe", ".jfif", ".bmp", ".gif", ".avif", *HEIF_EXTENSIONS)
_MAX_SIDE = {"JPEG": 65500, "WEBP": 16383}
# A picture whose most opaque pixel has less is invisible; a mask would be black.
_TRANSPARENT = 1 / 32
# Long side, up to twice that, at which hidden colors are made of visible ones.
_FILL_SIDE = 512


class Picture(NamedTuple):
    """A picture in memory.

    Attributes:
        rgb: float32 [H, W, 3], sRGB in [0, 1]; transparent pixels have the colors of visible ones
            around them.
        alpha: float32 [H, W] in [0, 1], 1 is opaque; None where the file has no transparency.
        bits: 8 or 16 per sample.
        metadata: resolution and EXIF data, without the place; None where the file has none.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    bits: int
    metadata: Metadata | None = None


def read(path: str | os.PathLike, data: bytes | None = None, *, long_side: int = 0) -> Picture:
    """Read a JPEG, PNG, WebP, TIFF, AVIF, BMP or GIF file (the first frame or page).

    HEIC is read where the package pillow-heif is installed. Of a TIFF whose first page is a
    thumbnail, as a camera's raw file, the full picture is taken.

    The picture is turned upright by its EXIF orientation and converted to sRGB from its ICC
    profile, from CMYK, or from the gamma, primaries or cICP of a PNG. The conversion from a profile
    works in 8 bits: a 16-bit picture in another colour space comes back with `bits` 8. So does a
    16-bit colour TIFF whose compression tifffile cannot undo (LZW, unless the package imagecodecs
    is installed). What of a file is left out is logged as a warning.

    Args:
        path: the file; its content decides the format, not its extension.
        data: the content if it is in memory already; then the path only names it in messages.
        long_side: the long side that is needed; one of at least four times as many pixels may be
            reduced while decoding, to no less than twice as many. 0: nothing is reduced.

    Returns:
        The picture; `alpha` is an array, even if all opaque, where the file has transparency.

    Raises:
        InputError: the file is missing, unreadable, damaged, of an unknown format, all
            transparent, or takes more than 3.6 GB (300 megapixels after the reduction).
    """
    path = Path(path)
    with _open(path) if data is None else io.BytesIO(data) as file:
        if not file.read(1):
            raise InputError(
                f"{path}: is empty (0 bytes); expected a picture; save or download it again"
            )
        samples = codecs.decode(path, file, long_side)
    colors, alpha = to_srgb(path, samples), samples.alpha
    bits = 8 * colors.dtype.itemsize
    rgb = _upright(to_float(colors), samples.orientation)
    if rgb.shape[-1] == 1:
        rgb = np.repeat(rgb, 3, axis=-1)
    if alpha is not None:
        alpha = _upright(to_float(alpha), samples.orientation)
        _fill_hidden(path, rgb, alpha)
    return Picture(rgb, alpha, bits, samples.metadata)


def load(path: str | os.PathLike) -> bytes:
    """The bytes of an image file, which `read` takes as `data`; InputError if it cannot be read."""
    with _open(Path(path)) as file:
        return file.read()


def write(
    path: str | os.PathLike,
    rgb: ImageLike,
    *,
    alpha: ImageLike | None = None,
    bits: int = 8,
    note: str = "",
    metadata: Metadata | None = None,
) -> None:
    """Write a picture; an old file of that name stays until the new one is whole.

    PNG and TIFF are lossless; JPEG and WebP have quality 95, and JPEG full colour resolution. The
    file says that it is sRGB.

    Args:
        path: the file; its extension (.png, .jpg, .jpeg, .webp, .tif, .tiff) decides the format.
        rgb: floats [H, W, 3], array or tensor, sRGB; clamped to [0, 1].
        alpha: floats [h, w] in [0, 1], or None; resized to H x W. JPEG shows it on white.
        bits: 8 or 16 per sample; JPEG and WebP always have 8.
        note: ASCII text that `png_text.read` reads; PNG only, others leave it out.
        metadata: resolution and EXIF data, as of a Picture; of the latter TIFF has the texts only.

    Raises:
        InputError: an unknown extension, an unfit array, or a path that cannot be written to.
    """
    data = encode(rgb, path, alpha=alpha, bits=bits, note=note, metadata=metadata)
    atomic_files.replace(path, data)


def encode(
    rgb: ImageLike,
    path: str | os.PathLike = "picture.png",
    *,
    alpha: ImageLike | None = None,
    bits: int = 8,
    note: str = "",
    metadata: Metadata | None = None,
) -> bytes:
    """The bytes of the file that `write` writes to `path`."""
    path = Path(path)
    if bits not in (8, 16):
        raise InputError(f"{path}: bits is {bits!r}; expected 8 or 16; choose one of these")
    channels = _floats(path, "rgb", rgb, (None, None, 3))
    height, width = channels.shape[:2]
    file_format = _format(path, max(height, width))
    if alpha is not None:
        opacity = _floats(path, "alpha", alpha, (None, None))[..., np.newaxis]
        opacity = resize(opacity, height, width).numpy()
        if file_format == "JPEG":
            channels = on_white(channels, opacity)
        else:
            channels = np.concatenate([channels, opacity], axis=-1)
    is_sixteen_bit = bits == 16 and file_format in ("PNG", "TIFF")
    samples = to_uint(channels, np.uint16 if is_sixteen_bit else np.uint8)
    data = codecs.encode(samples, file_format, metadata)
    return png_text.insert(data, note) if note and file_format == "PNG" else data


def check_output(path: str | os.PathLike, long_side: int = 0) -> None:
    """Check before a run that `write` will be able to write; leaves nothing on disk."""
    path = Path(path)
    atomic_files.check(path)
    _format(path, long_side)


def _format(path: Path, long_side: int) -> str:
    if path.suffix.lower() not in FORMATS:
        problem = f"unknown extension {path.suffix!r}" if path.suffix else "no extension"
        advice = "change it" if path.suffix else "add one to the name"
        raise InputError(f"{path}: {problem}; expected one of {', '.join(FORMATS)}; {advice}")
    file_format = FORMATS[path.suffix.lower()]
    if long_side > _MAX_SIDE.get(file_format, long_side):
        raise InputError(
            f"{path}: a side of {long_side} px is too long for {file_format}; expected up to "
            f"{_MAX_SIDE[file_format]}; choose .png or .tif"
        )
    return file_format


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; expected a picture; check the name") from error
    except IsADirectoryError as error:
        raise InputError(
            f"{path}: is a folder; expected a picture; give the name of a file in it"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: cannot be opened ({reason}); expected a picture you may read; "
            "check its name and permissions"
        ) from error


def _fill_hidden(path: Path, rgb: np.ndarray, alpha: np.ndarray) -> None:
    """Give transparent pixels the colors of visible ones, in place."""
    if alpha.max() < _TRANSPARENT:
        raise InputError(
            f"{path}: is all transparent; expected a picture with something to see; remove its "
            "alpha channel"
        )
    hidden = alpha < VISIBLE
    if not hidden.any():
        return

    def rows(top: int, bottom: int) -> Samples:
        colors, opacity = (to_uint(each[top:bottom], np.uint16) for each in (rgb, alpha))
        return Samples("RGB", colors, opacity)

    # Reduced, as it takes some 100 bytes a pixel.
    small = reduce(rows, len(rgb), max(1, max(alpha.shape) // _FILL_SIDE))
    assert small.alpha is not None
    filled = fill_hidden(to_float(small.colors), to_float(small.alpha))
    np.copyto(rgb, tf.image.resize(filled, alpha.shape), where=hidden[..., np.newaxis])


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Undo an EXIF orientation: 1 to 8, others mean upright."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _floats(path: Path, name: str, array: ImageLike, shape: tuple[int | None, ...]) -> np.ndarray:
    array = np.asarray(array)
    fits = array.ndim == len(shape) and array.size > 0 and shape[2:] == array.shape[2:]
    if not fits or not np.issubdtype(array.dtype, np.floating):
        expected = "[H, W, 3]" if len(shape) == 3 else "[H, W]"
        raise InputError(
            f"{path}: {name} is {array.dtype} {list(array.shape)}; expected floats in [0, 1], "
            f"{expected}; convert it"
        )
    if np.isnan(array).any():
        raise InputError(
            f"{path}: {name} holds values that are not numbers (NaN); expected [0, 1]; "
            "if optimisation ran away, lower its learning rate"
        )
    return array.astype(np.float32, copy=False)
