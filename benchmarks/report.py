"""Write RESULTS.md and the charts from the JSON files that the benchmarks have left.

python benchmarks/report.py
"""

import json
from pathlib import Path

import crowsonkb_report
import memory_report
import optimizer_report
import program_report
import quality_report
import rate_report
import video_report
from absl import app, flags

from nst_tf import atomic_files

# By the name of their results, in their order on the page.
_REPORTS = {
    "crowsonkb": crowsonkb_report.parts,
    "time_to_loss": optimizer_report.parts,
    "step_rate": rate_report.parts,
    "style_loss_rate": rate_report.style_losses,
    "memory": memory_report.parts,
    "fast_rate": program_report.fast,
    "video": video_report.parts,
    "export_rate": program_report.exports,
    "callback_cost": program_report.callbacks,
    "batch_rate": program_report.batches,
    "start_up": program_report.start_up,
}


def main(_: list[str]) -> None:
    """Read what there is, write the page and the charts beside it."""
    folder = Path(flags.FLAGS.output_dir)
    atomic_files.replace(folder / "RESULTS.md", page(folder).encode())
    _draw(folder)
    print(f"wrote {folder / 'RESULTS.md'}")


def page(folder: Path) -> str:
    """RESULTS.md from the results in a folder."""
    source = "`benchmarks/report.py` writes this page from what the other benchmarks have measured."
    parts = ["# Results", source]
    parts += quality_report.parts([_read(path) for path in folder.glob("quality_*.json")])
    for name, report in _REPORTS.items():
        if results := _read(folder / f"{name}.json"):
            parts += report(results)
    return "\n\n".join(parts) + "\n"


def _draw(folder: Path) -> None:
    # The page alone needs no Matplotlib.
    import charts

    if races := _read(folder / "time_to_loss.json"):
        charts.losses(folder / "time_to_loss.png", races, optimizer_report.NAMES)
    if rates := _read(folder / "step_rate.json"):
        charts.rates(folder / "step_rate.png", rate_report.rows(rates))
    if memory := _read(folder / "memory.json"):
        charts.memory(folder / "memory.png", memory_report.rows(memory))


def _read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.is_file() else {}


if __name__ == "__main__":
    flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
    app.run(main)
