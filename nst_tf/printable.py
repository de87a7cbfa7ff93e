"""Text with escapes where a stream or a page cannot show a character, as of an odd file name."""

import codecs

# The name of an error handler for `encode`: an escape in place of the character.
ESCAPE = "nst_tf.escape"


def printable(text: str, encoding: str = "utf-8") -> str:
    r"""The text with an escape, as \xe9, for each character that the encoding lacks."""
    return text.encode(encoding, ESCAPE).decode(encoding)


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    # In a file name the byte 0xE9, where it is no text, is the surrogate U+DCE9.
    plain = [chr(ord(x) & 0xFF) if "\udc80" <= x <= "\udcff" else x for x in characters]
    return "".join(plain).encode("ascii", "backslashreplace").decode(), error.end


codecs.register_error(ESCAPE, _escape)
