"""Repaint a photograph in the manner of a painting.

python scripts/stylize.py --content=photo.jpg --style=painting.jpg --output=painted.png
"""

from absl import flags

from nst_tf import program, settings

_CONTENT = flags.DEFINE_string("content", None, "the photograph to repaint (required)")
_STYLE = flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); several as a.jpg,b.jpg, or, where names have "
    "commas, with the flag given several times",
)
_BLEND = flags.DEFINE_list(
    "style_blend", [], "how much each painting counts, as 0.7,0.3; equally, if it is not given"
)
_MASK = flags.DEFINE_list(
    "style_mask",
    [],
    "a picture for each painting, white where in the photograph it applies; none for everywhere",
)
_REGION = flags.DEFINE_list(
    "style_region",
    [],
    "a picture for each painting, white where it is to be learnt from; none for all of it",
)
_KEEP = flags.DEFINE_string(
    "content_mask", None, "a picture, white where the photograph must stay as it is"
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "where the picture goes (required); its ending says how: .png, .jpg, .webp or .tiff",
)
_LOSS_LOG = flags.DEFINE_string(
    "loss_log", None, "a file for the losses of each step, as JSON Lines"
)
_QUIET = flags.DEFINE_boolean("quiet", False, "show no progress")


def main() -> None:
    """Read the pictures, paint, write the picture."""
    from nst_tf import image, inputs, listeners, transfer

    layers = settings.style_layer_groups()
    union = dict.fromkeys(name for group in layers for name in group)
    knobs = settings.from_flags(**({"style_layers": tuple(union)} if layers else {}))
    content = image.read(_CONTENT.value)
    paintings = inputs.split(_STYLE.value)
    styles = inputs.styles(
        paintings,
        content,
        shares=_BLEND.value,
        masks=_MASK.value,
        regions=_REGION.value,
        layers=layers,
    )
    keep = inputs.mask("content_mask", _KEEP.value, content) if _KEEP.value else None
    start = None if knobs.init in ("content", "noise") else image.read(knobs.init).rgb
    image.check_output(_OUTPUT.value, knobs.size or max(content.rgb.shape))
    read = [_CONTENT.value, *paintings, *_MASK.value, *_REGION.value, _KEEP.value or "", knobs.init]
    program.keep_apart(read, output=_OUTPUT.value, loss_log=_LOSS_LOG.value)

    if not _QUIET.value:
        listeners.print_notices()
    stream = transfer.optimize(content.rgb, styles, knobs, start=start, keep=keep)
    if _LOSS_LOG.value:
        stream = listeners.log_losses(stream, _LOSS_LOG.value)
    if not _QUIET.value:
        stream = listeners.show(stream)
    for progress in stream:
        finished = progress
    image.write(_OUTPUT.value, finished.image(), alpha=content.alpha, bits=content.bits)
    if not _QUIET.value:
        print(f"painted {_OUTPUT.value}")


settings.define_flags()
flags.adopt_module_key_flags(settings)

if __name__ == "__main__":
    program.run(main, required=["content", "style", "output"])
