"""Decoded frames to sRGB arrays: color space, size, square pixels, upright."""

import logging
from typing import Any, NamedTuple

import numpy as np

from nst_tf.images import png_color
from nst_tf.images.cutout import on_white
from nst_tf.images.pixels import Size, to_float
from nst_tf.video import hdr
from nst_tf.video.frame import even_size
from nst_tf.video.pyav import fraction

_LOG = logging.getLogger(__name__)
# libswscale's flags: Lanczos, which it widens when it makes smaller; all of the color samples;
# accurate rounding; the same on each processor.
SCALING = 0x200 | 0x2000 | 0x4000 | 0x40000 | 0x80000
LIMITED_RANGE, FULL_RANGE = 1, 2
# ITU-T H.273: matrix coefficients and primaries.
BT709, _BT601_625, _BT601_525, _SMPTE240, _BT2020, _BT2020_CONSTANT = 1, 5, 6, 7, 9, 10
_DISPLAY_P3 = 12
# libswscale's names for the matrices.
_MATRICES = {
    BT709: 1, 4: 4, _BT601_625: 5, _BT601_525: 5, _SMPTE240: 7, _BT2020: 9, _BT2020_CONSTANT: 9,
}  # fmt: skip
# Films that do not say theirs: those of high definition are BT.709, as all players take them.
_SD_WIDTH, _SD_HEIGHT = 1024, 576
_WIDE = {
    _BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
    _DISPLAY_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
}


class Pixels(NamedTuple):
    """How the frames of a film become sRGB arrays."""

    size: Size  # of the array, upright
    stored_size: Size  # the same before the film's rotation
    matrix: int  # as libswscale numbers them
    color_range: int
    transfer: int
    primaries: int
    is_deep: bool  # more than 8 bits a sample
    has_alpha: bool

    def rgb(self, frame: Any) -> np.ndarray:
        """A frame of av as float32 sRGB [H, W, 3]."""
        height, width = self.stored_size
        decoded = frame.reformat(
            width=width,
            height=height,
            format=("rgba" if self.has_alpha else "rgb") + self._format_ending(),
            src_colorspace=self.matrix,
            src_color_range=self.color_range,
            dst_color_range=FULL_RANGE,
            interpolation=SCALING,
        )
        samples = upright(decoded.to_ndarray(), frame)
        alpha = to_float(samples[..., 3]) if self.has_alpha else None
        rgb = self._srgb(samples[..., :3])
        return rgb if alpha is None else on_white(rgb, alpha)

    def _format_ending(self) -> str:
        if not self.is_deep:
            return "" if self.has_alpha else "24"
        return "64le" if self.has_alpha else "48le"

    def _srgb(self, colors: np.ndarray) -> np.ndarray:
        if self.transfer in hdr.NAMES:
            return hdr.to_srgb(colors, self.transfer, is_bt2020=self.primaries == _BT2020)
        if self.primaries in _WIDE:
            space = png_color.ColorSpace(chromaticities=_WIDE[self.primaries])
            colors = png_color.to_srgb(colors, space)
        return to_float(colors)


def pixels_of(path: str, frame: Any, stream: Any, long_side: int) -> Pixels:
    """What a film's first frame and its stream tell; of HDR an info line says what is done."""
    aspect = fraction(stream.sample_aspect_ratio) or 1
    height, width = frame.height, frame.width
    if aspect > 1:
        width = round(width * aspect)
    else:
        height = round(height / aspect)
    stored = even_size(height, width, long_side)
    is_turned = _orientation(frame)[0]
    codec, name = stream.codec_context, frame.format.name
    transfer, primaries = int(codec.color_trc), int(codec.color_primaries)
    if transfer in hdr.NAMES:
        _LOG.info(
            "%s: is HDR (%s); its tones are mapped to sRGB, white at 203 cd/m² and a soft "
            "shoulder above",
            path,
            hdr.NAMES[transfer],
        )
    is_wide = transfer in hdr.NAMES or primaries in _WIDE
    depth = max(component.bits for component in frame.format.components)
    # Formats that libswscale takes as of full range, whatever the film says.
    is_full = frame.format.is_rgb or name.startswith(("yuvj", "gray", "ya", "mono", "pal"))
    return Pixels(
        size=(stored[1], stored[0]) if is_turned else stored,
        stored_size=stored,
        matrix=_MATRICES.get(int(frame.colorspace)) or _guessed_matrix(frame),
        color_range=FULL_RANGE if is_full or frame.color_range == FULL_RANGE else LIMITED_RANGE,
        transfer=transfer,
        primaries=primaries,
        is_deep=is_wide or depth > 8,
        has_alpha=any(component.is_alpha for component in frame.format.components),
    )


def upright(array: np.ndarray, frame: Any) -> np.ndarray:
    """An array [H, W, C] of a frame, turned and mirrored as its film is to be shown."""
    is_turned, is_mirrored, is_flipped = _orientation(frame)
    if is_turned:
        array = array.swapaxes(0, 1)
    if is_flipped:
        array = array[::-1]
    if is_mirrored:
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _orientation(frame: Any) -> tuple[bool, bool, bool]:
    """Whether rows and columns are exchanged; then left and right; then top and bottom.

    A display matrix takes (x, y) to (a x + c y, b x + d y), libavutil/display.h.
    """
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # before av 19, where a frame has data of a kind that it does not know
        matrix = None
    if matrix is None:
        a, b, c, d = _ROTATIONS[round(frame.rotation / 90) % 4]
    else:
        a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    if abs(b) > abs(a):
        return True, c < 0, b < 0
    return False, a < 0, d < 0


# By quarters of a turn, counterclockwise.
_ROTATIONS = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))


def _guessed_matrix(frame: Any) -> int:
    is_small = frame.width <= _SD_WIDTH and frame.height <= _SD_HEIGHT
    return _MATRICES[_BT601_525] if is_small else _MATRICES[BT709]
