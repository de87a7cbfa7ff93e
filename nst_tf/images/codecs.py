"""Image files to integer samples and back.

Pillow does most of it. It would halve the bits of 16-bit colours and cannot write them, so
TensorFlow decodes and encodes 16-bit PNG, and tifffile 16-bit TIFF.
"""

import contextlib
import importlib
import io
import struct
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf
import tifffile
from PIL import Image, UnidentifiedImageError

from nst_tf.errors import InputError
from nst_tf.images import jpeg_end, pillow_decoder, png_chunks, png_color, tiff
from nst_tf.images.color_profiles import srgb_profile
from nst_tf.images.metadata import Metadata, texts, with_resolution
from nst_tf.images.samples import Samples, check_size, notice, reduce, reduction

# Of JPEG, PNG and GIF; Pillow does not identify one whose header is incomplete.
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
_KINDS = "JPEG, PNG, WebP, TIFF, AVIF, BMP or GIF"
_PILLOW_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},  # exact: keep the colours under transparent pixels
}
# ISO 23008-12: brands of pictures in H.265; a file of AV1 names "avif" as well.
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# Of Matroska and WebM; and the first box of MP4 and QuickTime, behind its length.
_MATROSKA, _MP4_BOXES = b"\x1a\x45\xdf\xa3", (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_EXIF_HEADER = b"Exif\0\0"
_INCH = 0.0254  # meters
_lock = threading.Lock()


def decode(path: Path, file: BinaryIO, long_side: int = 0) -> Samples:
    """Decode the first frame or page; an InputError names `path` if the file is unfit.

    A picture may be reduced while decoding, if its long side remains at least `long_side` (0: as it
    is).
    """
    try:
        with _decoder_settings():
            samples = _decode(path, file, long_side)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # a damaged file can make a decoder raise anything at all
        raise _refusal(path, file, error) from error
    for message in samples.notices:
        notice(path, message)
    return samples


def _refusal(path: Path, file: BinaryIO, error: Exception) -> InputError:
    """What is said of a file that a decoder does not take."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        file.seek(0)
        header = file.read(12)
        if _is_film(header):
            return InputError(
                f"{path}: is a film; expected {_KINDS}; paint it by scripts/video.py, or give one "
                "of its frames"
            )
        if not header.startswith(_SIGNATURES):
            return InputError(
                f"{path}: is not a picture of a known kind; expected {_KINDS}; convert it to one "
                "of these"
            )
        reason = "in its header"
    return InputError(
        f"{path}: is damaged or cut short ({reason}); expected a whole picture; "
        "save or download it again"
    )


def _is_film(header: bytes) -> bool:
    """Whether a file that no decoder of pictures takes begins as a film."""
    if header[4:8] in _MP4_BOXES:
        return header[8:12] not in (b"avif", b"avis", *_HEIC_BRANDS)
    is_avi = header[:4] == b"RIFF" and header[8:12] == b"AVI "
    return is_avi or header.startswith(_MATROSKA)


def encode(samples: np.ndarray, file_format: str, metadata: Metadata | None = None) -> bytes:
    """Encode uint8 or, as PNG or TIFF, uint16 [H, W, 3 or 4]; TIFF is compressed without loss.

    The file says that it is sRGB.
    """
    known = metadata or Metadata()
    if file_format == "TIFF":
        return _encode_tiff(samples, known)
    if file_format == "PNG":
        return _encode_png(samples, known)
    options: dict[str, Any] = {"icc_profile": srgb_profile(), **_PILLOW_OPTIONS[file_format]}
    options["exif"] = with_resolution(known)
    if known.dpi and file_format == "JPEG":
        options["dpi"] = tuple(map(round, known.dpi))
    file = io.BytesIO()
    Image.fromarray(samples).save(file, file_format, **options)
    return file.getvalue()


def _encode_png(samples: np.ndarray, known: Metadata) -> bytes:
    if samples.dtype == np.uint16:
        png = tf.io.encode_png(samples).numpy()
    else:
        file = io.BytesIO()
        Image.fromarray(samples).save(file, "PNG")
        png = file.getvalue()
    if known.exif:
        png = png_chunks.insert(png, b"eXIf", known.exif.removeprefix(_EXIF_HEADER))
    if known.dpi:
        per_meter = (round(each / _INCH) for each in known.dpi)
        png = png_chunks.insert(png, b"pHYs", struct.pack(">IIB", *per_meter, 1))
    return png_chunks.insert(png, b"sRGB", b"\0")


def _encode_tiff(samples: np.ndarray, known: Metadata) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        samples,
        photometric="rgb",
        extrasamples=["unassalpha"] if samples.shape[-1] == 4 else None,
        compression="zlib",
        predictor=True,
        metadata=None,
        software=False,
        iccprofile=srgb_profile(),
        resolution=known.dpi,
        resolutionunit="INCH" if known.dpi else None,
        extratags=[(tag, "s", 0, text, True) for tag, text in texts(known).items()],
    )
    return file.getvalue()


@contextlib.contextmanager
def _decoder_settings() -> Iterator[None]:
    """Keep the decoders silent, and Pillow's limit of pixels out: ours is one of bytes.

    Warnings, log and limit belong to the whole process, so one thread at a time changes them and
    restores them.
    """
    log = tifffile.logger()
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = Image.MAX_IMAGE_PIXELS, log.disabled
        Image.MAX_IMAGE_PIXELS, log.disabled = None, True
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, log.disabled = old


def _decode(path: Path, file: BinaryIO, long_side: int) -> Samples:
    file.seek(0)
    header = file.read(64)
    file.seek(0)
    if header[:4] in tiff.SIGNATURES:
        return tiff.decode(path, file, long_side)
    if header.startswith(png_chunks.SIGNATURE):
        return _decode_png(path, file, long_side)
    if header[4:8] == b"ftyp" and b"avif" not in header and header[8:12] in _HEIC_BRANDS:
        _register_heif(path)
    try:
        return pillow_decoder.decode(path, file, long_side)
    except OSError:
        if header[:2] != b"\xff\xd8":
            raise
        file.seek(0)
        samples = _decode_completed_jpeg(path, file.read(), long_side)
        if samples is None:
            raise
        return samples


def _decode_completed_jpeg(path: Path, jpeg: bytes, long_side: int) -> Samples | None:
    """Decode a JPEG that lacks only its end marker; None if it lacks more."""
    found: Samples | None = None
    for completion in jpeg_end.completions(jpeg):
        samples = pillow_decoder.decode(path, io.BytesIO(completion), long_side)
        if found is not None and not np.array_equal(found.colors, samples.colors):
            return None
        found = samples
    if found is None:
        return None
    return found._replace(notices=("lacks its end marker; the picture is whole", *found.notices))


def _register_heif(path: Path) -> None:
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise InputError(
            f"{path}: is a HEIC picture; expected {_KINDS}; pip install pillow-heif, or convert it"
        ) from None


def _decode_png(path: Path, file: BinaryIO, long_side: int) -> Samples:
    chunks = png_chunks.split(file)
    if chunks.bits == 16:
        with pillow_decoder.open_image(chunks.file) as image:
            samples = _decode_png16(path, chunks.file, image, long_side)
            samples = pillow_decoder.with_info(samples, image)
    else:
        samples = pillow_decoder.decode(path, chunks.file, long_side)
    space = png_color.from_cicp(path, chunks.side)
    profile = chunks.profile(path) if space is None else None
    if space is None and profile is None:
        space = png_color.from_gamma(path, chunks.side)
    notices = chunks.notices + samples.notices
    return samples._replace(profile=profile, color_space=space, notices=notices)


def _decode_png16(path: Path, file: BinaryIO, image: Image.Image, long_side: int) -> Samples:
    """Decode a PNG whose header Pillow has opened, which may name a transparent color (tRNS)."""
    factor = reduction(*image.size, long_side)
    check_size(path, *image.size, 8, factor)
    file.seek(0)
    data = file.read()
    # TensorFlow would find that out too, but say so on stderr as well.
    if b"IEND" not in data:
        raise ValueError("its end is missing")
    samples = tf.io.decode_png(data, dtype=tf.uint16).numpy()
    mode, count = ("L", 1) if samples.shape[-1] < 3 else ("RGB", 3)
    transparent = image.info.get("transparency")

    def rows(top: int, bottom: int) -> Samples:
        strip = samples[top:bottom]
        colors, alpha = strip[..., :count], None
        if samples.shape[-1] > count:
            alpha = strip[..., count]
        elif transparent is not None:
            alpha = np.where((colors == transparent).all(axis=-1), 0, 65535).astype(np.uint16)
        return Samples(mode, colors, alpha)

    return reduce(rows, len(samples), factor)
