"""A stdout and a stderr that never fail: on no text, and not when nobody reads them any more."""

import io
import os
import sys
from typing import Any, TextIO

from nst_tf.printable import ESCAPE


class _Unfailing(io.RawIOBase):
    """A file whose errors are ignored: of a closed or full pipe, a lost terminal, a full disk."""

    def __init__(self, file: Any):
        self._file = file

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def write(self, data: Any) -> int:
        try:
            written = self._file.write(data)
        except OSError:
            written = None
        # None is also what a pipe returns that must not block, and is full.
        return len(data) if written is None else written


def make_unfailing() -> None:
    """Replace sys.stdout and sys.stderr; what they cannot show is escaped."""
    # A stream that is closed gets its number back, or the next file that is opened would take it.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    sys.stdout, sys.stderr = unfailing(sys.stdout), unfailing(sys.stderr)


def unfailing(stream: TextIO | None) -> TextIO:
    """A stream that writes to where this one does, as long as that is possible."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):  # as in a notebook
        return stream
    stream.reconfigure(errors=ESCAPE)  # absl's log keeps the old one
    raw = getattr(stream.buffer, "raw", stream.buffer)  # python -u has no buffer
    return io.TextIOWrapper(
        io.BufferedWriter(_Unfailing(raw)),
        stream.encoding,
        ESCAPE,
        line_buffering=stream.line_buffering or stream.write_through,
    )
