"""Write RESULTS.md and the charts from the JSON files that the benchmarks have left.

python benchmarks/report.py
"""

import json
import statistics
from pathlib import Path

import charts
import memory_report
import program_report
import quality_report
import rate_report
from absl import app, flags
from curves import seconds_to
from tables import provenance, table

from nst_tf import atomic

_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_NAMES = {
    "nst_tf": "nst_tf",
    "tutorial": "TensorFlow tutorial's loop",
    "keras_io": "keras.io example's loop",
    "torch_lbfgs": "PyTorch's L-BFGS",
    "scipy_lbfgsb": "SciPy's L-BFGS-B",
}
# Those without charts, in their order on the page.
_REPORTS = {
    "fast_rate": program_report.fast,
    "export_rate": program_report.exports,
    "listener_cost": program_report.listeners,
    "batch_rate": program_report.batches,
}


def main(_: list[str]) -> None:
    """Read what there is, write the page and the charts beside it."""
    folder = Path(_OUTPUT.value)
    source = "`benchmarks/report.py` writes this page from what the other benchmarks have measured."
    parts = ["# Results", source]
    if races := _read(folder / "time_to_loss.json"):
        charts.losses(folder / "time_to_loss.png", races, _NAMES)
        parts += _race_parts(races)
    if rates := _read(folder / "step_rate.json"):
        charts.rates(folder / "step_rate.png", rate_report.rows(rates))
        parts += rate_report.parts(rates)
    if memory := _read(folder / "memory.json"):
        charts.memory(folder / "memory.png", memory_report.rows(memory))
        parts += memory_report.parts(memory)
    for name, report in _REPORTS.items():
        if results := _read(folder / f"{name}.json"):
            parts += report(results)
    looks = {path.stem: _read(path) for path in sorted(folder.glob("quality_*.json"))}
    parts += quality_report.parts(looks)
    atomic.replace(folder / "RESULTS.md", ("\n\n".join(parts) + "\n").encode())
    print(f"wrote {folder / 'RESULTS.md'}")


def _read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.is_file() else {}


def _race_parts(results: dict) -> list[str]:
    settings = results["settings"]
    parts = [
        "## Time to a loss",
        f"Seconds to the loss that the TensorFlow tutorial's loop has after so many steps, long "
        f"side {settings['size']} px. All minimise the default recipe's objective, without total "
        "variation, on the bundled weights from the same start. Losses are evaluated in float32 at "
        "the final size, outside the clock; the clock includes computing the targets and tracing, "
        "and excludes imports, reading files and loading weights. The contenders took turns; those "
        "besides nst_tf and the tutorial's loop were stopped after "
        f"{settings['cap_seconds']:g} s, so one that is not there by then may still come before an "
        "nst_tf that takes longer. In brackets: how many times sooner than the tutorial's "
        "loop.",
    ]
    for steps in (settings["early_steps"], settings["tutorial_steps"]):
        parts += [f"### The loss after {steps} steps", _loss_table(results, str(steps))]
    parts += [
        "![Loss over seconds](time_to_loss.png)",
        "### The default steps to their end",
        "Where they end above the tutorial's last loss, the times above go on past that end: on "
        "the same clock, a second call starts from that picture, at the final size alone.",
        _default_table(results),
        provenance(results),
    ]
    return parts


def _loss_table(results: dict, steps: str) -> str:
    pairs = {name: pair for name, pair in results["pairs"].items() if pair["targets"][steps]}
    rows = [["", *pairs, "median"]]
    losses = [f"{pair['targets'][steps]['loss']:.4g}" for pair in pairs.values()]
    rows.append(["loss", *losses, ""])
    for key, name in _NAMES.items():
        cells, ratios = [], []
        for pair in pairs.values():
            loss = pair["targets"][steps]["loss"]
            own = seconds_to(pair["contenders"]["tutorial"]["curve"], loss)
            contender = pair["contenders"][key]
            seconds = seconds_to(contender["curve"], loss)
            if seconds is None:
                cells.append(f"not within {contender['seconds']:.0f} s")
                ratios.append(0.0)
            else:
                ratios.append(own / seconds)
                cells.append(f"{seconds:.1f} s ({ratios[-1]:.1f}x)")
        rows.append([name, *cells, _middle(ratios)])
    return table(rows)


def _middle(ratios: list[float]) -> str:
    """The median; a ratio of 0 stands for a contender that did not get there."""
    if not ratios:
        return ""
    # No mean of the two in the middle where one of them may be no measurement.
    middle = statistics.median(ratios) if all(ratios) else statistics.median_low(ratios)
    return f"{middle:.1f}x" if middle else "not reached"


def _default_table(results: dict) -> str:
    rows = [["pair", "steps", "seconds", "loss", "tutorial's last loss"]]
    for name, pair in results["pairs"].items():
        default, targets = pair.get("default"), pair["targets"]
        last = targets[str(results["settings"]["tutorial_steps"])].get("loss")
        if default:
            row = [name, str(default["steps"]), f"{default['seconds']:.0f}"]
            rows.append([*row, f"{default['loss']:.4g}", f"{last:.4g}" if last else "not yet"])
    return table(rows)


if __name__ == "__main__":
    app.run(main)
