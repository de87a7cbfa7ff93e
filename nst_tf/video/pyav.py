"""The package av, FFmpeg's libraries, which only films need."""

import os
from fractions import Fraction
from typing import Any

from nst_tf.errors import InputError


def import_av(path: str | os.PathLike) -> Any:
    """The package, silent: what its decoders complain of is said here in one line."""
    try:
        import av
        import av.error
        import av.logging
    except ImportError as error:
        raise InputError(
            f"{path}: needs the package av; pip install -r requirements-video.txt"
        ) from error
    # Not a level: av would take Python's lock in a decoder's thread, to compare it, and wait there
    # for the thread that holds the lock to close the decoder.
    av.logging.set_level(None)
    return av


def fraction(rational: Any) -> Fraction | None:
    """A rational number of av as a fraction; None where it is not set."""
    if not rational:  # None, or 0/1 from av 19 on
        return None
    return Fraction(rational.numerator, rational.denominator)
