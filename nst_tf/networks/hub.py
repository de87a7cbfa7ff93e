"""Where a feed-forward model comes from: what is bundled, a folder, an archive, an address."""

import contextlib
import os
import socket
import tarfile
import tempfile
import warnings
from pathlib import Path
from typing import Any

import tensorflow as tf

from nst_tf.errors import InputError
from nst_tf.networks import weights

MAGENTA = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
# Seconds that a server may stay silent.
TIMEOUT = 10.0
_ADVICE = (
    "give bundled, magenta, or a folder or .tar.gz with a SavedModel; TFHUB_CACHE_DIR may name a "
    "folder that holds earlier downloads"
)


def load(handle: str) -> Any:
    """Load a SavedModel.

    Args:
        handle: `bundled`, `magenta` (the official module), a folder with a SavedModel, a .tar.gz
            with one, or an http(s) address that TensorFlow Hub understands. TensorFlow Hub keeps
            what it downloads in TFHUB_CACHE_DIR, or in a temporary folder. While it does, sockets
            of this process have a timeout.

    Returns:
        The model.

    Raises:
        InputError: there is no such model, or it cannot be fetched or loaded.
    """
    if handle == "bundled":
        return _load(handle, weights.path("arbitrary_stylization"))
    address = MAGENTA if handle == "magenta" else handle
    if address.startswith(("http://", "https://")):
        kept = _fetch(handle, address)
        return _load(handle, kept, f"; remove {kept} to fetch it again")
    if os.path.isfile(handle) and handle.endswith((".tar.gz", ".tgz")):
        with tempfile.TemporaryDirectory() as folder:
            _unpack(handle, folder)
            return _load(handle, Path(folder))
    if not os.path.isdir(handle):
        raise refusal(handle, "there is no such folder or .tar.gz, and it is no http address")
    return _load(handle, Path(handle))


def refusal(handle: str, cause: str, error: Exception | None = None) -> InputError:
    """The error for a handle that does not do.

    Args:
        handle: as given.
        cause: why.
        error: what says so.

    Returns:
        One line: the handle, the cause, what to do.
    """
    if error:
        cause += f" ({(' '.join(str(error).split()) or type(error).__name__)[:300]})"
    return InputError(f"handle={handle}: {cause}; {_ADVICE}")


def _load(handle: str, folder: Path, remedy: str = "") -> Any:
    # An archive may hold the model in one folder of its own.
    inside = list(folder.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        (folder,) = inside
    if not (folder / "saved_model.pb").is_file():
        raise refusal(handle, f"no SavedModel, saved_model.pb is missing{remedy}")
    try:
        return tf.saved_model.load(str(folder))
    except MemoryError:
        raise
    # A broken file may raise anything here.
    except Exception as error:
        raise refusal(handle, f"a SavedModel that does not load{remedy}", error) from error


def _unpack(handle: str, folder: str) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise refusal(handle, "this Python cannot unpack archives safely; unpack it yourself")
    try:
        with tarfile.open(handle) as archive:
            archive.extractall(folder, filter="data")
    except Exception as error:
        raise refusal(handle, "no whole .tar.gz", error) from error


def _fetch(handle: str, address: str) -> Path:
    """The folder that TensorFlow Hub keeps a download in."""
    try:
        with warnings.catch_warnings(), _timeout():
            # It imports pkg_resources, which warns of its own end.
            warnings.simplefilter("ignore")
            import tensorflow_hub

            return Path(tensorflow_hub.resolve(address))
    except Exception as error:
        raise refusal(handle, "cannot be fetched", error) from error


@contextlib.contextmanager
def _timeout():
    """TensorFlow Hub sets no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
