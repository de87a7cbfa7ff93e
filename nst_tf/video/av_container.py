"""Files as the package av opens them: which are films, and what they declare."""

import os
import re
from fractions import Fraction
from typing import Any

from nst_tf.errors import InputError, one_line
from nst_tf.video.pyav import fraction, import_av

# What FFmpeg opens as a film though it is none: texts, lists of other files.
_NO_FILMS = (
    "tty",
    "concat",
    "hls",
    "dash",
    "sdp",
    "rtsp",
    "ffmetadata",
    "bin",
    "xbin",
    "adf",
    "idf",
)


def open_container(path: str) -> Any:
    """Open a film; an InputError says that it is none."""
    av = import_av(path)
    try:
        # An absolute path, as others may be taken for the name of a protocol.
        container = av.open(os.path.abspath(path))
    except av.error.FFmpegError as error:
        raise InputError(
            f"{path}: is no film, or is damaged ({one_line(error)}); expected a film, an animated "
            "picture or a folder of frames; check that it plays, or download it again"
        ) from error
    name = container.format.name
    if name in _NO_FILMS or name.endswith("_pipe") or name == "image2":
        container.close()
        raise InputError(
            f"{path}: is no film ({name}); expected one, as .mp4 or .mkv; check the name"
        )
    return container


def codec_name(stream: Any) -> str:
    """The codec of a stream, for messages."""
    return "unknown" if stream.codec_context is None else stream.codec_context.name


def video_stream(path: str, container: Any) -> Any:
    """The film's pictures; the cover of a song is none."""
    for stream in container.streams.video:
        if "attached_pic" not in str(stream.disposition) and stream.codec_context is not None:
            return stream
    raise InputError(f"{path}: has no pictures, only sound; expected a film; check the name")


def declared_duration(container: Any, stream: Any, zero: Fraction) -> tuple[Fraction | None, bool]:
    """Seconds from the first picture, at `zero`, to the declared end; whether that is exact."""
    base = fraction(stream.time_base)
    if stream.duration and base:
        return stream.duration * base, True
    # When the pictures end, which most programs write to Matroska, as 00:01:02.345.
    parts = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))
    if parts:
        hours, minutes, seconds = parts.groups()
        end = 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
    elif container.duration:  # when all ends, the sound, too
        end = Fraction((container.start_time or 0) + container.duration, 10**6)
    else:
        return None, False
    return (end - zero, False) if end > zero else (None, False)
