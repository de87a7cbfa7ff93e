"""Repaint a photograph in the manner of a painting.

python scripts/stylize.py --content=photo.jpg --style=painting.jpg --output=painted.png
"""

import json
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

from absl import flags

from nst_tf.cli import app, setting_flags
from nst_tf.errors import InputError

_CONTENT = flags.DEFINE_string("content", None, "the photograph to repaint (required)")
_STYLE = flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); several as a.jpg,b.jpg, or, where names have "
    "commas, with the flag given several times",
)
_BLEND = flags.DEFINE_list(
    "style_blend",
    [],
    "how much each painting counts, as 0.7,0.3; need not add up to 1; equally, if it is not given",
)
_MASK = flags.DEFINE_multi_string(
    "style_mask",
    [],
    "a picture of the photograph's shape for each painting, white where that applies; none for "
    "everywhere; several as of --style",
)
_REGION = flags.DEFINE_multi_string(
    "style_region",
    [],
    "a picture of the painting's shape for each painting, white where it is to be learnt from; "
    "none for all of it; several as of --style",
)
_KEEP = flags.DEFINE_string(
    "content_mask", None, "a picture of the photograph's shape, white where it must stay as it is"
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "where the picture goes (required); its ending says how: .png, .jpg, .webp or .tiff",
)
_LOSS_LOG = flags.DEFINE_string(
    "loss_log", None, "a file for the losses of each step, as JSON Lines"
)
_SNAPSHOTS = flags.DEFINE_string("snapshots_dir", None, "a folder for pictures on the way")
_ANIMATION = flags.DEFINE_string(
    "animation",
    None,
    "a film of the run, .gif, .webp (both loop) or .mp4 (needs the package av); each frame lowers "
    "the loss by the same factor",
)
_FRAMES = flags.DEFINE_integer(
    "animation_frames", 60, "how many frames it has at most", lower_bound=2
)
_TENSORBOARD = flags.DEFINE_string(
    "tensorboard_dir", None, "a folder for TensorBoard: losses, seconds of a step, the picture"
)
_EVERY = flags.DEFINE_integer(
    "snapshot_every", 10, "steps from one picture of these to the next", lower_bound=1
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "a file that a run which was stopped or killed can go on from"
)
_CHECKPOINT_EVERY = flags.DEFINE_float(
    "checkpoint_every", 60, "seconds from one checkpoint to the next", lower_bound=0
)
_RESUME = flags.DEFINE_boolean("resume", False, "go on from the checkpoint, if there is one")
_RECORD = flags.DEFINE_boolean(
    "record",
    True,
    "leave a record of the run: OUTPUT.json with all settings, and a text within a .png",
)
_SETTINGS = flags.DEFINE_string(
    "settings",
    None,
    "a record, .json or .png, whose run is to be repeated; flags given besides go before it",
)
_QUIET = flags.DEFINE_boolean("quiet", False, "show no progress")
# What a record needs besides to repeat a run.
_FILES = ("content", "style", "style_mask", "style_region", "content_mask")
# The record that is repeated, when it has been read.
_recalled: dict[str, Any] = {}


