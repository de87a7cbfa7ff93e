"""The chunks of a PNG: those that decoders need, colour and profile apart; imports no TensorFlow.

Decoders refuse a whole file for a long text or a wrong checksum in what they could do without.
PNG Specification, third edition, sections 5 and 11.
"""

import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nst_tf.images.samples import frames_notice, notice

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Signature and header (length, name, 13 bytes, checksum), which other chunks follow.
_HEADER_END = len(SIGNATURE) + 4 + 4 + 13 + 4
# What else than critical chunks (in capitals) decoders get, and what is read here.
_PASSED_ON = {b"tRNS": "transparency", b"pHYs": "resolution", b"eXIf": "EXIF data"}
_READ = {
    b"iCCP": "color profile", b"gAMA": "gamma", b"cHRM": "primaries", b"sRGB": "mark of sRGB",
    b"cICP": "color space", b"acTL": "number of frames",
}  # fmt: skip
_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
_MAX_PROFILE = 64 << 20


class Chunks(NamedTuple):
    """A PNG taken apart."""

    file: BinaryIO  # what a decoder needs
    side: dict[bytes, bytes]  # bodies of the chunks that are read here
    bits: int  # per sample
    notices: tuple[str, ...]  # what was left out

    def profile(self, path: Path) -> bytes | None:
        """The ICC profile."""
        if b"iCCP" not in self.side:
            return None
        packed = self.side[b"iCCP"].partition(b"\0")[2][1:]
        try:
            return zlib.decompressobj().decompress(packed, _MAX_PROFILE)
        except zlib.error:
            notice(path, "its color profile is broken or unfit, and is left out")
            return None


def split(file: BinaryIO) -> Chunks:
    """Take a PNG apart; what is damaged in a critical chunk is left to the decoder."""
    side: dict[bytes, bytes] = {}
    notices: list[str] = []
    parts, whole = [SIGNATURE], True
    bits, last = 0, b""
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        known = _PASSED_ON.get(name) or _READ.get(name)
        if name[:1].isupper():
            rest = file.read(length + 4)
            if name == b"IEND" and len(rest) < 4:
                break
            bits = rest[8] if name == b"IHDR" and length == 13 else bits
            last = name if len(rest) == length + 4 else b""
            parts += [head, rest]
        elif known is None:
            whole = False
            file.seek(length + 4, io.SEEK_CUR)
        else:
            rest = file.read(length + 4)
            body = rest[:-4]
            if rest[-4:] != struct.pack(">I", zlib.crc32(name + body)) or len(body) < length:
                whole = False
                notices.append(f"its {known} has a wrong checksum and is left out")
            elif name in _PASSED_ON:
                parts += [head, rest]
            else:
                whole = False
                side[name] = body
    if b"acTL" in side and len(side[b"acTL"]) == 8:
        notices += frames_notice(struct.unpack(">I", side[b"acTL"][:4])[0])
    if last == b"IDAT":
        whole, head = False, _END
        notices.append("lacks its end chunk")
    file.seek(0)
    needed = file if whole else io.BytesIO(b"".join([*parts, head]))
    return Chunks(needed, side, bits, tuple(notices))


def insert(png: bytes, name: bytes, body: bytes) -> bytes:
    """Insert a chunk behind the header of a PNG."""
    chunk = struct.pack(">I4s", len(body), name) + body
    chunk += struct.pack(">I", zlib.crc32(name + body))
    return png[:_HEADER_END] + chunk + png[_HEADER_END:]
