"""Repaint a photograph in the manner of a painting.

python scripts/stylize.py --content=photo.jpg --style=painting.jpg --output=painted.png
"""

from typing import Any

from absl import flags

from nst_tf.cli import app, setting_flags
from nst_tf.errors import InputError

flags.DEFINE_string("content", None, "the photograph to repaint (required)")
flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); several as a.jpg,b.jpg, or, where names have "
    "commas, with the flag given several times",
)
flags.DEFINE_list("style_blend", [], "weights of the paintings, as 0.7,0.3; default: equal")
flags.DEFINE_multi_string(
    "style_mask",
    [],
    "a mask of the photograph for each painting, white where that applies; none for everywhere",
)
flags.DEFINE_multi_string(
    "style_region",
    [],
    "a mask of the painting for each painting, white where its style is; none for all of it",
)
flags.DEFINE_string("keep_mask", None, "a mask of the photograph, white where it must stay")
flags.DEFINE_string("output", None, "the picture (required): .png, .jpg, .webp or .tiff")
flags.DEFINE_string(
    "preview",
    None,
    "a file for the picture so far, written over every few seconds, for a viewer that follows it",
)
flags.DEFINE_string("loss_log", None, "a file for the losses of each step, as JSON Lines")
flags.DEFINE_string("snapshots_dir", None, "a folder for pictures on the way, of one run")
flags.DEFINE_integer("snapshot_every", 10, "steps between two of them", lower_bound=1)
flags.DEFINE_string(
    "animation",
    None,
    "a film of the run, .gif, .webp (both loop) or .mp4 (needs the package av); each frame lowers "
    "the loss by the same factor",
)
flags.DEFINE_integer("animation_frames", 60, "how many frames it has at most", lower_bound=2)
flags.DEFINE_string(
    "tensorboard_dir", None, "a folder for TensorBoard: losses, seconds of a step, the picture"
)
flags.DEFINE_integer("tensorboard_every", 10, "steps between two pictures there", lower_bound=1)
flags.DEFINE_string(
    "checkpoint",
    None,
    "a file to continue a stopped or killed run from; a run without it that is stopped writes "
    "OUTPUT.checkpoint",
)
flags.DEFINE_float("checkpoint_every", 60, "seconds between two checkpoints", lower_bound=0)
flags.DEFINE_boolean("resume", False, "continue from the checkpoint, if there is one")
flags.DEFINE_boolean(
    "record",
    True,
    "write the record of the run: OUTPUT.json, as painted.png.json, and a text within a .png",
)
flags.DEFINE_string(
    "from_record",
    None,
    "a record, .json or .png, whose run is repeated; other flags that are given win",
)
flags.DEFINE_boolean("quiet", False, "show no progress")
setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)

# What a record keeps of the command line besides the settings.
_RECORDED = ("content", "style", "style_mask", "style_region", "keep_mask", "style_blend", "recipe")
# The record of --from_record, when it has been read.
_record: dict[str, Any] = {}


def main() -> None:
    """Optimize as the flags say."""
    from nst_tf.cli import stylize

    values = flags.FLAGS.flag_values_dict()
    layers = setting_flags.layers_of_each_style()
    recorded_flags = {name: values[name] for name in _RECORDED}
    recorded_flags["style_layers"] = values["style_layers"] if layers else None
    settings = setting_flags.settings_from_flags(_record.get("settings"), layers_of_each=True)
    options = stylize.Options(**app.flag_values(stylize.Options))
    stylize.stylize(options, settings, layers, _record, recorded_flags)


def set_flag_defaults() -> None:
    """Take from the record what is not given."""
    from nst_tf.run import record

    path = flags.FLAGS["from_record"].value
    if not path:
        return
    _record.update(record.read(path))
    # A recipe that is given has its own layers.
    names = _RECORDED if flags.FLAGS["recipe"].present else (*_RECORDED, "style_layers")
    for name in names:
        value = _record["flags"].get(name)
        if value is not None:
            try:
                flags.FLAGS.set_default(name, value)
            except flags.Error as error:
                raise InputError(f"from_record={path}: {error}") from error


if __name__ == "__main__":
    app.run(main, ["content", "style", "output"], set_flag_defaults)
