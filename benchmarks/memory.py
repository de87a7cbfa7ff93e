"""Measure peak memory and a step's time against size, whole and in tiles.

python benchmarks/memory.py
"""

import statistics

import machine
from absl import app, flags

_SIZES = flags.DEFINE_list("sizes", ["512", "1024"], "long sides in pixels, whole and in tiles")
_LARGE = flags.DEFINE_list(
    "large",
    ["1024:2.4", "2048:5.5", "4096:5.5"],
    "long sides in pixels and limits in GiB, as 4096:5.5; the limit decides the tiles",
)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often each is measured, in turns; large ones once")
_PRECISIONS = flags.DEFINE_list("precisions", ["float32", "bfloat16"], "types to measure in")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
# Pixels of a tile, with padding, over those of the image: two tiles at 1024 px.
_TWO_TILES = 0.7
_GIB = 2**30


def main(_: list[str]) -> None:
    """Measure round by round, and save after each process."""
    settings = {"rounds": _ROUNDS.value}
    results = machine.provenance() | {"settings": settings, "runs": []}

    for precision in _PRECISIONS.value:
        for size in map(int, _SIZES.value * _ROUNDS.value):
            for fraction in (1, _TWO_TILES):
                _measure(results, precision=precision, size=size, max_tile_fraction=fraction)
        for size, limit in (each.split(":") for each in _LARGE.value):
            _measure(results, precision=precision, size=int(size), max_memory=float(limit))


def _measure(results: dict, **flag_values) -> None:
    run = machine.run_process("memory_process.py", flag_values)
    results["runs"].append(flag_values | run)
    machine.save(_OUTPUT.value, "memory.json", results)
    print(
        f"{flag_values}: {run['tiles']} tiles, {run['peak_memory'] / _GIB:.2f} GiB, "
        f"estimated {run['estimate'] / _GIB:.2f}, "
        f"{statistics.median(run['step_seconds']):.3f} s a step",
        flush=True,
    )


if __name__ == "__main__":
    app.run(main)
