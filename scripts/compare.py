"""Paint the same pictures slowly and fast, and show both with what they cost and what they lack.

python scripts/compare.py --content=photo.jpg --style=painting.jpg --output_dir=comparison
"""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from absl import flags

import nst_tf
from nst_tf.cli import app, setting_flags
from nst_tf.errors import InputError

_CONTENT = flags.DEFINE_multi_string("content", None, "the photograph to repaint (required)")
_STYLE = flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); --content and --style given several times "
    "make pairs, in their order; one of either goes with all of the others",
)
_HANDLE = flags.DEFINE_multi_string(
    "handle",
    "bundled",
    "the feed-forward model: bundled, magenta, a folder with a SavedModel, a .tar.gz, or a TF-Hub "
    "address; may be given several times",
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "the folder for comparison.png, report.html and comparison.json (required)",
)


def main() -> None:
    """Read the pictures, paint and measure, write the three files."""
    from nst_tf import files
    from nst_tf.callbacks import progress_bar
    from nst_tf.images import image_io
    from nst_tf.reports import comparison, comparison_page, comparison_sheet
    from nst_tf.run import pyramid

    knobs = setting_flags.from_flags()
    pairs = _pairs()
    pictures = {path: image_io.read(path).rgb for pair in pairs for path in pair}
    start = None if knobs.init in ("content", "noise") else image_io.read(knobs.init).rgb
    for content, _ in pairs:
        try:
            pyramid.scale_sizes(*pictures[content].shape[:2], knobs)
        except InputError as error:
            raise InputError(f"{content}: {error}") from error
    names = ("comparison.png", "report.html", "comparison.json")
    outputs = [str(Path(_OUTPUT_DIR.value, name)) for name in names]
    for output in outputs:
        files.check(output)
        app.keep_apart([*pictures, knobs.init], output_dir=output)
    progress_bar.print_notices()

    found = []
    for content, style in pairs:
        print(f"{content} in the manner of {style}", flush=True)
        entries = comparison.compare(
            pictures[content],
            pictures[style],
            knobs,
            _HANDLE.value,
            start=start,
            watch=progress_bar.show,
        )
        found.append(entries)
        for entry in entries:
            print(": ".join(comparison_sheet.caption(entry)), flush=True)
    titles = [f"{Path(content).stem}, {Path(style).stem}" for content, style in pairs]
    picture, document, numbers = outputs
    image_io.write(picture, comparison_sheet.panel(found))
    files.replace(document, comparison_page.page(titles, found).encode())
    files.replace(numbers, json.dumps(_record(knobs, pairs, found), indent=1).encode())
    print(f"wrote {', '.join(outputs)}")


def _pairs() -> list[tuple[str, str]]:
    contents, styles = _CONTENT.value, _STYLE.value
    if len(contents) != len(styles) and 1 not in (len(contents), len(styles)):
        raise InputError(
            f"content, style: given {len(contents)} and {len(styles)} times; expected the same "
            "number, or one of either"
        )
    count = max(len(contents), len(styles))
    contents, styles = (each * (count // len(each)) for each in (contents, styles))
    return list(zip(contents, styles, strict=True))


def _record(knobs, pairs, found) -> dict:
    """What was measured, for other programs."""
    import tensorflow as tf

    return {
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"nst_tf": nst_tf.__version__, "tensorflow": tf.__version__},
        "settings": asdict(knobs),
        "pairs": [
            {
                "content": content,
                "style": style,
                "height": entries[0].rgb.shape[0],
                "width": entries[0].rgb.shape[1],
                "pictures": [
                    {
                        "name": entry.name,
                        "seconds_cold": entry.seconds_cold,
                        "seconds_warm": entry.seconds_warm,
                        **asdict(entry.scores),
                    }
                    for entry in entries
                    if entry.scores
                ],
            }
            for (content, style), entries in zip(pairs, found, strict=True)
        ],
    }


setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)

if __name__ == "__main__":
    app.run(main, required=["content", "style", "output_dir"])
