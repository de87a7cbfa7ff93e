"""Paint every photograph in the manner of every painting.

python scripts/batch.py --contents=photos --styles=paintings --output_dir=painted
"""

from absl import flags

from nst_tf.cli import app, setting_flags

flags.DEFINE_multi_string(
    "contents",
    None,
    'the photographs (required): a folder, a quoted glob as "photos/*.jpg", or a file; may be '
    "given several times",
)
flags.DEFINE_multi_string("styles", None, "the paintings (required), in the same ways")
flags.DEFINE_string(
    "output_dir",
    None,
    "the folder (required) for CONTENT__STYLE.png, sheet.jpg, index.html and batch.jsonl",
)
flags.DEFINE_enum(
    "method",
    "optimize",
    ["optimize", "fast"],
    "how: as stylize.py does, or in one pass of a trained network, which takes --size and --handle",
)
flags.DEFINE_string(
    "handle",
    "bundled",
    "the model of --method=fast: bundled, magenta, a folder with a SavedModel, a .tar.gz, or a "
    "TF-Hub address",
)
flags.DEFINE_enum("runner", "local", ["local", "ray"], "on this machine, or on a Ray cluster")
flags.DEFINE_integer(
    "workers",
    0,
    "how many pictures are painted at a time; 0 for one on this machine, and on a cluster for as "
    "many as there is room for",
    lower_bound=0,
)
flags.DEFINE_integer(
    "threads",
    0,
    "cores that each of them takes; 0 for its part of this machine's, and on a cluster for all of "
    "a node's",
    lower_bound=0,
)
flags.DEFINE_string(
    "ray_address",
    "",
    "of the cluster, as 10.0.0.1:6379; none starts one on this machine and stops it at the end",
)
flags.DEFINE_boolean(
    "overwrite",
    False,
    "paint over pictures that were made with another method or settings, or by something else",
)
setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)


def main() -> None:
    """Paint as the flags say."""
    from nst_tf.cli import batch

    given = setting_flags.given_names()
    options = batch.Options(**app.flag_values(batch.Options))
    batch.run(options, setting_flags.settings_from_flags(), given)


if __name__ == "__main__":
    app.run(main, ["contents", "styles", "output_dir"])