def main() -> None:
    """Read the pictures, paint, write the picture."""
    from nst_tf import transfer
    from nst_tf.callbacks import progress_bar
    from nst_tf.cli import inputs
    from nst_tf.images import image_io
    from nst_tf.networks import vgg
    from nst_tf.run import record

    progress_bar.print_notices(quiet=_QUIET.value)
    layers = setting_flags.style_layer_groups()
    union = dict.fromkeys(name for group in layers for name in group)
    knobs = setting_flags.from_flags(**({"style_layers": tuple(union)} if layers else {}))
    content = image_io.read(_CONTENT.value)
    paintings, masks, regions = map(inputs.split, (_STYLE.value, _MASK.value, _REGION.value))
    styles = inputs.styles(
        paintings,
        content,
        shares=_BLEND.value,
        masks=masks,
        regions=regions,
        layers=layers,
    )
    keep = inputs.mask("content_mask", _KEEP.value, content) if _KEEP.value else None
    start = None if knobs.init in ("content", "noise") else image_io.read(knobs.init).rgb
    started = [] if start is None else [knobs.init]
    _check_outputs(
        [_CONTENT.value, *paintings, *masks, *regions, knobs.vgg_weights, *started],
        knobs.size or max(content.rgb.shape),
    )

    weights = vgg.origin(knobs).get("sha256")
    task = record.task(content.rgb, styles, knobs, weights=weights, start=start, keep=keep)
    state = _state(task)
    stream = transfer.optimize(content.rgb, styles, knobs, start=start, keep=keep, resume=state)
    stream = _watched(app.hear(stream), task, state)
    del state  # or all of it would be held as long as the run
    painted, trouble = _paint(stream, task)
    if trouble is not None:
        _stop(painted, content, task, trouble)
    _write(painted, content)
    _say(f"painted {_OUTPUT.value}")


def _check_outputs(read: list[str], size: int) -> None:
    """Refuse what could not be written at the end, or would be lost."""
    from nst_tf import files
    from nst_tf.callbacks import animation
    from nst_tf.images import image_io
    from nst_tf.run import checkpoint, record

    image_io.check_output(_OUTPUT.value, size)
    if _RECORD.value:
        path = _record_path()
        files.check(path)
        if Path(path).exists() and not record.is_record(path):
            raise InputError(f"{path}: is there already and no record; give --norecord")
    if _ANIMATION.value:
        animation.check(_ANIMATION.value)
    if _CHECKPOINT.value:
        checkpoint.check(_CHECKPOINT.value, resume=_RESUME.value)
    if _SNAPSHOTS.value:
        files.check(Path(_SNAPSHOTS.value, "snapshot.png"))
    if _RESUME.value and not _CHECKPOINT.value:
        raise InputError("resume: needs the file to go on from; give --checkpoint")
    app.keep_apart(
        [*read, _KEEP.value or ""],
        output=_OUTPUT.value,
        loss_log=_LOSS_LOG.value,
        animation=_ANIMATION.value,
        checkpoint=_CHECKPOINT.value,
        record=_record_path() if _RECORD.value else None,
    )


def _state(task: dict):
    """What to go on from, or to begin with; None to decide that anew."""
    from nst_tf.run import checkpoint, record

    if _RESUME.value:
        state = checkpoint.load(_CHECKPOINT.value, task)
        if state is not None:
            _say(f"going on from {_CHECKPOINT.value}")
            return state
        _say("there is no checkpoint yet; starting afresh")
    if not _recalled:
        return None
    if "stopped" in _recalled:
        _say(f"the run of {_SETTINGS.value} was stopped; this one goes to its end")
    differences = record.differences(_recalled, task)
    if differences:
        _say(f"not the same as {_SETTINGS.value}: {'; '.join(differences)}")
    return None if differences else checkpoint.begun(_recalled)


def _watched(stream, task: dict, state):
    """The run with all that was asked to be told of it."""
    from nst_tf.callbacks import animation, progress_bar, snapshots, tensorboard
    from nst_tf.run import checkpoint

    if _LOSS_LOG.value:
        stream = progress_bar.log_losses(stream, _LOSS_LOG.value, resumed=state)
    if _TENSORBOARD.value:
        stream = tensorboard.write(stream, _TENSORBOARD.value, _EVERY.value)
    if _SNAPSHOTS.value:
        stream = snapshots.write(stream, _SNAPSHOTS.value, _EVERY.value)
    if _ANIMATION.value:
        stream = animation.film(stream, _ANIMATION.value, _FRAMES.value)
    if _CHECKPOINT.value:
        stream = checkpoint.keep(stream, _CHECKPOINT.value, task, _CHECKPOINT_EVERY.value)
    return stream if _QUIET.value else progress_bar.show(stream)


