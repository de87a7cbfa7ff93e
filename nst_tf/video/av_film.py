"""Films that FFmpeg decodes, by the package av."""

import functools
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from nst_tf.digests import file_sha256
from nst_tf.errors import InputError
from nst_tf.images.pixels import Size
from nst_tf.images.samples import notice
from nst_tf.video.av_container import codec_name, declared_duration, open_container, video_stream
from nst_tf.video.frame import Frame
from nst_tf.video.frame_pixels import Pixels, pixels_of
from nst_tf.video.pyav import fraction, import_av
from nst_tf.video.sound import Sound
from nst_tf.video.timing import Part, Shown

_DEFAULT_RATE = Fraction(25)
# Sound that begins up to so much earlier than the pictures is its encoder's delay.
_MAX_DELAY = Fraction(1, 20)
# What a film without a duration of its pictures may lack at its end, as its sound may be longer.
_SLACK = Fraction(1)
_METADATA = ("title", "creation_time")


class AvFilm:
    """A film of a file, decoded anew by each call of `frames`."""

    def __init__(self, path: str, part: Part, long_side: int):
        """Decodes the first frame; an InputError says what is wrong with the file."""
        self.path, self._part = path, part
        self._file = os.path.abspath(path)
        with open_container(path) as container:
            self._read_header(container, long_side)
        self.size: Size = self._pixels.size
        self._origin = self._find_origin()
        self.num_frames: int | None = None
        if self._declared is not None:
            seconds = self._declared - self._origin
            seconds = min(seconds, part.seconds) if part.seconds else seconds
            self.num_frames = max(1, round(seconds * self.rate))
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

    def _read_header(self, container: Any, long_side: int) -> None:
        stream = video_stream(self.path, container)
        first = self._first_frame(container, stream)
        fps, base = self._part.fps, fraction(stream.time_base)
        self._pixels: Pixels = pixels_of(self.path, first, stream, long_side)
        self.rate = fps or fraction(stream.average_rate) or _DEFAULT_RATE
        self.time_base = 1 / fps if fps else base or 1 / self.rate
        self._zero = Fraction(0) if first.pts is None or base is None else first.pts * base
        self._num_stored = stream.frames  # 0 where the file does not say
        self._declared, is_exact = declared_duration(container, stream, self._zero)
        self._slack = 2 / self.rate if is_exact else _SLACK
        self.metadata = {
            name: container.metadata[name] for name in _METADATA if name in container.metadata
        }
        self._audio = [
            (codec_name(each), (each.start_time or 0) * (fraction(each.time_base) or 0))
            for each in container.streams.audio
        ]

    def _first_frame(self, container: Any, stream: Any) -> Any:
        first = next(self._decoded(container, stream, quiet=True), None)
        if first is None:
            raise InputError(
                f"{self.path}: none of its frames can be decoded ({codec_name(stream)}); "
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
        with open_container(self.path) as container:
            stream = video_stream(self.path, container)
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
                damaged, packets, packet = True, iter(()), av.Packet()
                packet.stream = stream  # an empty one: the decoder gives what it holds
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
