"""JPEGs that lack their end marker: completed if nothing else is missing."""

import re

# ITU-T T.81, table B.1 and section B.2.3.
_END, _SCAN, _FRAME = b"\xff\xd9", 0xDA, (0xC0, 0xC1, 0xC2)
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_COEFFICIENTS = 64
# Bits that are no continuation of a scan: a decoder that still needs some paints what they say.
# Enough for all blocks of a minimum coded unit, of which some may be outside the picture.
_FILLINGS = (b"", b"\xaa" * 4096, b"\x55" * 4096)


def completions(jpeg: bytes) -> list[bytes]:
    """The file with its end, with different bits before it; none if a scan is missing.

    If they do not decode to the same picture then the file was cut within a scan.
    """
    if not _has_all_scans(jpeg):
        return []
    return [jpeg.rstrip(b"\xff") + filling + _END for filling in _FILLINGS]


def _has_all_scans(jpeg: bytes) -> bool:
    """Whether the scans begin that carry the last bit of each coefficient; and none ends."""
    missing: set[tuple[int, int]] = set()
    position = 2
    while found := _MARKER.search(jpeg, position):
        marker, start = found.group()[1], found.end() + 2
        length = int.from_bytes(jpeg[found.end() : start], "big")
        body = jpeg[start : start + length - 2]
        if length < 2 or len(body) < length - 2 or marker == _END[1]:
            return False
        if marker in _FRAME:
            components = body[6::3]
            missing = {(each, k) for each in components for k in range(_COEFFICIENTS)}
        if marker == _SCAN:
            first, last, bits = body[-3:]
            if bits & 15 == 0:  # no bits follow in a later scan
                done = range(first, last + 1)
                missing -= {(each, k) for each in body[1:-3:2] for k in done}
        position = start + length - 2
    return not missing
