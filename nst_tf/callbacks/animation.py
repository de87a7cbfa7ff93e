"""A run as an animation: frames evenly spread over the fall of the loss, not over the steps.

Most of the loss goes in the first few steps. So its logarithm is spread evenly: from frame to frame
the loss falls by the same factor.
"""

import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from nst_tf import atomic_files
from nst_tf.callbacks.base import Callback
from nst_tf.errors import InputError
from nst_tf.images.cutout import on_white
from nst_tf.images.pixels import resize, to_uint
from nst_tf.run.progress import Progress

FORMATS = (".gif", ".webp", ".mp4")
_MAX_SIDE = 512
_FRAMES_PER_SECOND = 12
_SECONDS_OF_LAST = 2
# Frames in memory, as a multiple of those asked for, until the end tells which to take.
_SPARE = 3


class Frame(NamedTuple):
    """A picture uint8 [H, W, 3], and how far the logarithm of the loss had fallen by then."""

    log_fall: float
    picture: np.ndarray


class Animation(Callback):
    """Writes an animation, .gif, .webp (both loop) or .mp4, when the run ends, however it ends.

    It has at most so many `frames`, from the first step to the last. A run that is resumed goes on
    from the `arrays` of its first part.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        frames: int,
        *,
        arrays: Mapping[str, np.ndarray] | None = None,
        alpha: np.ndarray | None = None,
    ):
        """`alpha` is the content image's: what is hidden is white."""
        self._path, self._count = path, frames
        self._alpha = None if alpha is None else alpha[..., np.newaxis]
        self._frames: list[Frame] = []
        self._scale, self._lowest, self._log_fall = -1, math.inf, 0.0
        if arrays:
            self._frames = list(map(Frame, arrays["log_falls"].tolist(), arrays["pictures"]))
            self._scale = int(arrays["scale"])
            self._lowest, self._log_fall = arrays["loss"].tolist()

    def on_step(self, progress: Progress) -> None:
        """Keep a frame, where the picture has changed."""
        self._follow_loss(progress)
        frame = Frame(self._log_fall, self._thumbnail(progress))
        # A trial that the optimizer did not keep changes nothing.
        if not self._frames or (frame.picture != self._frames[-1].picture).any():
            self._frames.append(frame)
        if len(self._frames) > _SPARE * self._count:
            del self._frames[_most_redundant(self._frames)]

    def arrays(self) -> dict[str, np.ndarray]:
        """The frames so far, and how far the loss has fallen, to go on from."""
        return {
            "log_falls": np.array([frame.log_fall for frame in self._frames]),
            "pictures": np.stack([frame.picture for frame in self._frames]),
            "scale": np.array(self._scale),
            "loss": np.array([self._lowest, self._log_fall]),
        }

    def close(self) -> None:
        """Write the animation; of a run whose picture never changed it is one frame."""
        if self._frames:
            pictures = choose(self._frames, self._count)
            atomic_files.replace(self._path, encode(pictures, Path(self._path).suffix.lower()))

    def _thumbnail(self, progress: Progress) -> np.ndarray:
        height, width = progress.scales[-1]
        shrink = min(1.0, _MAX_SIDE / max(height, width))
        # Even sides, which video needs.
        sides = [max(2, round(side * shrink) // 2 * 2) for side in (height, width)]
        rgb = np.asarray(resize(progress.image(), *sides))
        if self._alpha is not None:
            self._alpha = resize(self._alpha, *sides).numpy()  # once; then it has this size
            rgb = on_white(rgb, self._alpha)
        return to_uint(rgb, np.uint8)

    def _follow_loss(self, progress: Progress) -> None:
        total = float(progress.losses.total)
        if progress.scale != self._scale:
            self._scale, self._lowest = progress.scale, total
        # Trials that the optimizer did not keep are above the lowest.
        if 0 < total < self._lowest:
            self._log_fall += math.log(self._lowest / total)
            self._lowest = total


def check(path: str | os.PathLike) -> None:
    """Refuse, before a run, an animation that could not be written: ending, package, folder."""
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise InputError(
            f"animation={path}: unknown ending {ending!r}; expected one of {', '.join(FORMATS)}"
        )
    if ending == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError as error:
            raise InputError(
                f"animation={path}: .mp4 needs the package av; pip install av, or give .gif or "
                ".webp"
            ) from error
    atomic_files.check(path)


def choose(frames: Sequence[Frame], count: int) -> list[np.ndarray]:
    """The pictures of so many frames, the first and the last among them, evenly in the log loss."""
    if len(frames) <= count:
        return [frame.picture for frame in frames]
    falls = np.array([frame.log_fall for frame in frames])
    taken: list[int] = []
    for number, wanted in enumerate(np.linspace(falls[0], falls[-1], count)):
        # Behind the one before, and with enough behind it for those to come.
        first, last = (taken[-1] + 1 if taken else 0), len(frames) - count + number
        nearest = int(np.argmin(np.abs(falls[first : last + 1] - wanted))) + first
        taken.append(last if number == count - 1 else nearest)
    return [frames[index].picture for index in taken]


def encode(pictures: Sequence[np.ndarray], ending: str) -> bytes:
    """The bytes of an animation of pictures uint8 [H, W, 3], in a format of `FORMATS`."""
    file = io.BytesIO()
    if ending == ".mp4":
        _encode_mp4(pictures, file)
        return file.getvalue()
    first, *rest = map(Image.fromarray, pictures)
    durations = [1000 // _FRAMES_PER_SECOND] * len(rest) + [1000 * _SECONDS_OF_LAST]
    image_format, forever = ending[1:].upper(), 0
    first.save(
        file, image_format, save_all=True, append_images=rest, duration=durations, loop=forever
    )
    return file.getvalue()


def _most_redundant(frames: Sequence[Frame]) -> int:
    """The frame between the two nearest ones; never the first or the last."""
    falls = np.array([frame.log_fall for frame in frames])
    return 1 + int(np.argmin(falls[2:] - falls[:-2]))


def _encode_mp4(pictures: Sequence[np.ndarray], file: io.BytesIO) -> None:
    import av

    still = [pictures[-1]] * (_FRAMES_PER_SECOND * _SECONDS_OF_LAST)
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_FRAMES_PER_SECOND, options={"crf": "16"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in [*pictures, *still]:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
