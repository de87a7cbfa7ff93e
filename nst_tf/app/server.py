"""The server of the page: its start, its end, and its temporary files."""

import contextlib
import ctypes
import errno
import functools
import hmac
import ipaddress
import logging
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from nst_tf.app.painter import Painter
from nst_tf.errors import InputError

_LOG = logging.getLogger(__name__)
_MAX_FILE_SIZE = 200 * 2**20
# Seconds between two signs of life of a page; after that a closed one is noticed for certain.
_HEARTBEAT = "2"
# Of glibc's mallopt: how many heaps the threads share.
_M_ARENA_MAX, _NUM_ARENAS = -8, 2


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what browsers send and are sent; it goes with all that is in it."""
    folder = Path(tempfile.mkdtemp(prefix="nst_tf-"))
    # Gradio reads these when its components are made.
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("GRADIO_HEARTBEAT_INTERVAL", _HEARTBEAT)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    output_dir: Path | None = None,
    styles_dir: Path | None = None,
    password: str | None = None,
) -> Iterator[str]:
    """Serve the page while the context lasts; yields its address.

    Args:
        host: the address of this machine that is listened at.
        port: 0 takes one that is free.
        output_dir: a folder where all pictures are kept; None for none.
        styles_dir: a folder of paintings that are offered beside the samples.
        password: what visitors must give, with any name; None for no password.

    Raises:
        InputError: Gradio is missing, a folder cannot be read, or the port is taken.
    """
    _limit_arenas()
    try:
        with scratch_folder() as scratch:
            from nst_tf.app import page, paintings
            from nst_tf.app.visits import Visits

            port = free_port(host, port)
            folders = [each for each in (paintings.SAMPLES, styles_dir) if each and each.is_dir()]
            thumbnails = scratch / "paintings"
            thumbnails.mkdir()
            offered = paintings.read(folders, thumbnails)
            painter, is_warm = Painter(), threading.Event()
            blocks = page.build(painter, Visits(scratch), is_warm, offered, output_dir)
            warming = threading.Thread(
                target=_warm_up, args=(painter, is_warm), name="warming", daemon=True
            )
            blocks.queue(status_update_rate=1)
            style = resources.files("nst_tf.app").joinpath("page.css").read_text(encoding="utf-8")
            # For good: what is still being sent at the end may also meet it.
            is_ours = functools.partial(_is_ours, scratch)
            logging.getLogger("uvicorn.error").addFilter(is_ours)
            try:
                _, address, _ = blocks.launch(
                    server_name=f"[{host}]" if ":" in host else host,
                    server_port=port,
                    auth=_check(password) if password else None,
                    prevent_thread_lock=True,
                    quiet=True,
                    share=False,
                    ssr_mode=False,
                    mcp_server=False,
                    pwa=False,
                    run_history=False,
                    enable_monitoring=False,
                    footer_links=[],
                    max_file_size=_MAX_FILE_SIZE,
                    theme=page.theme(),
                    css=style,
                )
                warming.start()
                yield address
            finally:
                painter.close()
                blocks.close(verbose=False)
    except ModuleNotFoundError as error:
        if error.name != "gradio":
            raise
        raise InputError(
            "app: needs the package gradio; pip install -r requirements-app.txt"
        ) from error


def is_open(host: str, password: str | None) -> bool:
    """Whether all who reach a host may use its page."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        is_loopback = host == "localhost"
    return not is_loopback and not password


def _is_ours(scratch: Path, record: logging.LogRecord) -> bool:
    """Whether an error is other than that a file went with its visit as it was to be sent."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, FileNotFoundError):
        return True
    return scratch not in Path(str(error.filename)).parents


def _limit_arenas() -> None:
    """Have all threads share a few heaps; with one for each, what they free is hardly reused."""
    with contextlib.suppress(AttributeError, TypeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _NUM_ARENAS)


def _check(password: str):
    """The check of a login; any name will do."""
    expected = password.encode()
    return lambda name, given: hmac.compare_digest(given.encode(), expected)


def _warm_up(painter: Painter, is_warm: threading.Event) -> None:
    try:
        painter.warm_up()
    except Exception:
        _LOG.exception("the networks cannot be loaded ahead of the first picture")
    finally:
        is_warm.set()


def free_port(host: str, port: int) -> int:
    """The port, if it can be listened at; InputError otherwise. For 0 one that is free."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return probe.getsockname()[1]
    except socket.gaierror as error:
        raise InputError(f"host={host}: no such address; expected one of this machine") from error
    except OverflowError as error:
        raise InputError(f"port={port}: expected a number from 0 to 65535") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port={port}: is taken; give another --port") from error
        raise InputError(f"host={host}, port={port}: {error.strerror}; give others") from error
