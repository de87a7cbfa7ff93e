"""video.py: paint a film frame by frame, and write it with its sound."""

import contextlib
import logging
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import NoReturn

import cv2
import numpy as np

from nst_tf import digests, feed_forward
from nst_tf.cli import app, inputs
from nst_tf.cli.fast import read_style
from nst_tf.errors import InputError, one_line
from nst_tf.networks import device, vgg
from nst_tf.run import memory_plan, pyramid, record
from nst_tf.run.record import Json
from nst_tf.run.session import Session
from nst_tf.settings import Settings
from nst_tf.video import film_writer, frame_store
from nst_tf.video.feed_forward import FastPainter
from nst_tf.video.film import Film, open_film
from nst_tf.video.film_painting import paint_film, painted_frames
from nst_tf.video.frame import Frame
from nst_tf.video.frame_by_frame import FramePainter
from nst_tf.video.frame_files import is_pattern
from nst_tf.video.frame_store import FrameStore
from nst_tf.video.optimization import OptimizationPainter
from nst_tf.video.progress_bar import FilmProgressBar

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of video.py besides the settings; their help says what they mean."""

    content: str
    style: Sequence[str]
    style_blend: Sequence[str]
    output: str
    method: str
    handle: str
    start: float
    seconds: float
    fps: float
    frame_steps: int
    temporal_weight: float
    keyframes: int
    passes: int
    codec: str | None
    crf: int
    frames_dir: str | None
    resume: bool
    quiet: bool

    @property
    def encoder(self) -> str:
        """Of the film; pictures that move need none."""
        return self.codec or ("libvpx-vp9" if self.output.lower().endswith(".webm") else "libx264")

    @property
    def folder(self) -> str:
        """Where the painted frames are."""
        return self.frames_dir or f"{self.output}.frames"


def paint(
    options: Options,
    settings: Settings,
    strength: float = 1.0,
    given: Collection[str] = (),
) -> None:
    """Paint as the flags say, and write the film, also where the run fails or is stopped.

    `strength` is that of the fast method; the settings have the other's. `given` are the names of
    the settings that were given.
    """
    app.print_notices(quiet=options.quiet)
    _check(options, settings, given)
    paths = inputs.split(options.style)
    app.check_no_overwrite([options.content, *paths], output=options.output)
    frame_store.check(options.folder, resume=options.resume)
    film = open_film(
        options.content,
        size=settings.size,
        start=options.start,
        seconds=options.seconds,
        fps=options.fps,
    )
    pyramid.scale_sizes(*film.size, settings)
    film_writer.check_output(options.output, film, codec=options.encoder, crf=options.crf)
    make_painter = _painter_maker(options, settings, strength, paths)
    plan = {"memory": list(memory_plan.used_and_free())}
    all_inputs = _inputs(options, settings, strength, film, paths)
    folder, passes = options.folder, options.passes
    opened = FrameStore(folder, passes, all_inputs, plan, resume=options.resume)
    began = monotonic()
    with contextlib.closing(opened) as store:
        if options.resume:
            _LOG.info("%d frames are there in %s", store.num_frames(), options.folder)
        _follow(options, film, make_painter(store), store)
        try:
            count = _write(options, film, store)
        except InputError as error:
            raise InputError(f"{error}; {_how_to_go_on(options)}") from error
        if not options.frames_dir:
            store.remove()
    if not options.quiet:
        seconds = timedelta(seconds=round(monotonic() - began))
        print(f"painted {options.output}: {count} frames in {seconds}")


def _check(options: Options, settings: Settings, given: Collection[str]) -> None:
    """Refuse what would be without effect, or cannot be."""
    unused = [name for name in given if name not in ("size", "strength")]
    if options.method == "fast" and unused:
        raise InputError(f"{unused[0]}: method=fast takes no such setting; leave it out")
    if settings.init not in ("content", "noise"):
        raise InputError(f"init={settings.init}: expected content or noise for a film")
    folder = Path(options.output).resolve().parent
    if folder in (Path(options.content).resolve(), Path(options.content).resolve().parent):
        is_frames = Path(options.content).is_dir() or is_pattern(options.content)
        if is_frames and Path(options.output).suffix.lower() in (".gif", ".webp", ".png"):
            raise InputError(
                f"output={options.output}: would be one of the frames of {options.content}; give "
                "another folder"
            )


def _inputs(
    options: Options, settings: Settings, strength: float, film: Film, paths: Sequence[str]
) -> Json:
    """All that the frames depend on."""
    names = ["method", "start", "seconds", "fps", "passes", "style_blend"]
    if options.method == "optimize":
        names += ["frame_steps", "temporal_weight", "keyframes"]
    values: Json = {name: getattr(options, name) for name in names}
    values |= {"film": film.fingerprint, "styles": [digests.file_sha256(path) for path in paths]}
    if options.method == "fast":
        values |= {"size": settings.size, "handle": options.handle, "strength": strength}
    else:
        values |= settings.as_dict() | {"weights": vgg.origin(settings).get("sha256")}
    return values | {"versions": record.versions() | {"opencv": cv2.__version__}}


def _painter_maker(
    options: Options, settings: Settings, strength: float, paths: Sequence[str]
) -> Callable[[FrameStore], FramePainter]:
    """What makes the painter of a store's frames, with all that it reads read and checked."""
    if options.method == "fast":
        weights = inputs.parse_weights("style_blend", options.style_blend, len(paths))
        images = [np.asarray(read_style(path))[np.newaxis] for path in paths]
        model = feed_forward.load(options.handle)
        _LOG.info("on %s", device.describe())
        painter = FastPainter(model, images, weights or [1.0] * len(images), strength)
        return lambda store: painter
    styles = inputs.read_styles(
        paths, long_side=pyramid.style_long_side(settings), blend=options.style_blend
    )

    def make(store: FrameStore) -> FramePainter:
        used, free = store.plan["memory"]
        return OptimizationPainter(
            styles,
            settings,
            temporal_weight=options.temporal_weight,
            steps=options.frame_steps,
            keyframes=options.keyframes,
            session=Session((used, free)),
        )

    return make


