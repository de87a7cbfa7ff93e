"""export.py: build a model that runs without this package, and write it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nst_tf.errors import InputError
from nst_tf.export import models, saving
from nst_tf.run.pyramid import MIN_SIDE
from nst_tf.settings import Settings

# A TensorFlow Lite model of larger images would take more memory than phones have.
_MAX_SIDE = 2048
_DEFAULT_SHAPE = (384, 384)
_VGG_MODELS = {"extractor": models.ExportedExtractor, "optimizer": models.ExportedOptimization}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of export.py besides the settings; their help says what they mean."""

    model: str
    output_dir: str
    overwrite: bool
    format: str
    shape: Sequence[str] | None


def export(options: Options, settings: Settings, given: Collection[str]) -> None:
    """Export a model; `given` are the names of the settings that were given."""
    vgg_model = _VGG_MODELS.get(options.model)
    names = ("recipe", *vgg_model.settings_names) if vgg_model else ()
    for name in given:
        if name not in names:
            raise _refusal(options.model, name, names)
    height, width = _shape(options)
    saving.check(options.output_dir, overwrite=options.overwrite)
    if options.format == "tflite":
        model = models.ExportedStylization()
        saving.save_lite(model, options.output_dir, height, width, overwrite=options.overwrite)
    elif vgg_model:
        saving.save(vgg_model(settings), options.output_dir, overwrite=options.overwrite)
    else:
        saving.save(models.ExportedStylization(), options.output_dir, overwrite=options.overwrite)
    print(f"exported {options.output_dir}")


def _refusal(model: str, name: str, names: Sequence[str]) -> InputError:
    requested = model == "optimizer" and name in (*models.REQUEST_SETTINGS, "strength")
    why = "each request gives it" if requested else "it is not made with it"
    return InputError(
        f"{name}: no setting of an exported {model}, {why}; leave it out "
        f"(there is {', '.join(names) or 'none'})"
    )


def _shape(options: Options) -> tuple[int, int]:
    if options.model != "fast" and options.format == "tflite":
        raise InputError(f"format=tflite: no format of an exported {options.model}; export fast")
    if options.shape is None:
        return _DEFAULT_SHAPE
    if options.format != "tflite":
        raise InputError("shape: a SavedModel takes any; leave it out, or give --format=tflite")
    sides = [int(side) if side.strip().isdecimal() else 0 for side in options.shape]
    if len(sides) != 2 or not MIN_SIDE <= min(sides) <= max(sides) <= _MAX_SIDE:
        raise InputError(
            f"shape={','.join(options.shape)}: expected height,width, each {MIN_SIDE} to "
            f"{_MAX_SIDE}"
        )
    return sides[0], sides[1]
