"""High dynamic range to sRGB: PQ and HLG, ITU-R BT.2100, by a soft shoulder in linear light.

Reference white is 203 cd/m² (ITU-R BT.2408) and becomes nearly white; what is brighter is
compressed smoothly, the three channels by one factor, so that hues stay.
"""

import functools

import numpy as np

from nst_tf.images.pixels import to_float

# Transfer characteristics, ITU-T H.273.
PQ, HLG = 16, 18
NAMES = {PQ: "PQ", HLG: "HLG"}
_LEVELS = 65536
_REFERENCE_WHITE, _PQ_PEAK, _HLG_PEAK = 203.0, 10_000.0, 1000.0  # cd/m²
# Below the knee light stays as it is; sRGB's white is approached above it.
_KNEE = 0.75
_HLG_GAMMA = 1.2
_LUMINANCE_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
# ITU-R BT.2087, linear light of BT.2020's primaries in those of BT.709.
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)


def to_srgb(samples: np.ndarray, transfer: int, *, is_bt2020: bool = True) -> np.ndarray:
    """Samples uint16 [H, W, 3] of full range, `transfer` PQ or HLG, as float32 sRGB in [0, 1]."""
    light = _light(transfer)[samples]  # 1 is reference white
    if transfer == HLG:
        # The OOTF: from the light of the scene to that of a display of 1000 cd/m².
        luminance = light @ _LUMINANCE_2020
        light *= (luminance ** (_HLG_GAMMA - 1))[..., np.newaxis]
        light *= np.float32(_HLG_PEAK / _REFERENCE_WHITE)
    if is_bt2020:
        light = np.maximum(light @ _TO_709.T, 0)
    brightest = light.max(axis=-1, keepdims=True)
    light *= _shoulder(brightest) / np.maximum(brightest, np.float32(1e-6))
    return _srgb_codes()[(light * (_LEVELS - 1) + 0.5).astype(np.uint16)]


def _shoulder(light: np.ndarray) -> np.ndarray:
    """From the knee on an exponential approach to 1, with the slope 1 at the knee."""
    above = np.maximum(light - _KNEE, 0) / (1 - _KNEE)
    return np.minimum(light, _KNEE) + (1 - _KNEE) * (1 - np.exp(-above))


@functools.cache
def _light(transfer: int) -> np.ndarray:
    """Light of each sample value: of PQ as a multiple of reference white, of HLG the scene's."""
    signal = to_float(np.arange(_LEVELS).astype(np.uint16)).astype(np.float64)
    if transfer == PQ:
        m1, m2 = 2610 / 16384, 2523 / 4096 * 128
        c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
        root = signal ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
        return (light * _PQ_PEAK / _REFERENCE_WHITE).astype(np.float32)
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return light.astype(np.float32)


@functools.cache
def _srgb_codes() -> np.ndarray:
    """The sRGB value of each of 65536 levels of light, IEC 61966-2-1."""
    light = to_float(np.arange(_LEVELS).astype(np.uint16))
    return np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    ).astype(np.float32)
