"""Films that FFmpeg decodes, by the package av."""

import functools
import os
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from nst_tf.digests import file_sha256
from nst_tf.errors import InputError, one_line
from nst_tf.images.pixels import Size
from nst_tf.images.samples import notice
from nst_tf.video.frame import Frame
from nst_tf.video.frame_pixels import Pixels, pixels_of
from nst_tf.video.pyav import fraction, import_av
from nst_tf.video.sound import Sound
from nst_tf.video.timing import Part, Shown

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
_DEFAULT_RATE = Fraction(25)
# Sound that begins up to so much earlier than the pictures is its encoder's delay.
_MAX_DELAY = Fraction(1, 20)
# What a film without a duration of its pictures may lack at its end, as its sound may be longer.
_SLACK = Fraction(1)


class AvFilm:
    """A film of a file, decoded anew by each call of `frames`."""

    def __init__(self, path: str, part: Part, long_side: int):
        """Decodes the first frame; an InputError says what is wrong with the file."""
        self.path, self._part = path, part
        self._file = os.path.abspath(path)
        with self._open() as container:
            stream = _video_stream(path, container)
            first = self._first_frame(container, stream)
            self._pixels: Pixels = pixels_of(path, first, stream, long_side)
            base = fraction(stream.time_base)
            self.rate = part.fps or fraction(stream.average_rate) or _DEFAULT_RATE
            self.time_base = 1 / part.fps if part.fps else base or 1 / self.rate
            self._zero = Fraction(0) if first.pts is None or base is None else first.pts * base
            self._num_stored = stream.frames  # 0 where the file does not say
            self._declared, is_exact = _duration(container, stream, self._zero)
            self._slack = 2 / self.rate if is_exact else _SLACK
            self.metadata = {
                name: container.metadata[name]
                for name in ("title", "creation_time")
                if name in container.metadata
            }
            self._audio = [
                (each.codec_context.name, (each.start_time or 0) * (fraction(each.time_base) or 0))
                for each in container.streams.audio
            ]
        self.size: Size = self._pixels.size
        self._origin = self._find_origin()
        self.num_frames: int | None = None
        self.min_duration: Fraction | None = None
        if self._declared is not None:
            seconds = self._declared - self._origin
            seconds = min(seconds, part.seconds) if part.seconds else seconds
            self.num_frames = max(1, round(seconds * self.rate))
            self.min_duration = seconds - self._slack
        self.lead, self.sound = self._find_sound()

    @functools.cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the file."""
        return file_sha256(self._file)

    def frames(self) -> Iterator[Frame]:
        """Decode the frames of the part, one after the other."""
        last: tuple[Any, Any] = (None, None)
        for shown in self._part.of(self._shown()):
            if shown.picture is not last[0]:  # a repeated one is converted once
                last = shown.picture, self._pixels.rgb(shown.picture)
            yield Frame(last[1], shown.time, shown.duration)

    def _open(self) -> Any:
        av = import_av(self.path)
        try:
            container = av.open(self._file)
        except av.error.FFmpegError as error:
            raise InputError(
                f"{self.path}: is no film, or is damaged ({one_line(error)}); expected a film, an "
                "animated picture or a folder of frames; check that it plays, or download it again"
            ) from error
        name = container.format.name
        if name in _NO_FILMS or name.endswith("_pipe") or name == "image2":
            container.close()
            raise InputError(
                f"{self.path}: is no film ({name}); expected one, as .mp4 or .mkv; check the name"
            )
        return container

    def _first_frame(self, container: Any, stream: Any) -> Any:
        first = next(self._decoded(container, stream, quiet=True), None)
        if first is None:
            raise InputError(
                f"{self.path}: none of its frames can be decoded ({stream.codec_context.name}); "
                "expected a whole film; check that it plays, or download it again"
            )
        return first

    def _find_origin(self) -> Fraction:
        """The time of the part's first frame, from the film's first one."""
        if not self._part.start:
            return Fraction(0)
        for shown in self._shown(quiet=True):
            if shown.time + shown.duration > self._part.start:
                return shown.time
        raise InputError(
            f"start={float(self._part.start):g}: {self.path} ends before that"
            + (f", after {float(self._declared):.2f} s" if self._declared else "")
            + "; give a smaller --start"
        )

    def _find_sound(self) -> tuple[Fraction, Sound | None]:
        """How much later than the sound the pictures begin, and the sound."""
        if not self._audio:
            return Fraction(0), None
        is_whole = not self._part.start
        lead = Fraction(0)
        if is_whole:
            early = self._zero - min(start for _, start in self._audio)
            lead = early if early > _MAX_DELAY else lead
        zero = self._zero + self._origin
        end = zero + self._part.seconds if self._part.seconds else None
        codecs = tuple(codec for codec, _ in self._audio)
        return lead, Sound(self._file, codecs, zero - lead, end, is_whole)

    def _shown(self, quiet: bool = False) -> Iterator[Shown]:
        """The film's frames with their times, from one that is shown before the part begins."""
        start = self._part.start
        if start:
            timed = self._timed(start, quiet)
            first = next(timed, None)
            # Not every file can be searched, or leads to a frame before.
            if first is not None and first.time <= start:
                yield first
                yield from timed
                return
        yield from self._timed(None, quiet)

    def _timed(self, start: Fraction | None, quiet: bool) -> Iterator[Shown]:
        """Frames with their times, which increase; each lasts until the next one."""
        av = import_av(self.path)
        with self._open() as container:
            stream = _video_stream(self.path, container)
            base = fraction(stream.time_base) or self.time_base
            if start is not None:
                try:
                    container.seek(int((self._zero + start) / base), stream=stream)
                except av.error.FFmpegError:
                    return
            previous: Shown | None = None
            count = 0
            for frame in self._decoded(container, stream, quiet):
                count += 1
                end = Fraction(0) if previous is None else previous.time + previous.duration
                time = end if frame.pts is None else frame.pts * base - self._zero
                if previous is not None:
                    time = end if time <= previous.time else time
                    yield previous._replace(duration=time - previous.time)
                lasts = frame.duration * base if frame.duration else 1 / self.rate
                previous = Shown(frame, time, lasts)
            if previous is not None:
                yield self._ended(previous, is_whole=count == self._num_stored)

    def _decoded(self, container: Any, stream: Any, quiet: bool) -> Iterator[Any]:
        """What can be decoded; what is damaged is said once."""
        av = import_av(self.path)
        stream.thread_type = "AUTO"
        damaged = False
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:  # there is nothing behind that could be read
                damaged, packet = True, None
            if packet is None:
                break
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                damaged, frames = True, []
            for frame in frames:
                damaged |= frame.is_corrupt
                yield frame
            if damaged and not quiet:
                notice(Path(self.path), "is damaged; the frames that can be decoded are taken")

    def _ended(self, last: Shown, is_whole: bool) -> Shown:
        """The last frame with its duration; a film that ends early is said."""
        if self._declared is None:
            return last
        missing = self._declared - last.time
        if is_whole and missing > 0:
            # MP4 knows durations in the order of decoding alone, and their sum.
            return last._replace(duration=missing)
        if missing - last.duration > self._slack:
            notice(
                Path(self.path),
                f"ends early, after {float(last.time + last.duration):.2f} of "
                f"{float(self._declared):.2f} s; what is there is taken",
            )
        return last


def _video_stream(path: str, container: Any) -> Any:
    """The film's pictures; the cover of a song is none."""
    for stream in container.streams.video:
        if "attached_pic" not in str(stream.disposition) and stream.codec_context is not None:
            return stream
    raise InputError(f"{path}: has no pictures, only sound; expected a film; check the name")


def _duration(container: Any, stream: Any, zero: Fraction) -> tuple[Fraction | None, bool]:
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
