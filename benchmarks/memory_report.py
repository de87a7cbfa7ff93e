"""The part of RESULTS.md about memory."""

import statistics

from tables import provenance, table

_COLUMNS = (
    "type",
    "pixels",
    "limit",
    "tiles",
    "moves remembered",
    "peak memory",
    "estimate",
    "step",
    "to whole",
)


def rows(results: dict) -> list[dict]:
    """The medians of each configuration's runs.

    Args:
        results: of `memory.py`.

    Returns:
        A row each, for the table and the chart.
    """
    groups: dict[tuple, list[dict]] = {}
    for run in results["runs"]:
        limit = run.get("max_memory")
        groups.setdefault((run["precision"], run["size"], run["tiles"], limit), []).append(run)
    return [
        {
            "precision": precision,
            "size": size,
            "tiles": tiles,
            "limit": limit,
            "pixels": f"{runs[0]['width']} x {runs[0]['height']}",
            "history": runs[0]["history"],
            "memory": statistics.median(run["peak_memory"] for run in runs),
            "estimate": statistics.median(run["estimate"] for run in runs),
            "seconds": statistics.median(s for run in runs for s in run["step_seconds"]),
        }
        for (precision, size, tiles, limit), runs in groups.items()
    ]


def parts(results: dict) -> list[str]:
    """Lay out what was measured.

    Args:
        results: of `memory.py`.

    Returns:
        Paragraphs of Markdown.
    """
    shown = [list(_COLUMNS)]
    measured = rows(results)
    whole = {
        (r["precision"], r["size"]): r["seconds"]
        for r in measured
        if r["tiles"] == 1 and not r["limit"]
    }
    for row in measured:
        alone = whole.get((row["precision"], row["size"]))
        shown.append(
            [
                row["precision"],
                row["pixels"],
                f"{row['limit']} GiB" if row["limit"] else "",
                str(row["tiles"]),
                str(row["history"]),
                f"{row['memory'] / 2**30:.2f} GiB",
                f"{row['estimate'] / 2**30:.2f} GiB",
                f"{row['seconds']:.2f} s",
                f"{row['seconds'] / alone:.2f}x" if alone else "",
            ]
        )
    return [
        "## Memory",
        "Peak resident memory of a whole process, the history full, and the time of a step, seen "
        "whole and in two tiles, in turns, at one scale; those with a limit once, as the limit has "
        "it. The objective is the default recipe's at the commit named below. "
        f"Rounds: {results['settings']['rounds']}.",
        table(shown),
        "![Peak memory](memory.png)",
        provenance(results),
    ]
