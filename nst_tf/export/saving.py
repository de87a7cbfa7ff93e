"""Exports: folders with a model that runs without this package."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from nst_tf import files
from nst_tf.errors import InputError
from nst_tf.export import lite, manifest
from nst_tf.export.models import Extractor, Fast, Optimizer


def save(
    model: Extractor | Optimizer | Fast, path: str | os.PathLike, *, overwrite: bool = False
) -> None:
    """Write a model as a SavedModel with its README.md and its manifest.

    Args:
        model: of `served.py`.
        path: the folder.
        overwrite: whether an export that is there may be replaced, when the new one is whole.

    Raises:
        InputError: as `check`, or the folder cannot be written.
    """
    with _folder(path, overwrite) as folder:
        tf.saved_model.save(model, str(folder), signatures=model.signatures())
        manifest.write(folder, manifest.of_saved_model(model))


def save_lite(
    model: Fast, path: str | os.PathLike, height: int, width: int, *, overwrite: bool = False
) -> None:
    """Write the feed-forward model as two TensorFlow Lite files, float32 and int8.

    Args:
        model: of `served.py`.
        path: the folder.
        height: of the photographs that they take, in pixels.
        width: of the photographs that they take, in pixels.
        overwrite: whether an export that is there may be replaced, when the new one is whole.

    Raises:
        InputError: as `check`, or the folder cannot be written.
    """
    network, function = lite.fixed(height, width)
    with _folder(path, overwrite) as folder:
        for kind in ("float32", "int8"):
            data = lite.convert(network, function, quantised=kind == "int8")
            (folder / f"fast_{kind}.tflite").write_bytes(data)
        manifest.write(folder, manifest.of(model, {"serving_default": function}), lite=True)


def check(path: str | os.PathLike, *, overwrite: bool) -> None:
    """Find out before the work whether an export can be written.

    Args:
        path: the folder.
        overwrite: whether an export that is there may be replaced.

    Raises:
        InputError: something is there that may not be replaced, or the folder cannot be written.
    """
    folder = Path(path).resolve()
    files.check_folder(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / manifest.PLACE).is_file():
        raise InputError(f"output_dir={path}: is there and is no export, so it stays; give another")
    if not overwrite:
        raise InputError(f"output_dir={path}: exists; give --overwrite to replace it, or another")


@contextlib.contextmanager
def _folder(path: str | os.PathLike, overwrite: bool) -> Iterator[Path]:
    check(path, overwrite=overwrite)
    with files.folder(path) as folder:
        try:
            yield folder
        except tf.errors.OpError as error:
            reason = " ".join(error.message.split())[:200]
            raise InputError(
                f"output_dir={path}: cannot be written ({reason}); make room or give another"
            ) from error
        check(path, overwrite=overwrite)
