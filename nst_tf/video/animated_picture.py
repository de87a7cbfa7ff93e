"""Animated GIF, WebP, APNG and AVIF as films, by Pillow."""

import functools
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from nst_tf.digests import file_sha256
from nst_tf.errors import InputError, one_line
from nst_tf.images import tiff
from nst_tf.images.color_profiles import to_srgb
from nst_tf.images.cutout import on_white
from nst_tf.images.pillow_decoder import open_image
from nst_tf.images.pixels import resize, to_float
from nst_tf.images.samples import Samples, check_size, notice
from nst_tf.video.frame import Frame, even_size
from nst_tf.video.timing import Part, Shown

_SIGNATURES = (b"GIF8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", *tiff.SIGNATURES)
_HEIF_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
# Formats of which Pillow knows how long a frame is shown before it is decoded.
_TIMED_BY_SEEK = ("GIF", "PNG")
# What browsers show frames for that have no duration.
_DEFAULT_DURATION = 100  # ms


class AnimatedPicture:
    """An animated picture, shown once; what is transparent is white."""

    lead, sound = Fraction(0), None

    def __init__(self, path: str, part: Part, long_side: int):
        """An InputError says that the file is no picture, or a still one."""
        self.path, self._part = path, part
        self.metadata: dict[str, str] = {}
        try:
            with warnings.catch_warnings(), open(path, "rb") as file:
                warnings.simplefilter("ignore")
                with open_image(file) as image:
                    width, height = image.size
                    check_size(Path(path), width, height, 4, 1)
                    self._count = getattr(image, "n_frames", 1)
                    if image.format == "TIFF":
                        self._count = 1  # pages are no film
        except InputError:
            raise
        except Exception as error:  # a damaged file can make a decoder raise anything at all
            raise InputError(
                f"{path}: is no picture, or is damaged ({one_line(error)}); expected a film or an "
                "animated picture; check that it opens, or download it again"
            ) from error
        if self._count < 2:
            raise InputError(
                f"{path}: is a still picture; expected a film or an animated picture; paint it by "
                "scripts/stylize.py"
            )
        self.size = even_size(height, width, long_side)
        times = [(each.time, each.duration) for each in part.of(self._shown(timing_only=True))]
        if not times:
            raise InputError(
                f"start={float(part.start):g}: {path} ends before that; give a smaller --start"
            )
        self.num_frames = len(times)
        self.rate = part.fps or len(times) / sum(times[-1], Fraction(0))
        self.time_base = 1 / part.fps if part.fps else Fraction(1, 1000)

    @functools.cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the file."""
        return file_sha256(self.path)

    def frames(self) -> Iterator[Frame]:
        """Decode the frames of the part, one after the other."""
        last: tuple[Samples | None, np.ndarray] = (None, np.empty(0))
        for shown in self._part.of(self._shown()):
            if shown.picture is not last[0]:
                last = shown.picture, self._rgb(shown.picture)
            yield Frame(last[1], shown.time, shown.duration)

    def _rgb(self, samples: Samples) -> np.ndarray:
        assert samples.alpha is not None
        rgb = to_float(to_srgb(Path(self.path), samples))
        return np.asarray(resize(on_white(rgb, to_float(samples.alpha)), *self.size))

    def _shown(self, timing_only: bool = False) -> Iterator[Shown]:
        time = Fraction(0)
        with warnings.catch_warnings(), open(self.path, "rb") as file:
            warnings.simplefilter("ignore")
            with open_image(file) as image:
                for number in range(_first(image), self._count):
                    try:
                        image.seek(number)
                        if image.format not in _TIMED_BY_SEEK:
                            image.load()
                        samples = None if timing_only else _samples(image)
                    except Exception:  # a decoder may raise anything at all
                        notice(
                            Path(self.path),
                            f"is damaged or ends early, in frame {number + 1} of {self._count}; "
                            "those before are taken",
                        )
                        return
                    duration = Fraction(image.info.get("duration") or _DEFAULT_DURATION)
                    duration = duration.limit_denominator(1000) / 1000
                    yield Shown(samples, time, duration)
                    time += duration


def is_picture(header: bytes) -> bool:
    """Whether a file that begins so is a picture, animated or not, and no film."""
    if header[:4] == b"RIFF":
        return header[8:12] == b"WEBP"
    if header[4:8] == b"ftyp":
        return header[8:12] in _HEIF_BRANDS
    return header.startswith(_SIGNATURES)


def _first(image: Image.Image) -> int:
    """The first frame; an APNG may have a picture before it for who shows no animations."""
    return int(bool(getattr(image, "default_image", False)))


def _samples(image: Image.Image) -> Samples:
    rgba = np.asarray(image.convert("RGBA"))
    profile = image.info.get("icc_profile")
    return Samples("RGB", rgba[..., :3], rgba[..., 3], profile=profile)
