"""WebP files that are cut within the metadata that follow the picture."""

import struct

_METADATA = (b"EXIF", b"XMP ")
_FIRST_CHUNK = 12  # behind "RIFF", the size and "WEBP"


def without_cut_metadata(webp: bytes) -> bytes | None:
    """The file up to the chunk in which it is cut; None unless that is one of metadata.

    RFC 9649, section 2.
    """
    position = _FIRST_CHUNK
    while position + 8 <= len(webp):
        name, size = struct.unpack_from("<4sI", webp, position)
        end = position + 8 + size + size % 2
        if end > len(webp):
            if name not in _METADATA:
                return None
            chunks = b"WEBP" + webp[_FIRST_CHUNK:position]
            return b"RIFF" + struct.pack("<I", len(chunks)) + chunks
        position = end
    return None