@dataclass
class _Painted:
    """What there is of a run: where it stands, its record, the losses of its picture."""

    last: Any
    record: dict
    losses: dict[str, Any]
    seconds: float


def _paint(stream, task: dict) -> tuple[_Painted, BaseException | None]:
    """Paint to the end, or to what ends it after the first step."""
    from nst_tf.run import record

    painted, began = None, monotonic()
    try:
        for progress in stream:
            painted = painted or _Painted(progress, record.of(task, progress.state()), {}, 0)
            painted.last, painted.seconds = progress, monotonic() - began
            if progress.accepted:
                painted.losses = progress.losses._asdict()
    except (Exception, KeyboardInterrupt) as error:
        if painted is None:
            raise
        last = painted.last
        painted.record["stopped"] = {"scale": last.scale, "steps": last.step + 1}
        return painted, error
    return painted, None


def _write(painted: _Painted, content) -> None:
    """Write the picture and its record."""
    from nst_tf import files
    from nst_tf.images import image_io

    # Layers of each painting; those of all are a setting.
    layers = flags.FLAGS["style_layers"].value if setting_flags.style_layer_groups() else None
    told = {**painted.record, "flags": {"style_blend": _BLEND.value, "style_layers": layers}}
    note = json.dumps(told) if _RECORD.value else ""
    picture = painted.last.image()
    image_io.write(_OUTPUT.value, picture, alpha=content.alpha, bits=content.bits, note=note)
    if _RECORD.value:
        told["flags"] |= {name: flags.FLAGS[name].value for name in _FILES}
        losses = {name: float(loss) for name, loss in painted.losses.items()}
        told |= {"losses": losses, "seconds": round(painted.seconds, 1)}
        files.replace(_record_path(), (json.dumps(told, indent=1) + "\n").encode())


def _stop(painted: _Painted, content, task: dict, trouble: BaseException) -> NoReturn:
    """Write what there is, and say what ended the run."""
    from nst_tf.run import checkpoint

    wrote, failed = [], []

    def attempt(path: str, write) -> None:
        try:
            write()
            wrote.append(path)
        except InputError as error:
            failed.append(str(error))

    attempt(_OUTPUT.value, lambda: _write(painted, content))
    if _CHECKPOINT.value and app.interrupted():
        state = painted.last.state()
        attempt(_CHECKPOINT.value, lambda: checkpoint.save(_CHECKPOINT.value, state, task))
    there = "; ".join([f"wrote {' and '.join(wrote)}"] * bool(wrote) + failed)
    if app.interrupted():
        last = painted.last
        height, width = last.scales[last.scale]
        step = f"step {last.step + 1} of {last.steps[last.scale]} at {width} x {height} px"
        more = "; --resume goes on from there" if _CHECKPOINT.value in wrote else ""
        raise KeyboardInterrupt(f"at {step}; {there}{more}") from trouble
    if isinstance(trouble, InputError):
        raise InputError(f"{trouble}; from before that: {there}") from trouble
    raise trouble


def _recall() -> None:
    """Take what was not given from the record that is to be repeated."""
    from nst_tf.run import record

    if not _SETTINGS.value:
        return
    _recalled.update(record.read(_SETTINGS.value))
    given = {name: value for name, value in _recalled["flags"].items() if value is not None}
    layers = {"style_layers": given.pop("style_layers")} if "style_layers" in given else {}
    try:
        setting_flags.recall(_recalled["settings"] | layers)
        for name in {*_FILES, "style_blend"} & {*given}:
            flags.FLAGS.set_default(name, given[name])
    except (InputError, flags.Error) as error:
        raise InputError(f"settings={_SETTINGS.value}: {error}") from error


def _record_path() -> str:
    return str(Path(_OUTPUT.value).with_suffix(".json"))


def _say(line: str) -> None:
    if not _QUIET.value:
        print(line)


setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)

if __name__ == "__main__":
    app.run(main, required=["content", "style", "output"], recall=_recall)
