"""Export a model that runs without this package: on a server, in another language.

python scripts/export.py --model=optimizer --output_dir=optimizer

The result has the photograph's size unless --size is given. An optimizer takes all settings but
--steps, --content_weight and --tv_weight, which each request gives, --strength, --max_memory and
--jit_compile, and paints in the painting's colours; an extractor takes those of the network; fast
none.
"""

from dataclasses import replace

from absl import flags

from nst_tf.cli import app, setting_flags

flags.DEFINE_enum(
    "model",
    None,
    ["extractor", "optimizer", "fast"],
    "what to export (required): the VGG features, the whole optimisation as one graph, or the "
    "feed-forward network",
)
flags.DEFINE_string("output_dir", None, "a new folder for the export (required)")
flags.DEFINE_boolean("overwrite", False, "replace an export that is there")
flags.DEFINE_enum(
    "format",
    "saved_model",
    ["saved_model", "tflite"],
    "tflite, of fast only: a float32 and an int8 model for photographs of one size",
)
flags.DEFINE_list(
    "shape",
    None,
    "height and width of the photographs of a tflite model, in pixels, each 32 to 2048; default: "
    "384,384",
)
setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)


def main() -> None:
    """Export as the flags say."""
    from nst_tf.cli import export

    given = setting_flags.given_names()
    settings = setting_flags.settings_from_flags()
    if "size" not in given:
        settings = replace(settings, size=0)
    export.export(export.Options(**app.flag_values(export.Options)), settings, given)


if __name__ == "__main__":
    app.run(main, ["model", "output_dir"])
