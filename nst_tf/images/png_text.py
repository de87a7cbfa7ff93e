"""The text of a PNG (tEXt: PNG Specification, section 11.3.3); imports no TensorFlow."""

import io
import struct
import zlib

from PIL import PngImagePlugin

_KEYWORD = "nst_tf"
# Signature and header (length, name, 13 bytes, checksum), which other chunks follow.
_HEADER_END = 8 + 4 + 4 + 13 + 4


def insert(png: bytes, text: str) -> bytes:
    """Insert an ASCII text behind the header of a PNG."""
    body = b"tEXt" + f"{_KEYWORD}\0{text}".encode("ascii")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_HEADER_END] + chunk + png[_HEADER_END:]


def read(png: bytes) -> str | None:
    """The text that `insert` has inserted; None if the file has none, or is no PNG, or damaged."""
    try:
        # Not Image.open, which limits the number of pixels; neither decodes them.
        return PngImagePlugin.PngImageFile(io.BytesIO(png)).info.get(_KEYWORD)
    except Exception:  # a damaged file can make Pillow raise anything at all
        return None
