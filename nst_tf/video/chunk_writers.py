"""Animated WebP and PNG, frame by frame: pictures encoded by Pillow in one container.

WebP Container Specification (RFC 9649, section 2.7); PNG Specification, third edition, section 4.9.
"""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import BinaryIO

import numpy as np
from PIL import Image

from nst_tf.images.pixels import to_uint
from nst_tf.images.png_chunks import SIGNATURE
from nst_tf.video.frame import Frame

WEBP_MAX_SIDE = 16383
_ANIMATION = 0x02  # of the flags in VP8X
_DO_NOT_BLEND = 0x02  # of those in ANMF
_WHITE = b"\xff\xff\xff\xff"
_WEBP_QUALITY = 90
_SECOND = 1000  # ticks of WebP
_MAX_TICKS = 2**24 - 1
_MAX_UINT16 = 65535


def write_webp(file: BinaryIO, frames: Iterable[Frame]) -> None:
    """Write frames of one size as an animated WebP that loops."""
    count, ticks = 0, 0
    file.write(b"RIFF\0\0\0\0WEBP")
    for count, frame in enumerate(frames, start=1):
        height, width = frame.rgb.shape[:2]
        size = _uint24(width - 1) + _uint24(height - 1)
        if count == 1:
            file.write(_riff_chunk(b"VP8X", bytes([_ANIMATION, 0, 0, 0]) + size))
            forever = struct.pack("<H", 0)
            file.write(_riff_chunk(b"ANIM", _WHITE + forever))
        # Rounded times, not durations, so that the film does not become longer or shorter.
        end = round((frame.time + frame.duration) * _SECOND)
        duration = _uint24(min(max(end - ticks, 1), _MAX_TICKS))
        head = _uint24(0) + _uint24(0) + size + duration + bytes([_DO_NOT_BLEND])
        picture = _encode(frame.rgb, "WEBP", quality=_WEBP_QUALITY)
        file.write(_riff_chunk(b"ANMF", head + picture[12:]))  # without its RIFF header
        ticks = end
    length = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", length - 8))
    file.seek(length)


def write_apng(file: BinaryIO, frames: Iterable[Frame]) -> None:
    """Write frames of one size as an animated PNG that loops."""
    file.write(SIGNATURE)
    control_at, count, sequence = 0, 0, 0
    for count, frame in enumerate(frames, start=1):
        png = list(_png_chunks(_encode(frame.rgb, "PNG")))
        if count == 1:
            file.write(_png_chunk(*png[0]))  # IHDR
            file.write(_png_chunk(b"sRGB", b"\0"))
            control_at = file.tell()
            file.write(_png_chunk(b"acTL", bytes(8)))
        height, width = frame.rgb.shape[:2]
        delay = _delay(frame.duration)
        body = struct.pack(">5I2H2B", sequence, width, height, 0, 0, *delay, 0, 0)
        file.write(_png_chunk(b"fcTL", body))
        sequence += 1
        for name, data in png:
            if name == b"IDAT" and count == 1:
                file.write(_png_chunk(name, data))
            elif name == b"IDAT":
                file.write(_png_chunk(b"fdAT", struct.pack(">I", sequence) + data))
                sequence += 1
    file.write(_png_chunk(b"IEND", b""))
    end = file.tell()
    file.seek(control_at)
    forever = 0
    file.write(_png_chunk(b"acTL", struct.pack(">2I", count, forever)))
    file.seek(end)


def _encode(rgb: np.ndarray, file_format: str, **options: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(to_uint(rgb, np.uint8)).save(file, file_format, **options)
    return file.getvalue()


def _riff_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _uint24(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies."""
    place = len(SIGNATURE)
    while place < len(png):
        length, name = struct.unpack_from(">I4s", png, place)
        yield name, png[place + 8 : place + 8 + length]
        place += length + 12


def _png_chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def _delay(seconds: Fraction) -> tuple[int, int]:
    """A duration as a fraction of two numbers of 16 bits, the nearest one."""
    largest = max(1, min(_MAX_UINT16, int(_MAX_UINT16 / seconds)))
    near = seconds.limit_denominator(largest)
    return min(near.numerator, _MAX_UINT16), near.denominator
