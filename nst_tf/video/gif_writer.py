"""Animated GIF, frame by frame, with colors that do not flicker.

A palette stays as long as it does for the frames that come, as within a shot. Colors between are
dithered by a fixed pattern: error diffusion would boil where nothing moves.
"""

import math
import struct
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from PIL import GifImagePlugin, Image

from nst_tf.images.pixels import to_uint
from nst_tf.video.frame import Frame

MAX_SIDE = 65535
_NUM_COLORS = 255
_UNCHANGED = 255  # the index of pixels that stay as they are
_KEEP_FRAME = 1  # disposal: the next one is drawn over it
_LOOP_FOREVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
# A palette is replaced where a new one had this much less error, mean squared, and it is visible.
_MAX_RATIO, _VISIBLE = 1.5, 12.0
# Pixels of a frame, each way, by which palettes are compared.
_STEP = 3
# Browsers show what is shorter for a tenth of a second; the field has 16 bits.
_MIN_TICKS, _MAX_TICKS = 2, 2**16 - 1
_SECOND = 100  # ticks


def write(file: BinaryIO, frames: Iterable[Frame]) -> None:
    """Write frames of one size into a file."""
    ticks = 0
    painter: _Painter | None = None
    for frame in frames:
        rgb = to_uint(frame.rgb, np.uint8)
        if painter is None:
            height, width = rgb.shape[:2]
            file.write(b"GIF89a" + struct.pack("<2H3B", width, height, 0x70, 0, 0) + _LOOP_FOREVER)
            painter = _Painter()
        # Rounded times, not durations, so that the film does not become longer or shorter.
        end = round((frame.time + frame.duration) * _SECOND)
        lasts = min(max(end - ticks, _MIN_TICKS), _MAX_TICKS)
        file.write(painter.frame(rgb, lasts))
        ticks = max(ticks + lasts, end)
    file.write(b";")


class _Painter:
    """Frames as blocks of a GIF: what has changed, in the colors of the palette at hand."""

    def __init__(self) -> None:
        self._palette: Image.Image | None = None
        self._own_error, self._spread = 0.0, 0.0
        self._shown: np.ndarray | None = None

    def frame(self, rgb: np.ndarray, ticks: int) -> bytes:
        """The block of a frame uint8 [H, W, 3] that is shown for so many hundredths of a second."""
        self._fit_palette(rgb)
        assert self._palette is not None
        indices = _nearest(_dithered(rgb, self._spread), self._palette)
        changed = None if self._shown is None else indices != self._shown
        self._shown = indices
        top, left = 0, 0
        if changed is not None:
            rows, columns = _bounds(changed.any(axis=1)), _bounds(changed.any(axis=0))
            top, left = rows.start, columns.start
            indices = np.where(changed, indices, _UNCHANGED)[rows, columns]
        image = Image.frombytes("P", indices.shape[::-1], indices.astype(np.uint8).tobytes())
        image.putpalette(self._palette.getpalette() or [])
        options: dict[str, Any] = {"duration": 10 * ticks, "disposal": _KEEP_FRAME}
        if changed is not None:
            options["transparency"] = _UNCHANGED
        blocks = GifImagePlugin.getdata(image, (left, top), include_color_table=True, **options)
        return b"".join(blocks)

    def _fit_palette(self, rgb: np.ndarray) -> None:
        """Keep the palette, or take a new one where that is much better."""
        sample = np.ascontiguousarray(rgb[::_STEP, ::_STEP])
        error = math.inf if self._palette is None else _error(sample, self._palette)
        if error <= max(_MAX_RATIO * self._own_error, _VISIBLE):
            return
        own = _make_palette(sample)
        self._own_error = _error(sample, own)
        if error > max(_MAX_RATIO * self._own_error, _VISIBLE):
            self._palette, self._shown = own, None
            self._spread = 2 * math.sqrt(self._own_error / 3)


def _make_palette(rgb: np.ndarray) -> Image.Image:
    image = Image.fromarray(rgb).quantize(
        _NUM_COLORS, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE
    )
    colors = (image.getpalette() or [])[: 3 * _NUM_COLORS]
    palette = Image.new("P", (1, 1))
    # The last color again in place of those that lack, so that none is taken that is not there.
    colors += colors[-3:] * (_NUM_COLORS + 1 - len(colors) // 3)
    palette.putpalette(colors)
    return palette


def _nearest(rgb: np.ndarray, palette: Image.Image) -> np.ndarray:
    image = Image.fromarray(rgb).quantize(palette=palette, dither=Image.Dither.NONE)
    # The palette's last entry repeats one before.
    return np.minimum(np.asarray(image), _NUM_COLORS - 1)


def _error(rgb: np.ndarray, palette: Image.Image) -> float:
    colors = np.array(palette.getpalette()).reshape(-1, 3)
    difference = colors[_nearest(rgb, palette)] - rgb.astype(np.int32)
    return float((difference**2).sum(axis=-1).mean())


def _dithered(rgb: np.ndarray, spread: float) -> np.ndarray:
    """Colors moved by Bayer's pattern of 8 x 8 thresholds, by `spread` at most up or down."""
    height, width = rgb.shape[:2]
    repeated = np.tile(_THRESHOLDS, (-(height // -8), -(width // -8)))[:height, :width]
    moved = rgb + np.float32(spread) * repeated[..., np.newaxis]
    return np.clip(moved + 0.5, 0, 255).astype(np.uint8)


def _bayer(size: int) -> np.ndarray:
    if size == 1:
        return np.zeros((1, 1))
    quarter = 4 * _bayer(size // 2)
    return np.block([[quarter, quarter + 2], [quarter + 3, quarter + 1]])


_THRESHOLDS = ((_bayer(8) + 0.5) / 64 - 0.5).astype(np.float32)


def _bounds(changed: np.ndarray) -> slice:
    """From the first that is true to the last; the first pixel where none is."""
    (places,) = np.nonzero(changed)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 1)
