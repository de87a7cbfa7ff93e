"""compare.py: paint the same pictures slowly and fast, and write a comparison."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

import nst_tf
from nst_tf import atomic_files
from nst_tf.callbacks.progress_bar import ProgressBar
from nst_tf.cli import app
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.reports import comparison, contact_sheet, html
from nst_tf.reports.comparison import Entry
from nst_tf.run.pyramid import scale_sizes
from nst_tf.settings import Settings

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of compare.py besides the settings; their help says what they mean."""

    content: Sequence[str]
    style: Sequence[str]
    handle: Sequence[str]
    output_dir: str
    quiet: bool


def compare(options: Options, settings: Settings) -> None:
    """Paint, measure, and write comparison.png, report.html and comparison.json."""
    pairs = _pairs(options)
    images = {path: image_io.read(path).rgb for pair in pairs for path in pair}
    start = None if settings.init in ("content", "noise") else image_io.read(settings.init).rgb
    for content, _ in pairs:
        try:
            scale_sizes(images[content].shape[0], images[content].shape[1], settings)
        except InputError as error:
            raise InputError(f"{content}: {error}") from error
    names = ("comparison.png", "report.html", "comparison.json")
    sheet, page, numbers = (str(Path(options.output_dir, name)) for name in names)
    for output in (sheet, page, numbers):
        atomic_files.check(output)
        app.check_no_overwrite([*images, settings.init], output_dir=output)
    app.print_notices(quiet=options.quiet)

    compared = []
    for content, style in pairs:
        if not options.quiet:
            print(f"{content} in the manner of {style}", flush=True)
        entries = comparison.compare(
            images[content],
            images[style],
            settings,
            options.handle,
            start=start,
            callbacks=[] if options.quiet else [ProgressBar()],
        )
        compared.append(entries)
        for entry in entries if not options.quiet else ():
            print(": ".join(entry.caption()), flush=True)
    titles = [f"{Path(content).stem}, {Path(style).stem}" for content, style in pairs]
    image_io.write(sheet, contact_sheet.comparison_sheet(compared))
    atomic_files.replace(page, html.comparison_page(titles, compared).encode())
    atomic_files.replace(
        numbers, json.dumps(_as_json(settings, pairs, compared), indent=1).encode()
    )
    if not options.quiet:
        print(f"wrote {sheet}, {page}, {numbers}")


def _pairs(options: Options) -> Pairs:
    contents, styles = options.content, options.style
    if len(contents) != len(styles) and 1 not in (len(contents), len(styles)):
        raise InputError(
            f"content, style: given {len(contents)} and {len(styles)} times; expected the same "
            "number, or one of either"
        )
    count = max(len(contents), len(styles))
    contents, styles = (list(each) * (count // len(each)) for each in (contents, styles))
    return list(zip(contents, styles, strict=True))


def _as_json(settings: Settings, pairs: Pairs, compared: list[list[Entry]]) -> dict[str, Any]:
    """What was measured, for other programs."""
    return {
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"nst_tf": nst_tf.__version__, "tensorflow": tf.__version__},
        "settings": settings.as_dict(),
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
            for (content, style), entries in zip(pairs, compared, strict=True)
        ],
    }
