"""stylize.py: read the images, optimize, write the picture and its record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nst_tf import atomic_files, coarse_to_fine
from nst_tf.callbacks import animation, snapshots
from nst_tf.callbacks.animation import Animation
from nst_tf.callbacks.base import Callback, notify
from nst_tf.callbacks.checkpointing import Checkpointing
from nst_tf.callbacks.loss_log import LossLog
from nst_tf.callbacks.progress_bar import ProgressBar
from nst_tf.callbacks.snapshots import Snapshots
from nst_tf.callbacks.tensorboard import TensorBoard
from nst_tf.cli import app, inputs
from nst_tf.cli.painting import Painting
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.networks import vgg
from nst_tf.run import checkpoint, pyramid, record
from nst_tf.run.checkpoint import Checkpoint
from nst_tf.run.progress import State
from nst_tf.run.record import Json
from nst_tf.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of stylize.py besides the settings; their help says what they mean."""

    content: str
    style: Sequence[str]
    style_blend: Sequence[str]
    style_mask: Sequence[str]
    style_region: Sequence[str]
    keep_mask: str | None
    output: str
    loss_log: str | None
    snapshots_dir: str | None
    snapshot_every: int
    animation: str | None
    animation_frames: int
    tensorboard_dir: str | None
    tensorboard_every: int
    checkpoint: str | None
    checkpoint_every: float
    resume: bool
    record: bool
    quiet: bool

    @property
    def record_path(self) -> str:
        """Where the record goes; a.png and a.jpg have one each."""
        return f"{self.output}.json"


def stylize(
    options: Options,
    settings: Settings,
    layers: Sequence[Sequence[str]] = (),
    recorded: Json | None = None,
    flags: Json | None = None,
) -> None:
    """Optimize as the flags say, and write the picture, also where the run fails or is stopped.

    `layers` are the style layers of each painting, `recorded` is the record that is repeated,
    `flags` is what the new record keeps of the command line.
    """
    app.print_notices(quiet=options.quiet)
    content = image_io.read(options.content, long_side=settings.size)
    long_side = settings.size or max(content.rgb.shape)
    paths, masks, regions = map(
        inputs.split, (options.style, options.style_mask, options.style_region)
    )
    blend = options.style_blend
    styles = inputs.read_styles(
        paths,
        content,
        long_side=pyramid.style_long_side(settings, long_side),
        blend=blend,
        masks=masks,
        regions=regions,
        layers=layers,
    )
    keep_mask = None
    if options.keep_mask:
        keep_mask = inputs.read_mask("keep_mask", options.keep_mask, content)
    sources = [options.content, *paths, *masks, *regions, options.keep_mask or ""]
    start = inputs.read_start(settings.init, long_side)
    if start is not None:
        sources.append(settings.init)
    _check_outputs(options, [*sources, settings.vgg_weights], long_side)

    run_inputs = record.run_inputs(
        content.rgb,
        styles,
        settings,
        weights_sha256=vgg.origin(settings).get("sha256"),
        start=start,
        keep_mask=keep_mask,
        alpha=content.alpha,
    )
    resumed = _resumed(options, run_inputs)
    state = resumed.state if resumed else _planned(options, run_inputs, recorded)
    run = coarse_to_fine.optimize(
        content.rgb,
        styles,
        settings,
        start=start,
        keep_mask=keep_mask,
        alpha=content.alpha,
        resume=state,
    )
    film = _film(options, resumed, content.alpha)
    callbacks = _callbacks(options, run_inputs, resumed, film, content.alpha)
    del resumed, state  # or all of it would be held as long as the run
    painting = Painting(options, content, run_inputs, flags or {}, film)
    painting.follow(notify(app.interruptible(run), callbacks))


def _check_outputs(options: Options, sources: list[str], long_side: int) -> None:
    """Refuse what could not be written at the end, or would be lost."""
    image_io.check_output(options.output, long_side)
    if options.record:
        path = options.record_path
        atomic_files.check(path)
        if Path(path).exists() and not record.is_record(path):
            raise InputError(f"{path}: is there already and no record; give --norecord")
    if options.animation:
        animation.check(options.animation)
    if options.snapshots_dir:
        snapshots.check(options.snapshots_dir, resume=options.resume)
    if options.checkpoint:
        checkpoint.check(options.checkpoint, resume=options.resume)
    elif options.resume:
        raise InputError("resume: needs the file to continue from; give --checkpoint")
    app.check_no_overwrite(
        sources,
        output=options.output,
        loss_log=options.loss_log,
        animation=options.animation,
        checkpoint=options.checkpoint,
        record=options.record_path if options.record else None,
    )


def _resumed(options: Options, run_inputs: Json) -> Checkpoint | None:
    """The checkpoint to continue from, if that is asked for and there is one."""
    if not (options.resume and options.checkpoint):
        return None
    found = checkpoint.load(options.checkpoint, run_inputs)
    if not options.quiet:
        origin = f"continuing from {options.checkpoint}"
        print(origin if found else "there is no checkpoint yet; starting afresh")
    return found


def _planned(options: Options, run_inputs: Json, recorded: Json | None) -> State | None:
    """A record's plan to begin with; None to plan anew."""
    if not recorded:
        return None
    say = print if not options.quiet else lambda line: None
    if "stopped" in recorded:
        say("the recorded run was stopped; this one goes to its end")
    if "continued" in recorded:
        say("the recorded picture was continued from an earlier one; this run paints it at one go")
    differences = record.differences(recorded, run_inputs)
    if differences:
        say(f"not the same as the record: {'; '.join(differences)}")
    return None if differences else checkpoint.initial_state(recorded)


def _callbacks(
    options: Options,
    run_inputs: Json,
    resumed: Checkpoint | None,
    film: Animation | None,
    alpha: np.ndarray | None,
) -> list[Callback]:
    """What follows the run."""
    callbacks: list[Callback] = [] if options.quiet else [ProgressBar()]
    if options.tensorboard_dir:
        callbacks.append(TensorBoard(options.tensorboard_dir, options.tensorboard_every))
    if options.loss_log:  # after what may be refused: it empties an old log
        callbacks.append(LossLog(options.loss_log, resumed=resumed.state if resumed else None))
    if options.snapshots_dir:
        callbacks.append(Snapshots(options.snapshots_dir, options.snapshot_every, alpha=alpha))
    if film:
        callbacks.append(film)
    if options.checkpoint:
        every = options.checkpoint_every
        callbacks.append(Checkpointing(options.checkpoint, run_inputs, every, film))
    return callbacks


def _film(
    options: Options, resumed: Checkpoint | None, alpha: np.ndarray | None
) -> Animation | None:
    """The animation that is asked for; it goes on where a run is resumed."""
    if not options.animation:
        return None
    arrays = resumed.film if resumed else None
    if resumed and not arrays and not options.quiet:
        print(f"{options.checkpoint} has no film; {options.animation} begins here")
    return Animation(options.animation, options.animation_frames, arrays=arrays, alpha=alpha)
