"""Sources of feed-forward models: bundled, a folder, an archive, an address of TensorFlow Hub."""

import contextlib
import os
import socket
import tarfile
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from nst_tf.errors import InputError, one_line
from nst_tf.networks.stylization import StylizationNetwork, read_weights

MAGENTA = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
# Seconds a server may stay silent.
TIMEOUT = 10.0
_ADVICE = (
    "give bundled, magenta, or a folder or .tar.gz with a SavedModel; TFHUB_CACHE_DIR may name a "
    "folder that holds earlier downloads"
)


def load(handle: str) -> Any:
    """Load `bundled`, or a SavedModel: `magenta`, a folder, a .tar.gz, an http(s) address."""
    # TensorFlow Hub stores downloads in TFHUB_CACHE_DIR, or in a temporary folder.
    if handle == "bundled":
        # As the SavedModel `arbitrary_stylization`, but sooner, and it can be run in strips.
        return StylizationNetwork(read_weights())
    address = MAGENTA if handle == "magenta" else handle
    if address.startswith(("http://", "https://")):
        folder = _download(handle, address)
        return _load(handle, folder, f"; remove {folder} to download it again")
    if os.path.isfile(handle) and handle.endswith((".tar.gz", ".tgz")):
        with tempfile.TemporaryDirectory() as scratch:
            _unpack(handle, scratch)
            return _load(handle, Path(scratch))
    if not os.path.isdir(handle):
        raise handle_error(handle, "there is no such folder or .tar.gz, and it is not an address")
    return _load(handle, Path(handle))


def handle_error(handle: str, cause: str, error: Exception | None = None) -> InputError:
    """The error for a handle that cannot be used: one line with its cause and what to do."""
    if error:
        cause += f" ({one_line(error)})"
    return InputError(f"handle={handle}: {cause}; {_ADVICE}")


def _load(handle: str, folder: Path, remedy: str = "") -> Any:
    # An archive may hold the model in one folder of its own.
    inside = list(folder.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        (folder,) = inside
    if not (folder / "saved_model.pb").is_file():
        raise handle_error(handle, f"no SavedModel, saved_model.pb is missing{remedy}")
    try:
        return tf.saved_model.load(str(folder))
    except MemoryError:
        raise
    # TensorFlow raises any type of error for a damaged file.
    except Exception as error:
        raise handle_error(handle, f"the SavedModel cannot be loaded{remedy}", error) from error


def _unpack(handle: str, folder: str) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise handle_error(handle, "this Python cannot unpack archives safely; unpack it yourself")
    try:
        with tarfile.open(handle) as archive:
            archive.extractall(folder, filter="data")
    except Exception as error:
        raise handle_error(handle, "not a complete .tar.gz", error) from error


def _download(handle: str, address: str) -> Path:
    """Download with TensorFlow Hub unless it has a copy; returns the folder of its copy."""
    try:
        with warnings.catch_warnings(), _socket_timeout():
            # It imports pkg_resources, which warns of its own end.
            warnings.simplefilter("ignore")
            import tensorflow_hub

            return Path(tensorflow_hub.resolve(address))
    except Exception as error:
        raise handle_error(handle, "cannot be downloaded", error) from error


@contextlib.contextmanager
def _socket_timeout() -> Iterator[None]:
    # TensorFlow Hub sets no timeout; this one holds for all new sockets of the process.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
