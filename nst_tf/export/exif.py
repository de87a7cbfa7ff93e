"""JPEG files in an exported graph: their EXIF orientation, and where their scans begin.

JPEG: ITU T.81, annex B.1; APP1 and its directory of tags: CIPA DC-008, "Exif 2.3", section 4.
"""

from collections.abc import Callable

import tensorflow as tf

_EXIF_SEGMENT, _START_OF_SCAN = 0xFFE1, 0xFFDA
_ORIENTATION = 0x0112
# Bytes of a file in which the directory is looked for, and entries of a directory.
_MAX_BYTES, _MAX_ENTRIES = 2**20, 1000


class _Bytes:
    """The bytes of a file as numbers; beyond its end, and before its start, they are 0."""

    def __init__(self, encoded: tf.Tensor):
        start = tf.strings.substr(encoded, 0, _MAX_BYTES)
        self._values = tf.pad(tf.cast(tf.io.decode_raw(start, tf.uint8), tf.int32), [[1, 1]])
        self.size = tf.size(self._values) - 2

    def number(self, start: tf.Tensor, count: int, little_endian: tf.Tensor | bool = False):
        """The number of `count` bytes from `start` on, a scalar or [n]."""
        indices = tf.expand_dims(start, -1) + tf.range(count)
        values = tf.gather(self._values, tf.clip_by_value(indices + 1, 0, self.size + 1))
        values = tf.where(little_endian, values[..., ::-1], values)
        return tf.reduce_sum(values * 256 ** tf.range(count - 1, -1, -1), axis=-1)


def orientation(jpeg: tf.Tensor) -> tf.Tensor:
    """1 to 8, as EXIF numbers them; 1, which is upright, where the file says nothing valid."""
    data = _Bytes(jpeg)

    def is_exif(segment: tf.Tensor) -> tf.Tensor:
        named = (data.number(segment + 4, 2) == 0x4578) & (data.number(segment + 6, 2) == 0x6966)
        return (data.number(segment, 2) == _EXIF_SEGMENT) & named

    segment = _find_segment(data, is_exif)
    return tf.where(is_exif(segment), _tag(data, segment + 10), 1)


def scan_start(jpeg: tf.Tensor) -> tf.Tensor:
    """Where the first scan begins, behind the thumbnail of EXIF data; 0 if that is not found."""
    data = _Bytes(jpeg)

    def is_scan(segment: tf.Tensor) -> tf.Tensor:
        return data.number(segment, 2) == _START_OF_SCAN

    segment = _find_segment(data, is_scan)
    return tf.where(is_scan(segment), segment, 0)


def _find_segment(data: _Bytes, is_wanted: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """The start of the first segment that is wanted, or of what is none."""

    def goes_on(segment: tf.Tensor) -> tf.Tensor:
        is_segment = (data.number(segment, 1) == 0xFF) & (segment < data.size)
        return is_segment & (data.number(segment, 2) != _START_OF_SCAN) & ~is_wanted(segment)

    def advance(segment: tf.Tensor) -> tuple[tf.Tensor]:
        return (segment + 2 + data.number(segment + 2, 2),)

    (segment,) = tf.while_loop(goes_on, advance, (tf.constant(2),))
    return segment


def _tag(data: _Bytes, header: tf.Tensor) -> tf.Tensor:
    """The orientation in the first directory of a TIFF header."""
    little_endian = data.number(header, 1) == ord("I")
    directory = header + data.number(header + 4, 4, little_endian)
    count = tf.minimum(data.number(directory, 2, little_endian), _MAX_ENTRIES)
    entries = directory + 2 + 12 * tf.range(count)
    found = data.number(entries, 2, little_endian) == _ORIENTATION
    values = tf.where(found, data.number(entries + 8, 2, little_endian), 0)
    value = tf.reduce_max(tf.concat([values, [0]], axis=0))
    return tf.where((value >= 1) & (value <= 8), value, 1)


def turn_upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undo an orientation of an image [H, W, C]."""

    def turn_if(numbers: tuple[int, ...], image: tf.Tensor, turned) -> tf.Tensor:
        return tf.cond(tf.reduce_any(orientation == numbers), turned, lambda: image)

    image = turn_if((5, 6, 7, 8), image, lambda: tf.transpose(image, [1, 0, 2]))
    image = turn_if((3, 4, 7, 8), image, lambda: image[::-1])
    return turn_if((2, 3, 6, 7), image, lambda: image[:, ::-1])
