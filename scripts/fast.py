"""Paint photographs in the manner of paintings in one pass of a trained network.

python scripts/fast.py --content=photo.jpg --style=painting.jpg --output=painted.png
"""

import math
from pathlib import Path

from absl import flags

from nst_tf.cli import app
from nst_tf.errors import InputError

_CONTENT = flags.DEFINE_multi_string(
    "content", None, "the photograph to repaint (required); may be given several times"
)
_STYLE = flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); given several times, each photograph is "
    "painted in each manner",
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "where the picture goes (required); its ending says how: .png, .jpg, .webp or .tiff; a folder "
    "where there are several pictures",
)
_HANDLE = flags.DEFINE_string(
    "handle",
    "bundled",
    "the model: bundled, magenta, a folder with a SavedModel, a .tar.gz, or a TF-Hub address",
)
_SIZE = flags.DEFINE_integer(
    "size", 0, "long side of the result in pixels; 0 keeps the photograph's own size", lower_bound=0
)
_STRENGTH = flags.DEFINE_float(
    "style_strength",
    1.0,
    "from 0, the photograph's own style, to 1, the painting's",
    lower_bound=0.0,
    upper_bound=1.0,
)
_BLEND = flags.DEFINE_list(
    "style_blend",
    None,
    "paint in one mixture of all paintings: how much each counts, as 0.7,0.3",
)


def main() -> None:
    """Read the pictures, paint, write the pictures."""
    from nst_tf import fast
    from nst_tf.images import image_io
    from nst_tf.run import pyramid
    from nst_tf.settings import Settings

    shares = _shares()
    mixtures = [_STYLE.value] if shares else [[style] for style in _STYLE.value]
    outputs = _outputs(mixtures)
    taken = [*_CONTENT.value, *_STYLE.value]
    for output in outputs:
        app.keep_apart(taken, output=output)
        taken.append(output)
    paintings = {style: image_io.read(style).rgb[None] for style in _STYLE.value}
    # Twice, so that a mistake is found before the first is painted and one is held at a time.
    shapes = [image_io.read(content).rgb.shape[:2] for content in _CONTENT.value]
    knobs = Settings(size=_SIZE.value, scales=1)
    sizes = []
    for content, shape in zip(_CONTENT.value, shapes, strict=True):
        try:
            sizes.append(pyramid.scale_sizes(*shape, knobs)[-1])
        except InputError as error:
            raise InputError(f"{content}: {error}") from error
    for output in outputs:
        image_io.check_output(output, max(map(max, sizes)))

    painter = fast.load(_HANDLE.value)
    manners = [
        painter.blend([paintings[style] for style in styles], shares or [1.0])
        for styles in mixtures
    ]
    remaining = iter(outputs)
    for path, size in zip(_CONTENT.value, sizes, strict=True):
        photograph = image_io.read(path)
        content = image_io.resize(photograph.rgb[None], *size)
        for manner in manners:
            output, painted = next(remaining), manner(content, _STRENGTH.value)[0]
            image_io.write(output, painted, alpha=photograph.alpha, bits=photograph.bits)
            print(f"painted {output}", flush=True)


def _shares() -> list[float]:
    """The numbers of --style_blend, one for each painting; none without it."""
    try:
        shares = [float(share) for share in _BLEND.value or []]
    except ValueError:
        shares = [-1.0]
    fit = all(0 <= share < math.inf for share in shares) and sum(shares) > 0
    if _BLEND.value and not (fit and len(shares) == len(_STYLE.value)):
        raise InputError(
            f"style_blend={','.join(_BLEND.value)}: expected a number from 0 for each --style, "
            f"{len(_STYLE.value)} in all, and not all 0"
        )
    return shares


def _outputs(mixtures: list[list[str]]) -> list[str]:
    """Where each picture goes: the photographs in their order, each in all manners."""
    output = Path(_OUTPUT.value)
    if len(_CONTENT.value) * len(mixtures) == 1 and not output.is_dir():
        return [_OUTPUT.value]
    if output.suffix and not output.is_dir():
        raise InputError(f"output={output}: expected a folder, there are several pictures")
    names: list[str] = []
    for content in _CONTENT.value:
        for styles in mixtures:
            name = "_".join(Path(path).stem for path in (content, *styles))
            # Files of one name may come from several folders.
            again = sum(name == other.rpartition(" ")[0] or name == other for other in names)
            names.append(f"{name} {again + 1}" if again else name)
    return [str(Path(_OUTPUT.value, f"{name}.png")) for name in names]


if __name__ == "__main__":
    app.run(main, required=["content", "style", "output"])
