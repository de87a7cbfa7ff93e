"""Paint the same pairs with other losses, paddings and averages.

python benchmarks/quality.py --content=photo.jpg --style=painting.jpg
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from unittest import mock

import machine
import numpy as np
import style_losses
import tensorflow as tf
from absl import flags

from nst_tf import (
    Settings,
    Style,
    atomic,
    features,
    image,
    losses,
    program,
    report,
    scales,
    tiled,
    transfer,
)

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_multi_string(
    "content",
    [f"{_SAMPLES}/content/{name}.jpg" for name in ("cincinnati_bridge", "raccoon", "honey_bee")],
    "photographs, one for each painting",
)
_STYLE = flags.DEFINE_multi_string(
    "style",
    [
        f"{_SAMPLES}/style/{name}.jpg"
        for name in (
            "vangogh_village_street_in_auvers",
            "hokusai_great_wave",
            "kandinsky_composition_viii",
        )
    ],
    "paintings",
)
_SIZE = flags.DEFINE_integer("size", 256, "long side of the pictures, in pixels")
_STEPS = flags.DEFINE_integer("steps", 120, "iterations at the last of two scales")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
# Of crowsonkb/style-transfer-pytorch, from the shallowest layer to the deepest.
_STEEP = (256, 64, 16, 4, 1)
# Pixels from the edge that count as its.
_BORDER = 8


@dataclass(frozen=True)
class Variant:
    """A way to paint: the default recipe but for what is said here, and total variation."""

    style: style_losses.StyleLoss | None = None
    weights: tuple[int, ...] = (1, 1, 1, 1, 1)
    content_weight: float = Settings().content_weight
    tv_weight: float = 0.0
    padding: str = ""
    averaged: int = 0


_VARIANTS = {
    "Gram": Variant(),
    "Gram, content 0.3": Variant(content_weight=0.3),
    "mean and covariance": Variant(style_losses.mean_and_covariance),
    "2-Wasserstein": Variant(style_losses.wasserstein, content_weight=0.15),
    "2-Wasserstein, 256:64:16:4:1": Variant(style_losses.wasserstein, _STEEP),
    "Gram + 0.05 2-Wasserstein": Variant(style_losses.gram_and_wasserstein),
    "Gram, 256:64:16:4:1": Variant(style_losses.gram, _STEEP),
    "Gram, reflected edges": Variant(padding="REFLECT"),
    "Gram, replicated edges": Variant(padding="SYMMETRIC"),
    "Gram, mean of the last 20": Variant(averaged=20),
    "Gram, total variation 0.1": Variant(tv_weight=0.1),
    "Gram, total variation 0.2": Variant(tv_weight=0.2),
}
_WAY = flags.DEFINE_multi_enum("way", list(_VARIANTS), list(_VARIANTS), "the ways to paint")


def main() -> None:
    """Paint each pair in each way, measure, and save numbers and a sheet."""
    results = machine.provenance() | {"settings": {"size": _SIZE.value, "steps": _STEPS.value}}
    results["pairs"] = {}
    variants = {name: _VARIANTS[name] for name in _WAY.value}
    saved = Path(_OUTPUT.value) / f"quality_{_SIZE.value}.json"
    rows = []
    for content, style in zip(_CONTENT.value, _STYLE.value, strict=True):
        photograph, painting = image.read(content).rgb, image.read(style).rgb
        found, row = {}, []
        for name, variant in variants.items():
            picture, seconds = _paint(photograph, painting, variant)
            found[name] = _measure(picture, photograph, painting) | {"seconds": seconds}
            print(f"{Path(content).stem} x {Path(style).stem}, {name}: {found[name]}", flush=True)
            row.append(picture)
        rows.append(np.concatenate(row, axis=1))
        results["pairs"][f"{Path(content).stem} x {Path(style).stem}"] = found
        atomic.replace(saved, json.dumps(results, indent=1).encode())
    width = max(row.shape[1] for row in rows)
    sides = [((0, 0), (0, width - row.shape[1]), (0, 0)) for row in rows]
    sheet = [np.pad(row, side, constant_values=1.0) for row, side in zip(rows, sides, strict=True)]
    image.write(saved.with_suffix(".jpg"), np.concatenate(sheet))


def _paint(photograph: np.ndarray, painting: np.ndarray, variant: Variant):
    knobs = Settings(
        size=_SIZE.value,
        scales=2,
        steps=_STEPS.value,
        content_weight=variant.content_weight,
        tv_weight=variant.tv_weight,
    )
    last: list[np.ndarray] = []
    began = perf_counter()
    with _in_the_way_of(variant):
        for progress in transfer.optimize(photograph, [Style(painting)], knobs):
            left = progress.steps[-1] - progress.step
            if progress.scale == 1 and left <= max(variant.averaged, 1):
                last.append(progress.image())
    return np.mean(last, axis=0), perf_counter() - began


@contextmanager
def _in_the_way_of(variant: Variant) -> Iterator[None]:
    """The library with that variant's parts in place of its own."""
    with ExitStack() as changed:
        if variant.style is not None:
            kind = style_losses.objective(variant.style, variant.weights)
            changed.enter_context(mock.patch.object(losses, "gram", style_losses.moments))
            changed.enter_context(mock.patch.object(tiled, "Objective", kind))
        if variant.padding:
            changed.enter_context(mock.patch.object(features, "_in_precision", _padded(variant)))
        yield


