"""Export a model that runs without this package: on a server, in another language.

python scripts/export.py --model=optimizer --output_dir=optimizer

The result has the photograph's size unless --size is given. An optimizer takes all settings but
--steps, --content_weight and --tv_weight, which each request gives, --strength, --max_memory and
--jit, and paints in the painting's colours; an extractor takes those of the network; fast none.
"""

from dataclasses import fields, replace

from absl import flags

from nst_tf import settings
from nst_tf.cli import app, setting_flags
from nst_tf.errors import InputError

_MODEL = flags.DEFINE_enum(
    "model",
    None,
    ["extractor", "optimizer", "fast"],
    "what to export (required): the VGG features, the whole optimisation as one graph, or the "
    "feed-forward network",
)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "a new folder for the export (required)")
_OVERWRITE = flags.DEFINE_boolean("overwrite", False, "replace an export that is there")
_FORMAT = flags.DEFINE_enum(
    "format",
    "saved_model",
    ["saved_model", "tflite"],
    "tflite, of fast only: a float32 and an int8 model for photographs of one size",
)
_SHAPE = flags.DEFINE_list(
    "shape",
    ["384", "384"],
    "height and width of the photographs of a tflite model, in pixels, each 32 to 2048",
)
# A TensorFlow Lite model of larger pictures would take more memory than phones have.
_LONGEST = 2048


def main() -> None:
    """Build the model, write it."""
    from nst_tf.export import models, saving

    kinds = {"extractor": models.Extractor, "optimizer": models.Optimizer, "fast": models.Fast}
    kind, lite = kinds[_MODEL.value], _FORMAT.value == "tflite"
    _check_knobs(kind.knobs)
    height, width = _shape()
    saving.check(_OUTPUT_DIR.value, overwrite=_OVERWRITE.value)
    knobs = [_settings()] if kind.knobs else []
    if lite:
        saving.save_lite(
            models.Fast(), _OUTPUT_DIR.value, height, width, overwrite=_OVERWRITE.value
        )
    else:
        saving.save(kind(*knobs), _OUTPUT_DIR.value, overwrite=_OVERWRITE.value)
    print(f"exported {_OUTPUT_DIR.value}")


def _settings() -> settings.Settings:
    """The given ones; a server's picture keeps its size unless another was asked for."""
    given = setting_flags.from_flags()
    return given if flags.FLAGS["size"].present else replace(given, size=0)


def _check_knobs(knobs: tuple[str, ...]) -> None:
    """Refuse a setting that this model does not have."""
    from nst_tf.export import models

    for knob in fields(settings.Settings):
        if flags.FLAGS[knob.name].present and knob.name not in knobs:
            requested = _MODEL.value == "optimizer" and knob.name in models.REQUESTED
            why = "each request gives it" if requested else "it is not made with it"
            raise InputError(
                f"{knob.name}: no setting of an exported {_MODEL.value}, {why}; leave it out "
                f"(there is {', '.join(knobs) or 'none'})"
            )


def _shape() -> tuple[int, int]:
    from nst_tf.run.pyramid import SHORTEST

    if _MODEL.value != "fast" and _FORMAT.value == "tflite":
        raise InputError(f"format=tflite: no format of an exported {_MODEL.value}; export fast")
    if _FORMAT.value != "tflite" and flags.FLAGS["shape"].present:
        raise InputError("shape: a SavedModel takes any; leave it out, or give --format=tflite")
    sides = [int(side) if side.strip().isdecimal() else 0 for side in _SHAPE.value]
    if len(sides) != 2 or not SHORTEST <= min(sides) <= max(sides) <= _LONGEST:
        raise InputError(
            f"shape={','.join(_SHAPE.value)}: expected height,width, each {SHORTEST} to {_LONGEST}"
        )
    return sides[0], sides[1]


setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)

if __name__ == "__main__":
    app.run(main, required=["model", "output_dir"])
