"""app.py: serve the page until a signal comes."""

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from nst_tf import atomic_files
from nst_tf.app import server
from nst_tf.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Options:
    """The flags of app.py; their help says what they mean."""

    host: str
    port: int
    output_dir: str | None
    styles_dir: str | None
    password: str | None


def serve(options: Options) -> None:
    """Serve the page as the flags say."""
    if options.output_dir:
        atomic_files.check_folder(options.output_dir)
        Path(options.output_dir).mkdir(parents=True, exist_ok=True)
    if options.styles_dir and not Path(options.styles_dir).is_dir():
        raise InputError(f"styles_dir={options.styles_dir}: no such folder; check the name")
    if options.password == "":
        raise InputError("password: is empty; give one, or leave the flag out")
    if server.is_open(options.host, options.password):
        print(
            f"app: WARNING: open to all who reach {options.host}; give --password to close it",
            file=sys.stderr,
        )
    with server.serve(
        host=options.host,
        port=options.port,
        output_dir=Path(options.output_dir) if options.output_dir else None,
        styles_dir=Path(options.styles_dir) if options.styles_dir else None,
        password=options.password,
    ) as address:
        print(f"open {address.rstrip('/')}", flush=True)
        threading.Event().wait()  # a signal raises KeyboardInterrupt here
