"""The text of a PNG (tEXt: PNG Specification, section 11.3.3); imports no TensorFlow."""

import io

from PIL import PngImagePlugin

from nst_tf.images import png_chunks

_KEYWORD = "nst_tf"


def insert(png: bytes, text: str) -> bytes:
    """Insert an ASCII text behind the header of a PNG."""
    return png_chunks.insert(png, b"tEXt", f"{_KEYWORD}\0{text}".encode("ascii"))


def read(png: bytes) -> str | None:
    """The text that `insert` has inserted; None if the file has none, or is no PNG, or damaged."""
    try:
        # Not Image.open, which limits the number of pixels; neither decodes them.
        return PngImagePlugin.PngImageFile(io.BytesIO(png)).info.get(_KEYWORD)
    except Exception:  # a damaged file can make Pillow raise anything at all
        return None
