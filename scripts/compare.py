"""Paint the same pictures slowly and fast, and show both with what they cost and what they lack.

python scripts/compare.py --content=photo.jpg --style=painting.jpg --output_dir=comparison
"""

from absl import flags

from nst_tf.cli import app, setting_flags

flags.DEFINE_multi_string("content", None, "the photograph to repaint (required)")
flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); --content and --style given several times "
    "make pairs, in their order; one of either goes with all of the others",
)
flags.DEFINE_multi_string(
    "handle",
    "bundled",
    "the feed-forward model: bundled, magenta, a folder with a SavedModel, a .tar.gz, or a TF-Hub "
    "address; may be given several times",
)
flags.DEFINE_string(
    "output_dir",
    None,
    "the folder for comparison.png, report.html and comparison.json (required)",
)
flags.DEFINE_boolean("quiet", False, "print nothing")
setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)


def main() -> None:
    """Compare as the flags say."""
    from nst_tf.cli import compare

    options = compare.Options(**app.flag_values(compare.Options))
    compare.compare(options, setting_flags.settings_from_flags())


if __name__ == "__main__":
    app.run(main, ["content", "style", "output_dir"])
