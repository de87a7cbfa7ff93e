"""The part of RESULTS.md about a step against the machine's limit."""

import statistics

from tables import provenance, table


def rows(results: dict) -> list[dict]:
    """Each configuration with the medians over its rounds.

    Args:
        results: of `step_rate.py`.

    Returns:
        A dict for each, for the table and the chart.
    """
    found = []
    for each in results["configurations"]:
        if not each["rounds"]:
            continue
        seconds = [statistics.median(one["step_seconds"]) for one in each["rounds"]]
        limits = [max(one["limit_rates"].values()) for one in each["rounds"]]
        operations = each["rounds"][0]["operations"]
        shares = [operations / s / limit for s, limit in zip(seconds, limits, strict=True)]
        found.append(
            {
                "name": f"{each['program']} {each['precision']}",
                "size": each["size"],
                "pixels": f"{each['rounds'][0]['width']} x {each['rounds'][0]['height']}",
                "seconds": statistics.median(seconds),
                "rate": statistics.median(operations / s for s in seconds),
                "limit": statistics.median(limits),
                "share": statistics.median(shares),
                "memory": statistics.median(one["peak_memory"] for one in each["rounds"]),
            }
        )
    return found


def parts(results: dict) -> list[str]:
    """What was measured of a step.

    Args:
        results: of `step_rate.py`.

    Returns:
        Paragraphs of Markdown.
    """
    lines = [
        ["step of", "pixels", "seconds", "GFLOP/s", "limit, GFLOP/s", "of the limit", "peak memory"]
    ]
    for row in rows(results):
        lines.append(
            [
                row["name"],
                row["pixels"],
                f"{row['seconds']:.3f}",
                f"{row['rate'] / 1e9:.0f}",
                f"{row['limit'] / 1e9:.0f}",
                f"{row['share']:.0%}",
                f"{row['memory'] / 2**30:.2f} GiB",
            ]
        )
    return [
        "## A step against the machine's limit",
        "A step is loss, gradient and optimiser; PyTorch's has no total variation. Its rate counts "
        "the operations of VGG19's convolutions up to the deepest layer, forward and back to the "
        "picture, and nothing else. "
        "The limit is the median rate of a 3x3 convolution of 256 channels, of the size where it "
        "is fastest, in the same precision and the same process, measured between the steps. Each "
        f"row is the median of {results['settings']['rounds']} processes, run in turns; peak "
        "memory is the whole process's, before L-BFGS has filled its history.",
        table(lines),
        "![Share of the limit](step_rate.png)",
        "Where the time of a step goes: the convolutions, forward and back, what they would take "
        "at the limit, and the optimiser; measured by themselves, between the steps. The rest is "
        "what is left of the step: Gram products, ReLU, pooling, changes of type, total variation.",
        _shares(results),
        provenance(results),
    ]


def _shares(results: dict) -> str:
    lines = [["step of", "pixels", "convolutions", "at the limit", "optimiser", "the rest"]]
    for each in results["configurations"]:
        rounds = [one for one in each["rounds"] if one["part_seconds"]]
        if not rounds:
            continue
        shares = [_of_the_step(one) for one in rounds]
        pixels = f"{rounds[0]['width']} x {rounds[0]['height']}"
        medians = [f"{statistics.median(column):.0%}" for column in zip(*shares, strict=True)]
        lines.append([f"{each['program']} {each['precision']}", pixels, *medians])
    return table(lines)


def _of_the_step(one: dict) -> tuple[float, float, float, float]:
    """Of a step's time: the convolutions, the same at the limit's rate, the optimiser, the rest."""
    step = statistics.median(one["step_seconds"])
    parts = one["part_seconds"]
    convolutions = statistics.median(parts["convolutions"]) / step
    optimizer = statistics.median(parts["optimizer"]) / step
    least = one["operations"] / max(one["limit_rates"].values()) / step
    return convolutions, least, optimizer, 1 - convolutions - optimizer
