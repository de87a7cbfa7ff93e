"""Repaint photographs in the manner of paintings in one pass of a trained network.

python scripts/fast.py --content=photo.jpg --style=painting.jpg --output=painted.png
"""

from absl import flags

from nst_tf.cli import app

flags.DEFINE_multi_string(
    "content", None, "the photograph to repaint (required); may be given several times"
)
flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); with several, as a.jpg,b.jpg or with the flag "
    "given several times, each photograph is painted in each manner",
)
flags.DEFINE_string(
    "output",
    None,
    "the picture (required): .png, .jpg, .webp or .tiff; a folder for several pictures",
)
flags.DEFINE_string(
    "handle",
    "bundled",
    "the model: bundled, magenta, a folder with a SavedModel, a .tar.gz, or a TF-Hub address",
)
flags.DEFINE_integer(
    "size", 0, "long side of the result in pixels; 0 keeps the photograph's size", lower_bound=0
)
flags.DEFINE_float(
    "strength",
    1.0,
    "0 keeps the photograph's own style, 1 is fully stylized",
    lower_bound=0,
    upper_bound=1,
)
flags.DEFINE_list(
    "style_blend", [], "paint in one mixture of all paintings, with these weights, as 0.7,0.3"
)


def main() -> None:
    """Paint as the flags say."""
    from nst_tf.cli import fast

    fast.stylize(fast.Options(**app.flag_values(fast.Options)))


if __name__ == "__main__":
    app.run(main, ["content", "style", "output"])
