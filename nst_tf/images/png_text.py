"""A text within a PNG: its tEXt chunk (Portable Network Graphics Specification, section 11.3.3)."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"nst_tf\0"


def put(png: bytes, text: str) -> bytes:
    """A PNG with a text.

    Args:
        png: the file.
        text: ASCII.

    Returns:
        The file with the text behind its header.
    """
    body = b"tEXt" + _KEYWORD + text.encode("ascii")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    # The header is the first chunk: its length, its name, 13 bytes and a checksum.
    behind = len(_SIGNATURE) + 4 + 4 + 13 + 4
    return png[:behind] + chunk + png[behind:]


def find(png: bytes) -> str | None:
    """The text that `put` has put into a PNG.

    Args:
        png: the file, or anything else.

    Returns:
        The text; None where there is none.
    """
    if not png.startswith(_SIGNATURE):
        return None
    at = len(_SIGNATURE)
    while at + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, at)
        body = png[at + 4 : at + 8 + length]
        if body.startswith(b"tEXt" + _KEYWORD):
            return body[4 + len(_KEYWORD) :].decode("ascii", "replace")
        at += 12 + length
    return None
