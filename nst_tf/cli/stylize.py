"""stylize.py: read the images, optimize, write the picture and its record."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import NoReturn

import numpy as np

from nst_tf import atomic_files, coarse_to_fine
from nst_tf.callbacks import animation
from nst_tf.callbacks.base import Callback, notify
from nst_tf.callbacks.checkpointing import Checkpointing
from nst_tf.callbacks.loss_log import LossLog
from nst_tf.callbacks.progress_bar import ProgressBar
from nst_tf.callbacks.snapshots import Snapshots
from nst_tf.callbacks.tensorboard import TensorBoard
from nst_tf.cli import app, inputs
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture
from nst_tf.networks import vgg
from nst_tf.run import checkpoint, record
from nst_tf.run.progress import Progress, State
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
    content = image_io.read(options.content)
    paths, masks, regions = map(
        inputs.split, (options.style, options.style_mask, options.style_region)
    )
    blend = options.style_blend
    styles = inputs.read_styles(
        paths, content, blend=blend, masks=masks, regions=regions, layers=layers
    )
    keep_mask = None
    if options.keep_mask:
        keep_mask = inputs.read_mask("keep_mask", options.keep_mask, content)
    sources = [options.content, *paths, *masks, *regions, options.keep_mask or ""]
    start = inputs.read_start(settings.init)
    if start is not None:
        sources.append(settings.init)
    _check_outputs(
        options, [*sources, settings.vgg_weights], settings.size or max(content.rgb.shape)
    )

    run_inputs = record.run_inputs(
        content.rgb,
        styles,
        settings,
        weights_sha256=vgg.origin(settings).get("sha256"),
        start=start,
        keep_mask=keep_mask,
        alpha=content.alpha,
    )
    state = _state(options, run_inputs, recorded)
    run = coarse_to_fine.optimize(
        content.rgb,
        styles,
        settings,
        start=start,
        keep_mask=keep_mask,
        alpha=content.alpha,
        resume=state,
    )
    callbacks = _callbacks(options, run_inputs, state)
    del state  # or all of it would be held as long as the run
    painting = _Painting(options, content, run_inputs, flags or {})
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
    if options.checkpoint:
        checkpoint.check(options.checkpoint, resume=options.resume)
    elif options.resume:
        raise InputError("resume: needs the file to continue from; give --checkpoint")
    if options.snapshots_dir:
        atomic_files.check(Path(options.snapshots_dir, "snapshot.png"))
    app.check_no_overwrite(
        sources,
        output=options.output,
        loss_log=options.loss_log,
        animation=options.animation,
        checkpoint=options.checkpoint,
        record=options.record_path if options.record else None,
    )


def _state(options: Options, run_inputs: Json, recorded: Json | None) -> State | None:
    """The state to resume, or a record's plan to begin with; None to plan anew."""
    say = print if not options.quiet else lambda line: None
    if options.resume and options.checkpoint:
        state = checkpoint.load(options.checkpoint, run_inputs)
        if state is not None:
            say(f"continuing from {options.checkpoint}")
            return state
        say("there is no checkpoint yet; starting afresh")
    if not recorded:
        return None
    if "stopped" in recorded:
        say("the recorded run was stopped; this one goes to its end")
    differences = record.differences(recorded, run_inputs)
    if differences:
        say(f"not the same as the record: {'; '.join(differences)}")
    return None if differences else checkpoint.initial_state(recorded)


def _callbacks(options: Options, run_inputs: Json, state: State | None) -> list[Callback]:
    callbacks: list[Callback] = [] if options.quiet else [ProgressBar()]
    if options.tensorboard_dir:
        callbacks.append(TensorBoard(options.tensorboard_dir, options.tensorboard_every))
    if options.loss_log:  # after what may be refused: it empties an old log
        callbacks.append(LossLog(options.loss_log, resumed=state))
    if options.snapshots_dir:
        callbacks.append(Snapshots(options.snapshots_dir, options.snapshot_every))
    if options.animation:
        callbacks.append(animation.Animation(options.animation, options.animation_frames))
    if options.checkpoint:
        seconds = options.checkpoint_every
        callbacks.append(Checkpointing(options.checkpoint, run_inputs, seconds))
    return callbacks


class _Painting:
    """The picture of a run, written at its end or where it is stopped."""

    def __init__(self, options: Options, content: Picture, run_inputs: Json, flags: Json):
        self._options, self._content = options, content
        self._run_inputs, self._flags = run_inputs, flags
        self._record: Json = {}
        self._losses: Json = {}
        self._last: Progress | None = None
        self._began = monotonic()

    def follow(self, run: Iterable[Progress]) -> None:
        """Follow a run to its end, or to what ends it after the first step, and write."""
        try:
            for progress in run:
                if self._last is None:
                    self._record = record.make_record(self._run_inputs, progress.state())
                self._last = progress
                if progress.accepted or not self._losses:
                    self._losses = progress.losses._asdict()
        except (Exception, KeyboardInterrupt) as error:
            if self._last is None:
                raise
            self._stop(self._last, error)
        assert self._last is not None  # a run has a step at least
        seconds = timedelta(seconds=round(monotonic() - self._began))
        self._write(self._last.image())
        if not self._options.quiet:
            beside = f"; its record is {self._options.record_path}" if self._options.record else ""
            print(f"painted {self._options.output} in {seconds}{beside}")

    def _write(self, picture: np.ndarray) -> None:
        """Write the picture, and its record beside and within it."""
        options, content = self._options, self._content
        flags = {name: self._flags.get(name) for name in ("style_blend", "style_layers", "recipe")}
        note = json.dumps({**self._record, "flags": flags}) if options.record else ""
        image_io.write(options.output, picture, alpha=content.alpha, bits=content.bits, note=note)
        if options.record:
            whole = {
                **self._record,
                "flags": dict(self._flags),
                "losses": {name: float(loss) for name, loss in self._losses.items()},
                "seconds": round(monotonic() - self._began, 1),
            }
            atomic_files.replace(options.record_path, (json.dumps(whole, indent=1) + "\n").encode())

    def _stop(self, last: Progress, error: BaseException) -> NoReturn:
        """Write what there is, and say what ended the run."""
        self._record["stopped"] = {"scale": last.scale, "steps": last.step + 1}
        options, outcome = self._options, []
        try:
            self._write(last.image())
            outcome.append(f"wrote {options.output}")
        except InputError as unwritten:
            outcome.append(str(unwritten))
        if not app.interrupted():
            if isinstance(error, InputError):
                raise InputError(f"{error}; from before that: {'; '.join(outcome)}") from error
            raise error
        if options.checkpoint:
            try:
                checkpoint.save(options.checkpoint, last.state(), self._run_inputs)
                outcome.append(f"--resume continues from {options.checkpoint}")
            except InputError as unwritten:
                outcome.append(str(unwritten))
        height, width = last.scales[last.scale]
        steps = last.steps[last.scale]
        where = f"at step {last.step + 1} of {steps} at {width} x {height} px"
        raise KeyboardInterrupt(f"{where}; {'; '.join(outcome)}") from error
