"""Colours of a PNG that names their space in chunks (gAMA, cHRM, cICP), to sRGB."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst_tf.images.pixels import to_float, to_uint
from nst_tf.images.samples import notice

Chromaticities = tuple[tuple[float, float], ...]  # x and y of red, green, blue and white

_D65 = (0.3127, 0.3290)
_SRGB: Chromaticities = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65)
# ITU-T H.273, tables 2 and 3. The curve of BT.709 is shown as sRGB's by all viewers.
_PRIMARIES: dict[int, Chromaticities] = {
    1: _SRGB,
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
_EXPONENTS = {1: None, 4: 2.2, 5: 2.8, 6: None, 8: 1.0, 13: None, 14: None, 15: None}
# Cone responses of Bradford's adaptation to another white (ICC.1:2022, annex E).
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_SRGB_GAMMA = 0.45455
_STRIP = 256  # rows that are converted at a time


class ColorSpace(NamedTuple):
    """A space of RGB colours."""

    exponent: float | None = None  # of light over sample value; None for sRGB's curve
    chromaticities: Chromaticities = _SRGB


def from_cicp(path: Path, chunks: Mapping[bytes, bytes]) -> ColorSpace | None:
    """The space that a cICP chunk names, which counts more than a profile; None if unknown."""
    if len(chunks.get(b"cICP", b"")) != 4:
        return None
    primaries, transfer, matrix, full_range = chunks[b"cICP"]
    if primaries in _PRIMARIES and transfer in _EXPONENTS and (matrix, full_range) == (0, 1):
        return ColorSpace(_EXPONENTS[transfer], _PRIMARIES[primaries])
    kind = {16: "PQ", 18: "HLG"}.get(transfer, f"cICP {primaries},{transfer}")
    notice(path, f"its color space ({kind}) is not known and is left out")
    return None


def from_gamma(path: Path, chunks: Mapping[bytes, bytes]) -> ColorSpace | None:
    """The space of a PNG without a profile by its gAMA and cHRM chunks; None is sRGB."""
    if b"sRGB" in chunks:
        return None
    exponent, chromaticities = None, _SRGB
    if len(chunks.get(b"gAMA", b"")) == 4:
        gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000
        if not 0.1 <= gamma <= 5:
            notice(path, f"its gamma of {gamma:g} is not plausible; it is taken as sRGB")
            return None
        exponent = None if abs(gamma - _SRGB_GAMMA) < 0.005 else 1 / gamma
    if len(chunks.get(b"cHRM", b"")) == 32:
        numbers = np.array(struct.unpack(">8I", chunks[b"cHRM"]))
        chromaticities = _chromaticities(path, numbers)
    return ColorSpace(exponent, chromaticities)


def to_srgb(colors: np.ndarray, space: ColorSpace) -> np.ndarray:
    """Integer colours [H, W, 1 or 3] of a space in sRGB, of the same type."""
    if space == ColorSpace():
        return colors
    levels = to_float(np.arange(np.iinfo(colors.dtype).max + 1).astype(colors.dtype))
    exponent = space.exponent
    light = _srgb_light(levels) if exponent is None else levels**exponent
    if colors.shape[-1] == 1 or space.chromaticities == _SRGB:
        return to_uint(_encode(light), colors.dtype.type)[colors]
    matrix = np.linalg.solve(_to_xyz(_SRGB), _to_xyz(space.chromaticities)).astype(np.float32)
    result = np.empty_like(colors)
    for top in range(0, len(colors), _STRIP):
        rows = slice(top, top + _STRIP)
        result[rows] = to_uint(_encode(light[colors[rows]] @ matrix.T), colors.dtype.type)
    return result


def _chromaticities(path: Path, numbers: np.ndarray) -> Chromaticities:
    """Of a cHRM chunk, which begins with white; sRGB's if they are meant or make no sense."""
    pairs = np.roll(numbers.reshape(4, 2) / 100_000, -1, axis=0)
    if np.abs(pairs - _SRGB).max() < 0.002:
        return _SRGB
    found = tuple((float(x), float(y)) for x, y in pairs)
    corners = np.array([[x, y, 1 - x - y] for x, y in found[:3]])
    if pairs.min() <= 0 or pairs.sum(axis=1).max() > 1 or abs(np.linalg.det(corners)) < 0.01:
        notice(path, "its primaries make no sense; those of sRGB are taken")
        return _SRGB
    return found


def _to_xyz(chromaticities: Chromaticities) -> np.ndarray:
    """The matrix from linear RGB to XYZ, whose white is D65."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in (*chromaticities, _D65)]).T
    matrix = xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3])
    cones = _BRADFORD @ xyz[:, 3:]
    return (
        np.linalg.solve(_BRADFORD, (cones[:, 1] / cones[:, 0])[:, np.newaxis] * _BRADFORD) @ matrix
    )


def _srgb_light(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _encode(light: np.ndarray) -> np.ndarray:
    """Linear light to sRGB, IEC 61966-2-1."""
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
