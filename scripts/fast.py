"""Paint photographs in the manner of paintings in one pass of a trained network.

python scripts/fast.py --content=photo.jpg --style=painting.jpg --output=painted.png
"""

from pathlib import Path

from absl import flags

from nst_tf import program
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
    from nst_tf import fast, image, scales
    from nst_tf.settings import Settings

    shares = _shares()
    mixtures = [_STYLE.value] if shares else [[style] for style in _STYLE.value]
    outputs = _outputs(mixtures)
    taken = [*_CONTENT.value, *_STYLE.value]
    for output in outputs:
        image.check_output(output)
        program.keep_apart(taken, output=output)
        taken.append(output)
    paintings = {style: image.read(style).rgb[None] for style in _STYLE.value}
    photographs = [image.read(content) for content in _CONTENT.value]
    knobs = Settings(size=_SIZE.value, scales=1)
    sizes = [scales.scale_sizes(*each.rgb.shape[:2], knobs)[-1] for each in photographs]

    painter = fast.load(_HANDLE.value)
    manners = [
        painter.blend([paintings[style] for style in styles], shares or [1.0])
        for styles in mixtures
    ]
    remaining = iter(outputs)
    for photograph, size in zip(photographs, sizes, strict=True):
        content = image.resize(photograph.rgb[None], *size)
        for manner in manners:
            output, painted = next(remaining), manner(content, _STRENGTH.value)[0]
            image.write(output, painted, alpha=photograph.alpha, bits=photograph.bits)
            print(f"painted {output}", flush=True)


def _shares() -> list[float]:
    """The numbers of --style_blend, one for each painting; none without it."""
    try:
        shares = [float(share) for share in _BLEND.value or []]
    except ValueError:
        shares = [-1.0]
    if _BLEND.value and (len(shares) != len(_STYLE.value) or min(shares) < 0 or not sum(shares)):
        raise InputError(
            f"style_blend={','.join(_BLEND.value)}: expected {len(_STYLE.value)} numbers from 0, "
            "one for each --style and not all 0"
        )
    return shares


def _outputs(mixtures: list[list[str]]) -> list[str]:
    """Where each picture goes: the photographs in their order, each in all manners."""
    if len(_CONTENT.value) * len(mixtures) == 1:
        return [_OUTPUT.value]
    return [
        str(Path(_OUTPUT.value, "_".join(Path(path).stem for path in (content, *styles)) + ".png"))
        for content in _CONTENT.value
        for styles in mixtures
    ]


if __name__ == "__main__":
    program.run(main, required=["content", "style", "output"])