def _padded(variant: Variant):
    """`features._in_precision` with another padding than zeros."""
    plain = features._in_precision

    def in_precision(layer: tf.keras.layers.Layer, precision: str):
        same = plain(layer, precision)
        if not isinstance(layer, tf.keras.layers.Conv2D):
            return same
        valid = type(same).from_config(same.get_config() | {"padding": "valid"})
        valid.build((None, None, None, layer.input.shape[-1]))
        valid.set_weights(layer.get_weights())
        edges = [[0, 0], [1, 1], [1, 1], [0, 0]]
        pad = tf.keras.layers.Lambda(
            lambda x: tf.pad(x, edges, variant.padding), dtype=same.compute_dtype
        )
        return lambda x: valid(pad(x))

    return in_precision


def _measure(picture: np.ndarray, photograph: np.ndarray, painting: np.ndarray) -> dict:
    sizes = scales.scale_sizes(*photograph.shape[:2], Settings(size=_SIZE.value, scales=1))
    small = np.asarray(image.resize(photograph, *sizes[0]))
    fitted = scales.painting_size(*painting.shape[:2], max(sizes[0]))
    scores = report.Evaluator(small, np.asarray(image.resize(painting, *fitted))).measure(picture)
    return {
        "total": scores.total,
        "style": scores.style,
        "content": scores.content / Settings().content_weight,
        "other_style": scores.other_style,
        "grain": _grain(picture, small),
        "border": _border(picture),
    }


def _border(picture: np.ndarray) -> float:
    """The finest detail of the outermost pixels beside that of all others; 1 where it is alike."""
    grey = picture.mean(axis=-1)
    squares = (grey - _blurred(grey, 2)) ** 2
    inside = np.zeros(grey.shape, bool)
    inside[_BORDER:-_BORDER, _BORDER:-_BORDER] = True
    return float(np.sqrt(squares[~inside].mean() / squares[inside].mean()))


def _grain(picture: np.ndarray, photograph: np.ndarray) -> float:
    """The root mean square of the finest detail, where the photograph is flattest."""
    there, here = photograph.mean(axis=-1), picture.mean(axis=-1)
    busy = _blurred(np.abs(there - _blurred(there, 4)), 8)
    flat = busy <= np.quantile(busy, 0.3)
    return float(np.sqrt(np.mean((here - _blurred(here, 2))[flat] ** 2)))


def _blurred(grey: np.ndarray, times: int) -> np.ndarray:
    """A grey picture [H, W] made so many times smaller, and enlarged again."""
    height, width = grey.shape
    coarse = tf.image.resize(grey[..., np.newaxis], (height // times, width // times), "area")
    return tf.image.resize(coarse, (height, width), "bicubic").numpy()[..., 0]


if __name__ == "__main__":
    program.run(main)
