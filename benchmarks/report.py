"""Write RESULTS.md and the charts from the JSON files that the benchmarks have left.

python benchmarks/report.py
"""

import json
import statistics
from pathlib import Path

import charts
import crowsonkb_report
import memory_report
import program_report
import quality_report
import rate_report
from absl import app, flags
from curves import seconds_to
from tables import provenance, table

from nst_tf import files

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
    "start_up": program_report.start_up,
}


def main(_: list[str]) -> None:
    """Read what there is, write the page and the charts beside it."""
    folder = Path(_OUTPUT.value)
    source = "`benchmarks/report.py` writes this page from what the other benchmarks have measured."
    parts = ["# Results", source]
    parts += quality_report.parts([_read(path) for path in folder.glob("quality_*.json")])
    if peer := _read(folder / "crowsonkb.json"):
        parts += crowsonkb_report.parts(peer)
    if races := _read(folder / "time_to_loss.json"):
        charts.losses(folder / "time_to_loss.png", races, _NAMES)
        parts += _race_parts(races)
    if rates := _read(folder / "step_rate.json"):
        charts.rates(folder / "step_rate.png", rate_report.rows(rates))
        parts += rate_report.parts(rates)
    if losses := _read(folder / "style_loss_rate.json"):
        parts += rate_report.style_losses(losses)
    if memory := _read(folder / "memory.json"):
        charts.memory(folder / "memory.png", memory_report.rows(memory))
        parts += memory_report.parts(memory)
    for name, report in _REPORTS.items():
        if results := _read(folder / f"{name}.json"):
            parts += report(results)
    files.replace(folder / "RESULTS.md", ("\n\n".join(parts) + "\n").encode())
    print(f"wrote {folder / 'RESULTS.md'}")


def _read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.is_file() else {}


def _race_parts(results: dict) -> list[str]:
    settings = results["settings"]
    parts = [
        "## Time to a loss",
        f"Seconds to the loss that the TensorFlow tutorial's loop has after so many steps, long "
        f"side {settings['size']} px. All minimize the Gram objective on the bundled weights from "
        "the same start: the relative squared distance of the Gram matrices of block1_conv1 to "
        "block5_conv1, and 0.03 times that of the features of block4_conv2; so this is a race of "
        "optimizers, whatever the default recipe minimizes. Losses are evaluated in float32 at "
        "the final size, outside the clock; the clock includes computing the targets and tracing, "
        f"and excludes imports, reading files and loading weights. {_own_steps(settings)} "
        "The contenders took turns; those besides nst_tf and the tutorial's loop were stopped "
        f"after {settings['cap_seconds']:g} s, so one that is not there by then may still come "
        "before an nst_tf that takes longer. In brackets: how many times sooner than the "
        "tutorial's loop.",
    ]
    for steps in (settings["early_steps"], settings["tutorial_steps"]):
        parts += [f"### The loss after {steps} steps", _loss_table(results, str(steps))]
    return [*parts, "![Loss over seconds](time_to_loss.png)", provenance(results)]


def _own_steps(settings: dict) -> str:
    """What nst_tf does until it is there; older results do not tell their steps."""
    half, full = settings.get("nst_tf_steps", (63, 126))
    default = "" if "nst_tf_steps" in settings else ", the default of the commit named below"
    return (
        f"nst_tf takes {half} steps at half the size and {full} at the full one{default}. Where "
        "they end above the tutorial's last loss, it goes on from that picture in a second call, "
        "at the full size alone, on the same clock."
    )


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


if __name__ == "__main__":
    app.run(main)
