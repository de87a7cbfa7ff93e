"""Exports: folders with a model that runs without this package."""

import os
from pathlib import Path

import tensorflow as tf

from nst_tf import atomic, lite, manifest
from nst_tf.errors import InputError
from nst_tf.served import Extractor, Fast, Optimizer


def save(model: Extractor | Optimizer | Fast, path: str | os.PathLike) -> None:
    """Write a model as a SavedModel with its README.md and its manifest.

    Args:
        model: of `served.py`.
        path: the folder; one that is there is replaced when the new one is whole.

    Raises:
        InputError: the folder cannot be written.
    """
    with atomic.folder(path) as folder:
        tf.saved_model.save(model, str(folder), signatures=model.signatures())
        manifest.write(folder, manifest.of_saved_model(model))


def save_lite(model: Fast, path: str | os.PathLike, height: int, width: int) -> None:
    """Write the feed-forward model as two TensorFlow Lite files, float32 and int8.

    Args:
        model: of `served.py`.
        path: the folder; one that is there is replaced when the new one is whole.
        height: of the photographs that they take.
        width: of the photographs that they take.

    Raises:
        InputError: the folder cannot be written.
    """
    function = lite.fixed(model, height, width)
    with atomic.folder(path) as folder:
        for kind in ("float32", "int8"):
            data = lite.convert(model, function, quantised=kind == "int8")
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
    folder = Path(path)
    if not folder.exists():
        atomic.check(folder)
        return
    if not overwrite:
        raise InputError(f"output_dir={folder}: exists; give --overwrite to replace it, or another")
    empty = folder.is_dir() and not any(folder.iterdir())
    if not empty and not (folder / manifest.PLACE).is_file():
        raise InputError(
            f"output_dir={folder}: is no export, so it will not be overwritten; give another"
        )
    atomic.check(folder / "README.md")
