"""Paint every photograph in the manner of every painting.

python scripts/batch.py --contents=photos --styles=paintings --output_dir=painted
"""

from dataclasses import fields
from pathlib import Path

from absl import flags

from nst_tf import settings
from nst_tf.cli import app, setting_flags
from nst_tf.errors import InputError

_CONTENTS = flags.DEFINE_multi_string(
    "contents",
    None,
    'the photographs (required): a folder, a quoted glob as "photos/*.jpg", or a file; may be '
    "given several times",
)
_STYLES = flags.DEFINE_multi_string("styles", None, "the paintings (required), likewise")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "the folder (required) for CONTENT__STYLE.png, sheet.jpg, index.html and batch.jsonl",
)
_METHOD = flags.DEFINE_enum(
    "method",
    "optimize",
    ["optimize", "fast"],
    "how: as stylize.py does, or in one pass of a trained network, which takes --size and --handle",
)
_HANDLE = flags.DEFINE_string(
    "handle",
    "bundled",
    "the model of --method=fast: bundled, magenta, a folder with a SavedModel, a .tar.gz, or a "
    "TF-Hub address",
)
_RUNNER = flags.DEFINE_enum(
    "runner", "local", ["local", "ray"], "where: on this machine, or on a Ray cluster"
)
_WORKERS = flags.DEFINE_integer(
    "workers",
    0,
    "how many pictures are painted at a time; 0 for one on this machine, and on a cluster for as "
    "many as there is room for",
    lower_bound=0,
)
_THREADS = flags.DEFINE_integer(
    "threads",
    0,
    "cores that each of them takes; 0 for its part of this machine's, and on a cluster for all of "
    "a node's",
    lower_bound=0,
)
_ADDRESS = flags.DEFINE_string(
    "ray_address",
    "",
    "of the cluster, as 10.0.0.1:6379; none starts one on this machine and stops it at the end",
)


def main() -> None:
    """Paint what is missing, show it side by side, and tell what failed."""
    from nst_tf.batch import jobs, runner
    from nst_tf.batch.requests import Order
    from nst_tf.callbacks import progress_bar

    _check_flags()
    contents = jobs.pictures("contents", _CONTENTS.value)
    styles = jobs.pictures("styles", _STYLES.value)
    _check_folder(contents, styles)
    order = Order(setting_flags.from_flags(), _METHOD.value, _HANDLE.value)
    if order.settings.init not in ("content", "noise"):
        raise InputError(f"init={order.settings.init}: expected content or noise in a batch")
    progress_bar.print_notices(quiet=True)
    found = runner.Batch(jobs.pair(contents, styles), order, _OUTPUT_DIR.value)
    done = len(found.jobs) - len(found.missing)
    pictures = f"{len(found.jobs)} picture{'s' * (len(found.jobs) > 1)}"
    print(f"{pictures}, {done} of them done before", flush=True)
    count = 0
    try:
        for _ in progress_bar.show_batch(found.paint(_run), len(found.missing)):
            count += 1
        for written in app.hear(_show(found)):
            print(f"look at {written}", flush=True)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(
            f"after {done + count} of {len(found.jobs)}; the same command paints the rest"
        ) from error
    failed = found.failed()
    if failed:
        width = max(len(entry["output"]) for entry in failed)
        print(f"{'failed':{width}}  why")
        for entry in failed:
            print(f"{entry['output']:{width}}  {entry['error']}", flush=True)
        raise InputError(
            f"{len(failed)} of {len(found.jobs)} pictures failed; the same command tries them again"
        )


def _check_flags() -> None:
    """Refuse what would be without effect."""
    if _METHOD.value == "fast":
        given = [knob.name for knob in fields(settings.Settings) if flags.FLAGS[knob.name].present]
        for name in given:
            if name != "size":
                raise InputError(f"{name}: method=fast takes no such setting; leave it out")
    if _ADDRESS.value and _RUNNER.value != "ray":
        raise InputError(f"ray_address={_ADDRESS.value}: expected --runner=ray with it")


def _check_folder(contents: list[str], styles: list[str]) -> None:
    folder = Path(_OUTPUT_DIR.value).resolve()
    for path in (*contents, *styles):
        if Path(path).resolve().parent == folder:
            raise InputError(
                f"output_dir={_OUTPUT_DIR.value}: {path} is there, which is read; choose another "
                "folder"
            )


def _run(order, errands):
    """The workers, which Ctrl-C interrupts, but nothing that is done with their pictures."""
    workers, threads = _WORKERS.value, _THREADS.value
    if _RUNNER.value == "local":
        from nst_tf.batch import processes

        painted = processes.paint(order, errands, workers=workers or 1, threads=threads)
    else:
        from nst_tf.batch import ray_cluster

        painted = ray_cluster.paint(
            order, errands, workers=workers, threads=threads, address=_ADDRESS.value
        )
    return app.hear(painted)


def _show(found):
    """Write the sheets and the pages; what is written."""
    from nst_tf import files
    from nst_tf.images import image_io
    from nst_tf.reports import batch_page, contact_sheet, thumbnails

    folder = Path(_OUTPUT_DIR.value)
    numbers = range(1, 1 + thumbnails.count(found.jobs))
    endings = ["" if number == 1 else f"_{number}" for number in numbers]
    pages = [f"index{ending}.html" for ending in endings]
    tables = thumbnails.tables(found.jobs, found.entries, folder)
    for ending, page, table in zip(endings, pages, tables, strict=True):
        image_io.write(folder / f"sheet{ending}.jpg", contact_sheet.sheet(table))
        files.replace(folder / page, batch_page.page(table, pages).encode())
        yield f"{folder / f'sheet{ending}.jpg'}, or open {folder / page}"


setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)

if __name__ == "__main__":
    app.run(main, required=["contents", "styles", "output_dir"])
