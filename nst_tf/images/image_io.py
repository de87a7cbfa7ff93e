"""Picture files to float arrays and back."""

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from nst_tf import files
from nst_tf.errors import InputError
from nst_tf.images import png_text, sixteen_bit
from nst_tf.images.codecs import decode
from nst_tf.images.color_profiles import to_srgb
from nst_tf.images.pixels import Samples, quantise, unit

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383}


class Picture(NamedTuple):
    """A picture in memory.

    Attributes:
        rgb: float32 [H, W, 3], sRGB in [0, 1]; what lies under transparent pixels is kept.
        alpha: float32 [H, W] in [0, 1], 1 is opaque; None where the file has no transparency.
        bits: 8 or 16, how deep the colours are.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    bits: int


def read(path: str | os.PathLike, data: bytes | None = None) -> Picture:
    """Read a JPEG, PNG, WebP, TIFF, BMP or GIF file (the first frame or page).

    The picture is turned upright as its EXIF orientation says, and converted to sRGB from its
    ICC profile, or from CMYK. That conversion works in 8 bits: a 16-bit picture in another colour
    space than sRGB comes back with `bits` 8. So does a 16-bit colour TIFF whose compression
    tifffile cannot undo by itself (LZW, unless the package imagecodecs is installed).

    Args:
        path: the file; its content decides the format, not its extension.
        data: the content, where it is at hand; the path is a name for messages then.

    Returns:
        The picture; `alpha` is an array, even if all opaque, where the file has transparency.

    Raises:
        InputError: there is no such file, or it cannot be read, or it is not a whole picture of a
            known kind, or it has more than 300 megapixels.
    """
    path = Path(path)
    with _open(path) if data is None else io.BytesIO(data) as file:
        if not file.read(1):
            raise InputError(
                f"{path}: is empty (0 bytes); expected a picture; save or download it again"
            )
        samples = decode(path, file)
    return _finish(samples)


def load(path: str | os.PathLike) -> bytes:
    """The bytes of a picture file.

    Args:
        path: the file.

    Returns:
        What `read` takes as `data`.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    with _open(Path(path)) as file:
        return file.read()


def write(
    path: str | os.PathLike, rgb: Any, *, alpha: Any = None, bits: int = 8, note: str = ""
) -> None:
    """Write a picture; an old file of that name stays until the new one is whole.

    PNG and TIFF are lossless; JPEG and WebP have quality 95, and JPEG full colour resolution.

    Args:
        path: a file ending in .png, .jpg, .jpeg, .webp, .tif or .tiff, which decides the format.
        rgb: floats [H, W, 3], array or tensor, sRGB; clamped to [0, 1].
        alpha: floats [h, w] in [0, 1], or None; resized to H x W. JPEG leaves it out.
        bits: 8 or 16 to a sample; JPEG and WebP always have 8.
        note: ASCII, to be found again by `png_text.find`; PNG only, others leave it out.

    Raises:
        InputError: an unknown extension, an unfit array, or a place that cannot be written to.
    """
    files.replace(path, encode(rgb, path, alpha=alpha, bits=bits, note=note))


def encode(
    rgb: Any,
    path: str | os.PathLike = "picture.png",
    *,
    alpha: Any = None,
    bits: int = 8,
    note: str = "",
) -> bytes:
    """The file that `write` writes.

    Args:
        rgb: as of `write`.
        path: as of `write`; nothing is put there.
        alpha: as of `write`.
        bits: as of `write`.
        note: as of `write`.

    Returns:
        Its bytes.

    Raises:
        InputError: an unknown extension, or an unfit array.
    """
    path = Path(path)
    if bits not in (8, 16):
        raise InputError(f"{path}: bits is {bits!r}; expected 8 or 16; choose one of these")
    channels = _floats(path, "rgb", rgb, (None, None, 3))
    height, width = channels.shape[:2]
    kind = _format(path, max(height, width))
    if alpha is not None and kind != "JPEG":
        opacity = _floats(path, "alpha", alpha, (None, None))[..., np.newaxis]
        channels = np.concatenate([channels, resize(opacity, height, width)], axis=-1)
    is_deep = bits == 16 and kind in ("PNG", "TIFF")
    data = _encode(kind, quantise(channels, np.uint16 if is_deep else np.uint8))
    return png_text.put(data, note) if note and kind == "PNG" else data


def check_output(path: str | os.PathLike, long_side: int = 0) -> None:
    """Find out before a long run whether `write` will be able to write; leaves nothing on disk.

    Args:
        path: where the picture is to be; missing folders are fine if they can be made.
        long_side: of the picture, in pixels, if it is known.

    Raises:
        InputError: an unknown extension, a folder of that name, or no right to write there.
    """
    path = Path(path)
    _format(path, long_side)
    files.check(path)


def resize(image: Any, height: int, width: int) -> tf.Tensor:
    """Resize by antialiased bicubic interpolation; also inside a tf.function.

    Args:
        image: float32 [H, W, C] or [B, H, W, C], array or tensor, in [0, 1].
        height: new height in pixels.
        width: new width in pixels.

    Returns:
        A float32 tensor of the same rank, height x width, clipped to [0, 1] (bicubic
        interpolation overshoots); the input as it is if it has that size already.
    """
    image = tf.convert_to_tensor(image, tf.float32)
    size = (tf.get_static_value(height), tf.get_static_value(width))
    if None not in size and tuple(image.shape[-3:-1]) == size:
        return image
    resized = tf.image.resize(image, (height, width), "bicubic", antialias=True)
    return tf.clip_by_value(resized, 0.0, 1.0)


def _format(path: Path, long_side: int) -> str:
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path}: unknown extension {path.suffix!r}; expected one of {', '.join(FORMATS)}; "
            "add one to the name"
        )
    kind = FORMATS[path.suffix.lower()]
    if long_side > _LONGEST_SIDE.get(kind, long_side):
        raise InputError(
            f"{path}: a side of {long_side} px is too long for {kind}; expected up to "
            f"{_LONGEST_SIDE[kind]}; choose .png or .tif"
        )
    return kind


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


def _finish(samples: Samples) -> Picture:
    colors = to_srgb(samples)
    bits = 8 * colors.dtype.itemsize
    rgb = _upright(unit(colors), samples.orientation)
    if rgb.shape[-1] == 1:
        rgb = np.repeat(rgb, 3, axis=-1)
    alpha = samples.alpha
    if alpha is not None:
        alpha = _upright(unit(alpha), samples.orientation)
    return Picture(rgb, alpha, bits)


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Undo an EXIF orientation: 1 to 8, others mean upright."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _floats(path: Path, name: str, array: Any, shape: tuple[int | None, ...]) -> np.ndarray:
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
    return array.astype(np.float32)


def _encode(kind: str, samples: np.ndarray) -> bytes:
    if kind == "TIFF":
        return sixteen_bit.encode_tiff(samples)
    if samples.dtype == np.uint16:
        return sixteen_bit.encode_png(samples)
    file = io.BytesIO()
    options: dict[str, dict[str, Any]] = {
        "PNG": {},
        "JPEG": {"quality": 95, "subsampling": 0},
        # exact: keep the colours under transparent pixels
        "WEBP": {"quality": 95, "exact": True},
    }
    Image.fromarray(samples).save(file, kind, **options[kind])
    return file.getvalue()
