"""compare.py: paint the same pictures slowly and fast, and write a comparison."""

import json
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

import nst_tf
from nst_tf import atomic_files, limits
from nst_tf.callbacks.progress_bar import ProgressBar
from nst_tf.cli import app, inputs
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture
from nst_tf.printable import printable
from nst_tf.reports import comparison, contact_sheet, html
from nst_tf.reports.comparison import OPTIMIZED, Entry
from nst_tf.run.progress import Progress
from nst_tf.run.pyramid import scale_sizes, style_long_side
from nst_tf.settings import Settings

Pairs = list[tuple[str, str]]
Images = dict[str, Picture]
_OUTPUTS = ("comparison.png", "report.html", "comparison.json")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of compare.py besides the settings; their help says what they mean."""

    content: Sequence[str]
    style: Sequence[str]
    handle: Sequence[str]
    output_dir: str
    quiet: bool


def compare(options: Options, settings: Settings) -> None:
    """Paint, measure, and write comparison.png, report.html and comparison.json.

    What is painted is written also where a signal or an error ends it.
    """
    app.print_notices(quiet=options.quiet)
    pairs = _pairs(options)
    long_side = max(settings.size, style_long_side(settings))
    read = partial(image_io.read, long_side=long_side)
    images = {path: read(path) for pair in pairs for path in pair}
    start = inputs.read_start(settings.init, long_side)
    for content, _ in pairs:
        try:
            height, width = images[content].rgb.shape[:2]
            scale_sizes(height, width, settings)
        except InputError as error:
            raise InputError(f"{content}: {error}") from error
    outputs = [str(Path(options.output_dir, name)) for name in _OUTPUTS]
    for output in outputs:
        atomic_files.check(output)
    app.check_no_overwrite([*images, settings.init], output_dir=outputs)

    compared: list[list[Entry]] = []
    write = partial(_write, options.output_dir, settings, pairs, compared)
    try:
        for entries in app.interruptible(_compare_pairs(options, settings, pairs, images, start)):
            compared.append(entries)
    except (Exception, KeyboardInterrupt) as error:
        if not compared:
            raise
        unfinished = [x.name for x in compared[-1] if x.name.startswith(f"{OPTIMIZED} ")]
        if unfinished or len(compared) < len(pairs):
            where = f"after {len(compared)} of {len(pairs)} pairs"
            where += "".join(f", the last {name}" for name in unfinished)
            _stop(error, where, write)
        app.forget_interruption()
    outcome = write()
    if not options.quiet:
        print(outcome)


def _compare_pairs(
    options: Options, settings: Settings, pairs: Pairs, images: Images, start: np.ndarray | None
) -> Iterator[list[Entry]]:
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
            follow=_until_stopped,
        )
        for entry in entries if not options.quiet else ():
            print(": ".join(entry.caption()), flush=True)
        yield entries


def _until_stopped(run: Iterator[Progress]) -> Iterator[Progress]:
    """A run, which a signal ends early if there is a picture; the next pair is not begun then."""
    progress = None
    try:
        for progress in app.interruptible(run):
            yield progress
    except (Exception, KeyboardInterrupt):
        if progress is None or not app.interrupted():
            raise


def _stop(error: BaseException, where: str, write: Callable[[], str]) -> NoReturn:
    """Write the pairs that are painted, and say what ended the comparison."""
    try:
        outcome = write()
    except InputError as unwritten:
        outcome = str(unwritten)
    if app.interrupted():
        raise KeyboardInterrupt(f"{where}; {outcome}") from error
    if isinstance(error, InputError):
        raise InputError(f"{error}; {where}; {outcome}") from error
    raise error


def _write(
    output_dir: str, settings: Settings, pairs: Pairs, compared: Sequence[Sequence[Entry]]
) -> str:
    """Write the pairs that are painted; the line about it.

    A file that cannot be written is an InputError, once the others are there.
    """
    pairs = pairs[: len(compared)]
    titles = [printable(f"{Path(content).stem}, {Path(style).stem}") for content, style in pairs]
    files = (
        image_io.encode(contact_sheet.comparison_sheet(compared)),
        html.comparison_page(titles, compared).encode(),
        json.dumps(_as_json(settings, pairs, compared), indent=1).encode(),
    )
    written, errors = [], []
    for name, data in zip(_OUTPUTS, files, strict=True):
        path = str(Path(output_dir, name))
        try:
            atomic_files.replace(path, data)
            written.append(path)
        except InputError as error:
            errors.append(str(error))
    outcome = f"wrote {', '.join(written) or 'nothing'}"
    if errors:
        raise InputError("; ".join([*errors, outcome]))
    return outcome


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


def _as_json(
    settings: Settings, pairs: Pairs, compared: Sequence[Sequence[Entry]]
) -> dict[str, Any]:
    """What was measured, for other programs."""
    return {
        "system": f"{platform.system()} {platform.machine()}, {limits.num_cores()} cores",
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
