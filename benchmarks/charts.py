"""The charts of RESULTS.md."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (after the choice of a backend without a window)
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import NullFormatter  # noqa: E402


def losses(path: Path, results: dict, names: dict[str, str]) -> None:
    """Draw loss over seconds, one panel a pair, both axes logarithmic.

    `names` are the contenders' labels by their keys in the results of time_to_loss.py.
    """
    pairs = results["pairs"]
    figure, panels = pyplot.subplots(
        1, len(pairs), figsize=(5.5 * len(pairs), 4.5), squeeze=False, layout="constrained"
    )
    for panel, (title, pair) in zip(panels[0], pairs.items(), strict=True):
        for index, (key, name) in enumerate(names.items()):
            # A logarithmic axis has no 0 s, where the start is.
            curve = [point for point in pair["contenders"][key]["curve"] if point[1] > 0]
            width = 2.5 if key == "nst_tf" else 1.5
            seconds, values = [point[1] for point in curve], [point[2] for point in curve]
            panel.plot(seconds, values, label=name, color=f"C{index}", linewidth=width)
        for steps, target in pair["targets"].items():
            if target:
                panel.axhline(target["loss"], color="gray", linestyle=":", linewidth=1)
                xy = (0.01, target["loss"])
                panel.annotate(f"{steps} steps", xy, xycoords=("axes fraction", "data"), size=8)
        panel.set(title=title, xlabel="seconds", xscale="log", yscale="log")
        # A contender that diverges must not press the others together.
        panel.set_ylim(top=2 * pair["start_loss"])
        panel.xaxis.set_minor_formatter(NullFormatter())
    panels[0][0].set_ylabel("loss in float32 at the final size")
    panels[0][-1].legend(fontsize=8, loc="upper right")
    _save(figure, path)


def rates(path: Path, rows: list[dict]) -> None:
    """Draw each configuration's fraction of the limit as bars, grouped by size."""
    sizes = sorted({row["size"] for row in rows})
    names = list(dict.fromkeys(row["name"] for row in rows))
    figure, panel = pyplot.subplots(figsize=(7, 4), layout="constrained")
    width = 0.8 / len(names)
    for index, name in enumerate(names):
        group = [row for row in rows if row["name"] == name]
        x = [sizes.index(row["size"]) + index * width for row in group]
        panel.bar(x, [100 * row["fraction"] for row in group], width, label=name)
    middle = (len(names) - 1) * width / 2
    panel.set_xticks([x + middle for x in range(len(sizes))], [f"{n} px" for n in sizes])
    panel.axhline(100, color="gray", linestyle=":")
    panel.set(ylabel="% of the convolution's rate")
    panel.legend(fontsize=8)
    _save(figure, path)


def memory(path: Path, rows: list[dict]) -> None:
    """Draw peak memory and seconds a step against the long side, whole and tiled."""
    figure, panels = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    sizes = sorted({row["size"] for row in rows})
    for precision in dict.fromkeys(row["precision"] for row in rows):
        for tiled, line in ((False, "-o"), (True, "--s")):
            group = sorted(
                (r for r in rows if r["precision"] == precision and (r["tiles"] > 1) == tiled),
                key=lambda row: (row["size"], row["tiles"]),
            )
            x = [row["size"] for row in group]
            label = f"{precision}, {'in tiles' if tiled else 'whole'}"
            panels[0].plot(x, [row["memory"] / 2**30 for row in group], line, label=label)
            panels[1].plot(x, [row["seconds"] for row in group], line, label=label)
    for panel in panels:
        panel.set_xscale("log", base=2)
        panel.set_xticks(sizes, [str(size) for size in sizes])
        panel.set_xlabel("long side in pixels")
    panels[0].set(ylabel="peak memory in GiB", ylim=(0, None))
    panels[1].set(ylabel="seconds a step", yscale="log")
    panels[0].legend(fontsize=8)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
