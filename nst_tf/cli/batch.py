"""batch.py: paint every photograph in the manner of every painting."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nst_tf import atomic_files
from nst_tf.batch import jobs, processes
from nst_tf.batch.progress_bar import BatchProgressBar
from nst_tf.batch.requests import RenderConfig, RenderRequest, RenderResult
from nst_tf.batch.runner import Batch
from nst_tf.cli import app
from nst_tf.errors import InputError
from nst_tf.images import image_io
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
    batch = Batch(jobs.pair(contents, styles, options.output_dir), config, options.output_dir)
    total, missing = len(batch.jobs), len(batch.missing)
    pictures = "picture" if total == 1 else "pictures"
    print(f"{total} {pictures}, {total - missing} of them done before", flush=True)
    bar, count = BatchProgressBar(missing), total - missing
    try:
        for entry in batch.render(partial(_render, options)):
            bar.on_result(entry)
            count += 1
        bar.close()
        for line in app.interruptible(_write_pages(batch, Path(options.output_dir))):
            print(line, flush=True)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(
            f"after {count} of {total}; the same command paints the rest"
        ) from error
    finally:
        bar.close()
    _report_failures(batch)


def _report_failures(batch: Batch) -> None:
    failed = batch.failed()
    if not failed:
        return
    width = max(len(entry["output"]) for entry in failed)
    print(f"{'failed':{width}}  why")
    for entry in failed:
        print(f"{entry['output']:{width}}  {entry['error']}", flush=True)
    raise InputError(
        f"{len(failed)} of {len(batch.jobs)} pictures failed; the same command tries them again"
    )


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
    folder = Path(output_dir).resolve()
    for path in sources:
        if Path(path).resolve().parent == folder:
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
    return app.interruptible(results)


def _write_pages(batch: Batch, folder: Path) -> Iterator[str]:
    """Write the contact sheets and the pages; a line about each."""
    numbers = range(1, 1 + thumbnails.num_tables(batch.jobs))
    endings = ["" if number == 1 else f"_{number}" for number in numbers]
    pages = [f"index{ending}.html" for ending in endings]
    tables = thumbnails.tables(batch.jobs, batch.entries, folder)
    for ending, page, table in zip(endings, pages, tables, strict=True):
        sheet = folder / f"sheet{ending}.jpg"
        image_io.write(sheet, contact_sheet.batch_sheet(table))
        atomic_files.replace(folder / page, html.batch_page(table, pages).encode())
        yield f"look at {sheet}, or open {folder / page}"
