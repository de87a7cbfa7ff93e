"""Small films that the tests make themselves."""

import hashlib
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

HEIGHT, WIDTH = 48, 64
RATE = 25
SAMPLE_RATE = 48_000
PATCHES = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[255, 255, 255], [128, 128, 128], [0, 0, 0]]]
)


def gray(level: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def grays(count: int = 10) -> list[np.ndarray]:
    """Pictures that are told apart by their level, 20 steps each."""
    return [gray(20 + 20 * number) for number in range(count)]


def patches() -> np.ndarray:
    """Red, green, blue above white, gray, black, each 32 x 32."""
    return PATCHES.repeat(32, axis=0).repeat(32, axis=1).astype(np.uint8)


def sine(seconds: float) -> np.ndarray:
    samples = np.arange(int(seconds * SAMPLE_RATE))
    return (0.5 * np.sin(2 * np.pi * 440 * samples / SAMPLE_RATE)).astype(np.float32)[np.newaxis]


def write(
    path: str | Path,
    pictures: Sequence[np.ndarray],
    *,
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, RATE),
    durations: Sequence[int] | None = None,
    sound: Sequence[str] = (),
    sound_seconds: float = 0,
    sound_delay: float = 0,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    colors: tuple[int, int, int, int] = (1, 1, 1, 1),
    options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    picture_delay: float = 0,
    container: dict[str, str] | None = None,
) -> str:
    """A film of pictures uint8 (RGB) or already of its pixel format, with sines as its sound.

    `colors` are matrix, range, transfer and primaries, as ITU-T H.273 numbers them.
    """
    with av.open(str(path), "w", options=container or {}) as output:
        output.metadata["title"] = "A film"
        stream = output.add_stream(codec, rate=RATE, options=options or {"crf": "4", "g": "6"})
        height, width = pictures[0].shape[:2]
        if pictures[0].ndim == 2:
            height = height * 2 // 3
        stream.height, stream.width, stream.pix_fmt = height, width, pixel_format
        context = stream.codec_context
        context.time_base = time_base
        if aspect:
            context.sample_aspect_ratio = aspect
        context.colorspace, context.color_range, context.color_trc, context.color_primaries = colors
        tracks = [_add_sound(output, each) for each in sound]
        lasts = {}
        for number, picture in enumerate(pictures):
            frame = _frame(picture, pixel_format, colors)
            frame.pts = (times[number] if times else number) + round(picture_delay / time_base)
            frame.time_base = time_base
            lasts[frame.pts] = durations[number] if durations else 0
            _mux(output, stream.encode(frame), lasts)
        _mux(output, stream.encode(), lasts)
        seconds = sound_seconds or len(pictures) / RATE
        for track in tracks:
            encode_sound(output, track, sine(seconds), sound_delay)
    return str(path)


def _mux(output, packets, lasts):
    for packet in packets:
        packet.duration = lasts.get(packet.pts) or packet.duration
        output.mux(packet)


def _frame(picture, pixel_format, colors):
    if picture.ndim == 2:  # planes of yuv420p, one below the other
        return av.VideoFrame.from_ndarray(picture, format=pixel_format)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    matrix = {9: 9, 6: 5}.get(colors[0], 1)
    return frame.reformat(
        format=pixel_format,
        dst_colorspace=matrix,
        dst_color_range=colors[1] or 1,
        interpolation=0x40200,
    )


def _add_sound(output, codec):
    options = {"strict": "experimental"}
    stream = output.add_stream(codec, rate=SAMPLE_RATE, options=options)
    stream.codec_context.layout = "stereo" if codec == "vorbis" else "mono"
    return stream


def encode_sound(output, stream, samples, delay=0.0):
    wanted = stream.codec_context.format.name
    layout = stream.codec_context.layout.name
    resampler = av.AudioResampler(wanted, layout, SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, round(delay * SAMPLE_RATE)
    frame.time_base = Fraction(1, SAMPLE_RATE)
    for converted in resampler.resample(frame):
        output.mux(stream.encode(converted))
    output.mux(stream.encode())


def set_matrix(path: str, matrix: Sequence[int]) -> None:
    """Set how an .mp4 is turned: a, b, c, d of the matrix in its first track's header."""
    data = bytearray(Path(path).read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (number << 16 for number in matrix)
    struct.pack_into(">9i", data, place, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    Path(path).write_bytes(data)


def levels(path: str | Path) -> list[int]:
    """The gray of each frame, as a decoder gives it."""
    with av.open(str(path)) as opened:
        return [
            round(float(frame.to_ndarray(format="rgb24").mean()))
            for frame in opened.decode(video=0)
        ]


def stamps(path: str | Path) -> list[Fraction]:
    """The times of the frames in a file."""
    with av.open(str(path)) as opened:
        return [frame.pts * frame.time_base for frame in opened.decode(video=0)]


def duration(path: str | Path) -> Fraction:
    """Seconds from the first frame to the end of the last one."""
    with av.open(str(path)) as opened:
        frames = [
            (each.pts * each.time_base, each.duration * each.time_base)
            for each in opened.decode(video=0)
        ]
    return frames[-1][0] + frames[-1][1] - frames[0][0]


def packets(path: str | Path, track: int = 0) -> list[tuple[Fraction, str]]:
    """Time and hash of each audio packet."""
    with av.open(str(path)) as opened:
        return [
            (packet.pts * packet.time_base, hashlib.sha256(bytes(packet)).hexdigest())
            for packet in opened.demux(opened.streams.audio[track])
            if packet.size
        ]


def hashes(path: str | Path, track: int = 0) -> list[str]:
    return [digest for _, digest in packets(path, track)]