def _follow(options: Options, film: Film, painter: FramePainter, store: FrameStore) -> None:
    """Paint to the end, or to what ends the run."""
    bar = None if options.quiet else FilmProgressBar()
    progress = None
    try:
        for progress in app.interruptible(paint_film(film, painter, store)):
            if bar:
                bar.on_frame(progress)
    except (Exception, KeyboardInterrupt) as error:
        if bar:
            bar.close()
        if progress is None:
            raise
        _stop(options, film, store, error)
    if bar:
        bar.close()
    if progress is None:
        raise InputError(f"{options.content}: no frame of it can be read; save it again")


def _write(options: Options, film: Film, store: FrameStore, *, is_whole: bool = True) -> int:
    """Write the film of the frames that are painted; their number."""
    count = 0

    def counted() -> Iterator[Frame]:
        nonlocal count
        for frame in painted_frames(film, store):
            count += 1
            yield frame

    film_writer.write_film(
        options.output,
        counted(),
        film,
        codec=options.encoder,
        crf=options.crf,
        is_whole=is_whole,
    )
    return count


def _how_to_go_on(options: Options) -> str:
    flag = f"--frames_dir={shlex.quote(options.folder)} " if options.frames_dir else ""
    return f"{flag}--resume goes on with the frames in {options.folder}"


def _stop(options: Options, film: Film, store: FrameStore, error: BaseException) -> NoReturn:
    """Write the film so far, and say what ended the run."""
    try:
        count = _write(options, film, store, is_whole=False)
        outcome = f"wrote {count} frames to {options.output}"
    except Exception as failure:  # the frames are worth more than the film
        outcome = one_line(failure, max_length=1000)
    outcome += f"; {_how_to_go_on(options)}"
    if app.interrupted():
        raise KeyboardInterrupt(f"on the way; {outcome}") from error
    if isinstance(error, InputError):
        raise InputError(f"{error}; {outcome}") from error
    raise error
