"""The outcome of a run: the picture, its record, and its state in a file."""

import logging
from pathlib import Path

from nst_tf.app.continuation import Course
from nst_tf.app.painted import Painted, PaintRequest, SavedState
from nst_tf.errors import InputError
from nst_tf.networks import vgg
from nst_tf.run import checkpoint, record
from nst_tf.run.progress import Progress
from nst_tf.run.record import Json

_LOG = logging.getLogger(__name__)


def painted(
    request: PaintRequest, course: Course, path: Path, last: Progress, seconds: float, message: str
) -> Painted:
    """The picture after the last step of a run, whose state goes to `path`."""
    picture, inputs = last.image(), _inputs(request, course)
    return Painted(
        request=request,
        picture=picture,
        record=_record(request, course, last, inputs),
        is_finished=last.done == 1,
        seconds=course.seconds + seconds,
        message=message,
        saved=_save(path, course, last, inputs),
    )


def _inputs(request: PaintRequest, course: Course) -> Json:
    # A run from an earlier picture is at one scale; who repeats it has the photograph alone.
    settings = request.settings if course.has_start else course.settings
    photograph = request.photograph
    inputs = record.run_inputs(
        photograph.rgb,
        request.styles,
        settings,
        weights_sha256=vgg.origin(settings).get("sha256"),
        start=course.start,
        keep_mask=request.keep_mask,
        alpha=photograph.alpha,
    )
    if course.start_digest is not None:
        inputs["images"]["start"] = course.start_digest
    return inputs


def _record(request: PaintRequest, course: Course, last: Progress, inputs: Json) -> Json:
    whole = record.make_record(inputs, last.state())
    if last.done < 1:
        whole["stopped"] = {"scale": last.scale, "steps": last.step + 1}
    if not course.is_one_run(last):
        origin = "picture" if course.has_start else "state"
        whole["continued"] = {"from": origin, "steps": [*course.taken_until(last)]}
    flags: Json = {"style_blend": [f"{style.weight:g}" for style in request.styles]}
    if any(style.layers is not None for style in request.styles):
        every = request.settings.style_layers
        layers = [",".join(style.layers or every) for style in request.styles]
        flags["style_layers"] = "/".join(layers).split(",")
    return record.make_note(whole, {**flags, "recipe": request.recipe})


def _save(path: Path, course: Course, last: Progress, inputs: Json) -> SavedState | None:
    """Write the state; without it, the picture itself can be gone on from."""
    try:
        checkpoint.save(str(path), last.state(), inputs, rescue=False)
    except (InputError, MemoryError) as error:
        _LOG.warning("%s; going on will begin from the picture", error)
        return None
    return SavedState(
        path, inputs, course.settings, course.taken_until(last), course.has_start, course.is_reread
    )
