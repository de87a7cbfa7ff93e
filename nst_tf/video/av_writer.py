"""Films written by the package av: frames encoded, sound copied."""

import contextlib
import io
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from nst_tf.errors import InputError, one_line
from nst_tf.images.pixels import to_uint
from nst_tf.video.film import Film
from nst_tf.video.frame import Frame
from nst_tf.video.frame_pixels import BT709, LIMITED_RANGE, SCALING
from nst_tf.video.pyav import fraction, import_av
from nst_tf.video.sound import Copy, add_stream

# FFmpeg's names of the containers.
CONTAINERS = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".webm": "webm"}
# Encoders that know a constant rate factor, the largest one, and their other options; x265 would
# write to stderr by itself.
_CODECS: dict[str, tuple[int, dict[str, str]]] = {
    "libx264": (51, {}),
    "libx265": (51, {"x265-params": "log-level=none"}),
    "libvpx-vp9": (63, {"b:v": "0", "row-mt": "1"}),
    "libsvtav1": (63, {}),
    "libaom-av1": (63, {"row-mt": "1"}),
}
_PIXEL_FORMAT = "yuv420p"
# What FFmpeg would write, but neither browsers nor most players play.
_UNPLAYABLE = {".mp4": ("pcm_", "vorbis")}
# So few frames are always decoded in their order.
_MIN_REORDERED = 3
# Ticks finer than this make numbers that not every container can hold.
_MIN_TICK, _TICK = Fraction(1, 1_000_000), Fraction(1, 90_000)


def check(path: str, film: Film, codec: str, crf: int) -> None:
    """Refuse a codec, a rate factor, a size or a sound that the file could not have."""
    av = import_av(path)
    known = [name for name in _CODECS if _has_encoder(av, name)]
    if codec not in known:
        raise InputError(
            f"codec={codec}: is unknown, or not in this package av; expected one of "
            f"{', '.join(known)}; change --codec"
        )
    if not 0 <= crf <= _CODECS[codec][0]:
        raise InputError(
            f"crf={crf}: expected 0, the best, to {_CODECS[codec][0]}, for {codec}; change --crf"
        )
    height, width = film.size
    gray = np.full((height, width, 3), 0.5, np.float32)
    try:
        with av.open(io.BytesIO(), "w", format=CONTAINERS[_ending(path)]) as output:
            stream = _add_video(output, film, codec, crf)
            _encode([Frame(gray, Fraction(0), 1 / film.rate)], film, output, stream, None)
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(
            f"{path}: {_ending(path)} does not take {codec} at {width} x {height} px "
            f"({one_line(error)}); give another --codec, a smaller --size, or the ending .mkv"
        ) from error
    _check_sound(path, film)


def write(
    file: BinaryIO,
    path: str,
    frames: Iterable[Frame],
    film: Film,
    codec: str,
    crf: int,
    is_whole: bool,
) -> None:
    """Encode frames into an opened file, with the film's sound."""
    av = import_av(path)
    watched, options = _Watched(file), _options(path)
    try:
        with av.open(watched, "w", format=CONTAINERS[_ending(path)], options=options) as output:
            _write(output, frames, film, codec, crf, is_whole)
    except Exception:
        if watched.error is not None:
            raise watched.error from None
        raise


def _write(
    output: Any, frames: Iterable[Frame], film: Film, codec: str, crf: int, is_whole: bool
) -> None:
    with contextlib.ExitStack() as stack:
        output.metadata.update(film.metadata)
        stream, copy = _add_video(output, film, codec, crf), None
        if film.sound:
            copy = stack.enter_context(contextlib.closing(Copy(film.sound, output)))
        end = _encode(frames, film, output, stream, copy)
        if copy:
            copy.advance(None if is_whole else end)


class _Watched:
    """A file that remembers what went wrong in it, which av hides behind an error of its own."""

    def __init__(self, file: BinaryIO):
        self.seek, self.tell, self._write = file.seek, file.tell, file.write
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._write(data)
        except OSError as error:
            self.error = self.error or error
            raise


def _ending(path: str) -> str:
    return Path(path).suffix.lower()


def _options(path: str) -> dict[str, str]:
    """Of the container: how exactly sound begins in time, in MP4; a thousandth otherwise."""
    return {"movie_timescale": "90000"} if _ending(path) in (".mp4", ".mov") else {}


def _has_encoder(av: Any, name: str) -> bool:
    try:
        return bool(av.codec.Codec(name, "w").is_encoder)
    except ValueError:  # it is unknown
        return False


