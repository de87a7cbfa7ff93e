"""batch.py: paint every photograph in the manner of every painting."""

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from nst_tf import atomic_files
from nst_tf.batch import jobs, processes
from nst_tf.batch.progress_bar import BatchProgressBar
from nst_tf.batch.requests import RenderConfig, RenderRequest, RenderResult
from nst_tf.batch.runner import LOG_NAME, Batch, LogEntry
from nst_tf.cli import app
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.networks import device
from nst_tf.printable import printable
from nst_tf.reports import contact_sheet, html, thumbnails
from nst_tf.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of batch.py besides the settings; their help says what they mean."""

    contents: list[str]
    styles: list[str]
    output_dir: str
    method: str
    handle: str
    runner: str
    workers: int
    threads: int
    ray_address: str
    recipe: str
    overwrite: bool


def run(options: Options, settings: Settings, given: Collection[str]) -> None:
    """Paint what is missing, show it side by side, and tell what failed.

    `given` are the names of the settings that were given.
    """
    _check(options, settings, given)
    contents = jobs.find_images("contents", options.contents)
    styles = jobs.find_images("styles", options.styles)
    _check_folder(options.output_dir, [*contents, *styles])
    config = RenderConfig(settings, options.method, options.handle, options.recipe)
    app.print_notices(quiet=True)
    pairs = jobs.pair(contents, styles, options.output_dir)
    with contextlib.closing(Batch(pairs, config, options.output_dir)) as batch:
        if not options.overwrite:
            _check_no_loss(batch, Path(options.output_dir))
        total, num_done = len(batch.jobs), len(batch.jobs) - len(batch.missing)
        pictures = "picture" if total == 1 else "pictures"
        print(f"{total} {pictures}, {num_done} of them done before", flush=True)
        if options.runner == "local":
            print(f"on {device.describe()}", flush=True)
        _print_lines(jobs.left_out([*options.contents, *options.styles]))
        _paint(options, batch)
    failed = batch.failed()
    if failed:
        raise InputError(
            f"{len(failed)} of {len(batch.jobs)} pictures failed; the same command tries them again"
        )


def _paint(options: Options, batch: Batch) -> None:
    """Paint what is missing, and write sheet and page, also of a batch that ends early."""
    total, missing = len(batch.jobs), len(batch.missing)
    bar, count = BatchProgressBar(missing), total - missing
    pages = _write_pages(batch, Path(options.output_dir))
    try:
        for entry in batch.render(partial(_render, options)):
            bar.on_result(entry)
            count += 1
    except BaseException as error:
        if count < total or not isinstance(error, KeyboardInterrupt):
            bar.close()
            where = f"after {count} of {total}; the same command paints the rest"
            _stop(error, where, pages if count else ())
        app.forget_interruption()
    bar.close()
    try:
        _print_lines(app.interruptible(pages))
    finally:
        _print_failures(batch.failed())


def _stop(error: BaseException, where: str, pages: Iterable[str]) -> NoReturn:
    """Show what is finished, and say what ended the batch."""
    with contextlib.suppress(InputError):  # it would hide what ended the batch
        _print_lines(pages)
    if isinstance(error, KeyboardInterrupt):
        raise KeyboardInterrupt(where) from error
    raise error


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _print_failures(failed: Sequence[LogEntry]) -> None:
    """A table of the outputs that failed."""
    rows = [
        [" ".join(printable(str(entry[x])).split()) for x in ("output", "error")]
        for entry in failed
    ]
    width = max((len(output) for output, _ in rows), default=0)
    if rows:
        print(f"{'failed':{width}}  why")
    _print_lines(f"{output:{width}}  {error}" for output, error in rows)


def _check_no_loss(batch: Batch, folder: Path) -> None:
    """Refuse to write over files that the same command has not written."""
    answer = "give another --output_dir, or --overwrite"
    if batch.lost:
        reasons = Counter(batch.lost.values()).most_common()
        why = ", ".join(f"{count} {reason}" for reason, count in reasons)
        pictures = "picture" if len(batch.lost) == 1 else "pictures"
        raise InputError(
            f"output_dir={folder}: {len(batch.lost)} finished {pictures} would be painted over "
            f"({why if len(reasons) > 1 else reasons[0][0]}); {answer}"
        )
    if not (folder / LOG_NAME).exists():
        for path in (folder / name for names in _page_names(batch) for name in names):
            if os.path.lexists(path):
                raise InputError(f"{path}: is not from a batch and would be replaced; {answer}")


def _check(options: Options, settings: Settings, given: Collection[str]) -> None:
    """Refuse what would be without effect."""
    unused = [name for name in given if name != "size"] if options.method == "fast" else []
    if unused:
        raise InputError(f"{unused[0]}: method=fast takes no such setting; leave it out")
    if options.ray_address and options.runner != "ray":
        raise InputError(f"ray_address={options.ray_address}: expected --runner=ray with it")
    if settings.init not in ("content", "noise"):
        raise InputError(f"init={settings.init}: expected content or noise in a batch")


def _check_folder(output_dir: str, sources: list[str]) -> None:
    for path in sources if os.path.isdir(output_dir) else ():
        folders = Path(path).parent, Path(path).resolve().parent  # of a link, and of its file
        if any(os.path.samefile(folder, output_dir) for folder in folders):
            raise InputError(
                f"output_dir={output_dir}: {path} is there, which is read; choose another folder"
            )


def _render(
    options: Options, config: RenderConfig, requests: Iterable[RenderRequest]
) -> Iterator[RenderResult]:
    """The workers, which Ctrl-C interrupts, but nothing that is done with their pictures."""
    workers, threads = options.workers, options.threads
    if options.runner == "local":
        results = processes.render(config, requests, workers=workers or 1, threads=threads)
    else:
        from nst_tf.batch import ray_cluster

        address = options.ray_address
        results = ray_cluster.render(
            config, requests, workers=workers, threads=threads, address=address
        )
    return app.interruptible(_stop_at_interrupt(results))


def _stop_at_interrupt(
    results: Generator[RenderResult, None, None],
) -> Iterator[RenderResult]:
    """The results, without an error that TensorFlow may have made of Ctrl-C."""
    with contextlib.closing(results):
        for result in results:
            if result.error is not None and app.interrupted():
                raise KeyboardInterrupt
            yield result


def _page_names(batch: Batch) -> list[tuple[str, str]]:
    """The file names of each contact sheet and its page."""
    numbers = range(1, 1 + thumbnails.num_tables(batch.jobs))
    endings = ["" if number == 1 else f"_{number}" for number in numbers]
    return [(f"sheet{ending}.jpg", f"index{ending}.html") for ending in endings]


def _write_pages(batch: Batch, folder: Path) -> Iterator[str]:
    """Write the contact sheets and the pages; a line about each."""
    names = _page_names(batch)
    tables = thumbnails.tables(batch.jobs, batch.entries, folder)
    for (sheet, page), table in zip(names, tables, strict=True):
        image_io.write(folder / sheet, contact_sheet.batch_sheet(table))
        html_text = html.batch_page(table, [page for _, page in names])
        atomic_files.replace(folder / page, html_text.encode())
        yield f"look at {folder / sheet}, or open {folder / page}"
