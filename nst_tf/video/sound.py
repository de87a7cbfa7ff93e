"""The sound of a film, copied packet by packet into another one."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from nst_tf.images.samples import notice
from nst_tf.video.pyav import fraction, import_av


class Sound(NamedTuple):
    """The audio streams of a file, and the part of them that is copied.

    Attributes:
        path: the file.
        codecs: the codec of each audio stream.
        zero: the time in the file, in seconds, that becomes 0.
        end: the time in the file that ends what is copied; None for a film painted to its end.
        is_whole: whether packets before `zero` are copied, too, as a whole film has them.
    """

    path: str
    codecs: tuple[str, ...]
    zero: Fraction
    end: Fraction | None
    is_whole: bool


class Copy:
    """Copies the packets of a sound into an opened output; to be closed."""

    def __init__(self, sound: Sound, output: Any):
        self._sound = sound
        self._input = import_av(sound.path).open(sound.path)
        try:
            audio = self._input.streams.audio
            self._outputs = {each.index: add_stream(output, each) for each in audio}
        except BaseException:
            self.close()
            raise
        self._mux = output.mux
        self._packets = self._timed_packets()
        self._next = next(self._packets, None)

    def advance(self, until: Fraction | None) -> None:
        """Copy what begins before a time of the painted film; None: all that there is."""
        while self._next is not None and (until is None or self._next[0] < until):
            self._mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the input."""
        self._input.close()

    def _timed_packets(self) -> Iterator[tuple[Fraction, Any]]:
        """Packets, shifted, each with the time at which it begins."""
        sound = self._sound
        av = import_av(sound.path)
        try:
            for packet in self._input.demux(*self._input.streams.audio):
                stamp = packet.dts if packet.pts is None else packet.pts
                base = fraction(packet.time_base)
                if stamp is None or base is None or not packet.size:
                    continue
                time = stamp * base
                if not sound.is_whole and time < sound.zero:
                    continue
                if sound.end is not None and time >= sound.end:
                    continue
                yield time - sound.zero, self._shifted(packet, round(sound.zero / base))
        except av.error.FFmpegError:
            notice(Path(sound.path), "its sound is damaged or ends early; the rest is left out")

    def _shifted(self, packet: Any, ticks: int) -> Any:
        packet.stream = self._outputs[packet.stream.index]
        packet.pts = None if packet.pts is None else packet.pts - ticks
        packet.dts = None if packet.dts is None else packet.dts - ticks
        return packet


def add_stream(output: Any, stream: Any) -> Any:
    """Add a stream as an audio stream to an output, with its language and title."""
    added = output.add_stream_from_template(stream)
    for name in ("language", "title"):
        if name in stream.metadata:
            added.metadata[name] = stream.metadata[name]
    return added
