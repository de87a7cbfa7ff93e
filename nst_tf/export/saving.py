"""Writes exports: folders with a model that runs without this package."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from nst_tf import atomic_files
from nst_tf.errors import InputError, one_line
from nst_tf.export import lite, manifest
from nst_tf.export.models import ExportedModel, ExportedStylization


def save(model: ExportedModel, path: str | os.PathLike, *, overwrite: bool = False) -> None:
    """Write a model as a SavedModel, with its README.md and its manifest.

    `overwrite` allows to replace an export that is there, once the new one is whole.
    """
    with _folder(path, overwrite) as folder:
        tf.saved_model.save(model, str(folder), signatures=model.signatures())
        signatures = model.signatures().items()
        functions = {name: function.get_concrete_function() for name, function in signatures}
        manifest.write(folder, manifest.build_manifest(model, functions))


def save_lite(
    model: ExportedStylization,
    path: str | os.PathLike,
    height: int,
    width: int,
    *,
    overwrite: bool = False,
) -> None:
    """Write the feed-forward model as two TensorFlow Lite files, float32 and int8.

    They take content images of (height, width) pixels.
    """
    network, function = lite.fixed_size(height, width)
    with _folder(path, overwrite) as folder:
        for precision in ("float32", "int8"):
            data = lite.convert(network, function, quantized=precision == "int8")
            (folder / f"fast_{precision}.tflite").write_bytes(data)
        contents = manifest.build_manifest(model, {"serving_default": function})
        manifest.write(folder, contents, lite=True)


def check(path: str | os.PathLike, *, overwrite: bool) -> None:
    """Raise an InputError if the folder cannot be written, or holds what must not be replaced."""
    folder = Path(path).resolve()
    atomic_files.check_folder(folder)
    if not folder.exists() or atomic_files.is_empty(folder):
        return
    if not (folder / manifest.PATH).is_file():
        raise InputError(f"output_dir={path}: is there and is no export, so it stays; give another")
    if not overwrite:
        raise InputError(f"output_dir={path}: exists; give --overwrite to replace it, or another")


@contextlib.contextmanager
def _folder(path: str | os.PathLike, overwrite: bool) -> Iterator[Path]:
    check(path, overwrite=overwrite)
    with atomic_files.folder(path) as folder:
        try:
            yield folder
        except tf.errors.OpError as error:
            raise InputError(
                f"output_dir={path}: cannot be written ({one_line(error)}); free some space or "
                "give another"
            ) from error
        # Something may have appeared there meanwhile.
        check(path, overwrite=overwrite)