def _add_video(output: Any, film: Film, codec: str, crf: int) -> Any:
    """Add the stream of the frames, BT.709 of limited range, to an output."""
    if codec == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # errors alone, which it writes to stderr by itself
    options = {"crf": str(crf), **_CODECS[codec][1]}
    stream = output.add_stream(codec, rate=film.rate.limit_denominator(1001), options=options)
    stream.height, stream.width = film.size
    stream.pix_fmt = _PIXEL_FORMAT
    context = stream.codec_context
    context.time_base = film.time_base if film.time_base >= _MIN_TICK else _TICK
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED_RANGE
    if codec == "libx265" and output.format.name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # without it Apple's players show nothing
    return stream


def _encode(
    frames: Iterable[Frame], film: Film, output: Any, stream: Any, copy: Copy | None
) -> Fraction:
    """Encode frames, and the sound beside them; the time at which they end."""
    track, end = _Track(output, stream), Fraction(0)
    for frame in frames:
        track.add(frame.rgb, frame.time + film.lead, frame.duration)
        if copy:
            copy.advance(frame.time + film.lead)
        end = frame.time + film.lead + frame.duration
    track.finish()
    return end


class _Track:
    """The encoded pictures on their way to an output, with their time stamps."""

    def __init__(self, output: Any, stream: Any):
        self._output, self._stream = output, stream
        self._tick = fraction(stream.codec_context.time_base) or _TICK
        self._durations: dict[int, int] = {}
        self._start, self._end, self._first_dts = 0, 0, 0
        self._num_frames = 0
        self._held: Any = None

    def add(self, rgb: np.ndarray, time: Fraction, duration: Fraction) -> None:
        frame = _to_yuv(rgb)
        frame.pts, frame.time_base = round(time / self._tick), self._tick
        self._end = round((time + duration) / self._tick)
        self._durations[frame.pts] = self._end - frame.pts
        self._start = frame.pts if self._num_frames == 0 else self._start
        self._num_frames += 1
        self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._mux(self._stream.encode())
        if self._held is not None and self._output.format.name in ("mp4", "mov"):
            # These know durations in the order of decoding alone. The last one makes their sum
            # right, so that the last picture is shown as long as it should be.
            so_far = self._held.dts - self._first_dts
            self._held.duration = max(1, self._end - self._start - so_far)
        self._mux([None])

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            if packet and self._num_frames < _MIN_REORDERED:
                packet.dts = packet.pts  # x265 forgets it
            if self._held is None:
                self._first_dts = packet.dts if packet else 0
            else:
                self._output.mux(self._held)
            self._held = packet
            if packet:
                packet.duration = self._durations.pop(packet.pts, packet.duration)


def _to_yuv(rgb: np.ndarray) -> Any:
    import av

    frame = av.VideoFrame.from_ndarray(to_uint(rgb, np.uint8), format="rgb24")
    return frame.reformat(
        format=_PIXEL_FORMAT,
        dst_colorspace=BT709,
        dst_color_range=LIMITED_RANGE,
        interpolation=SCALING,
    )


def _check_sound(path: str, film: Film) -> None:
    """Refuse sound that the container does not take, and name one that does."""
    if film.sound is None or _takes_sound(film, _ending(path)):
        return
    others = [ending for ending in (".mkv", ".mov", ".mp4") if _takes_sound(film, ending)]
    advice = f"give a name that ends in {others[0]}" if others else "remove the film's sound"
    raise InputError(
        f"{path}: {_ending(path)} does not take the sound of {film.path} "
        f"({', '.join(film.sound.codecs)}), which is copied as it is; {advice}"
    )


def _takes_sound(film: Film, ending: str) -> bool:
    """Whether a file of the audio streams, with their first packets, can be written."""
    assert film.sound is not None
    if any(codec.startswith(_UNPLAYABLE.get(ending, ())) for codec in film.sound.codecs):
        return False
    av = import_av(film.path)
    try:
        with (
            av.open(film.sound.path) as source,
            av.open(io.BytesIO(), "w", format=CONTAINERS[ending]) as output,
        ):
            added = {each.index: add_stream(output, each) for each in source.streams.audio}
            output.start_encoding()
            for packet in source.demux(*source.streams.audio):
                if packet.size and packet.stream.index in added:
                    packet.stream = added.pop(packet.stream.index)
                    output.mux(packet)
                if not added:
                    break
    except (av.error.FFmpegError, ValueError):
        return False
    return True
