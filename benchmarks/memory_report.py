"""The part of RESULTS.md about memory."""

import statistics

from tables import provenance, table

_COLUMNS = (
    "type",
    "pixels",
    "limit",
    "tiles",
    "L-BFGS history",
    "peak memory",
    "estimate",
    "step",
    "to whole",
)


def rows(results: dict) -> list[dict]:
    """The medians of each configuration's runs, for the table and the chart."""
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
    """Paragraphs of Markdown from the results of `memory.py`."""
    lines = [list(_COLUMNS)]
    measured = rows(results)
    whole = {
        (row["precision"], row["size"]): row["seconds"]
        for row in measured
        if row["tiles"] == 1 and not row["limit"]
    }
    for row in measured:
        whole_seconds = whole.get((row["precision"], row["size"]))
        lines.append(
            [
                row["precision"],
                row["pixels"],
                f"{row['limit']} GiB" if row["limit"] else "",
                str(row["tiles"]),
                str(row["history"]),
                f"{row['memory'] / 2**30:.2f} GiB",
                f"{row['estimate'] / 2**30:.2f} GiB",
                f"{row['seconds']:.2f} s",
                f"{row['seconds'] / whole_seconds:.2f}x" if whole_seconds else "",
            ]
        )
    return [
        "## Memory",
        "Peak resident memory of a whole process with a full history, and the time of a step, at "
        "one scale: whole and in two tiles, in turns; rows with a limit once, with the tiles that "
        "the limit asks for. The objective is the default recipe's at the commit named below. "
        f"Rounds: {results['settings']['rounds']}.",
        table(lines),
        "![Peak memory](memory.png)",
        provenance(results),
    ]
