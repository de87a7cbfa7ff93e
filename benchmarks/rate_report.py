"""The parts of RESULTS.md about a step: against the machine's limit, and by its style loss."""

import statistics

from tables import provenance, table


def rows(results: dict) -> list[dict]:
    """Each configuration's medians over its rounds, for the table and the chart."""
    result = []
    for configuration in results["configurations"]:
        rounds = configuration["rounds"]
        if not rounds:
            continue
        seconds = [statistics.median(each["step_seconds"]) for each in rounds]
        limits = [max(each["limit_rates"].values()) for each in rounds]
        operations = rounds[0]["operations"]
        fractions = [operations / s / limit for s, limit in zip(seconds, limits, strict=True)]
        result.append(
            {
                "name": f"{configuration['program']} {configuration['precision']}",
                "size": configuration["size"],
                "pixels": f"{rounds[0]['width']} x {rounds[0]['height']}",
                "seconds": statistics.median(seconds),
                "rate": statistics.median(operations / s for s in seconds),
                "limit": statistics.median(limits),
                "fraction": statistics.median(fractions),
                "memory": statistics.median(each["peak_memory"] for each in rounds),
            }
        )
    return result


def parts(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `step_rate.py`."""
    lines = [
        ["step of", "pixels", "seconds", "GFLOP/s", "limit, GFLOP/s", "of the limit", "peak memory"]
    ]
    for row in rows(results):
        rates = [f"{row['rate'] / 1e9:.0f}", f"{row['limit'] / 1e9:.0f}", f"{row['fraction']:.0%}"]
        memory = f"{row['memory'] / 2**30:.2f} GiB"
        lines.append([row["name"], row["pixels"], f"{row['seconds']:.3f}", *rates, memory])
    return [
        "## A step against the machine's limit",
        "A step is loss, gradient and optimizer; nst_tf's is that of the default recipe at the "
        "commit named below. PyTorch's, its L-BFGS, has the same layers, but compares Gram "
        "matrices and has no total variation, whatever the default does. A step's rate counts the "
        "operations of VGG19's convolutions up to the deepest layer, forward and back to the "
        "image, and nothing else. "
        "The limit is the median rate of a 3x3 convolution of 256 channels, of the size where it "
        "is fastest, in the same precision and the same process, measured between the steps. Each "
        f"row is the median of {results['settings']['rounds']} processes, run in turns; peak "
        "memory is the whole process's, before L-BFGS has filled its history.",
        table(lines),
        "![Percentage of the limit](step_rate.png)",
        "Where the time of a step goes: the convolutions, forward and back, what they would take "
        "at the limit, and the optimizer; measured by themselves, between the steps. The rest is "
        "what is left of the step: comparing style and content, ReLU, pooling, changes of type, "
        "total variation.",
        _part_table(results),
        provenance(results),
    ]


def style_losses(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `style_loss_rate.py`."""
    lines = [["type", "pixels", "Gram matrix", "Wasserstein distance", "Wasserstein to Gram"]]
    for row in results["rows"]:
        medians = {name: statistics.median(each) for name, each in row["seconds"].items()}
        gram, wasserstein = medians["gram"], medians["wasserstein"]
        pixels = f"{row['width']} x {row['height']}"
        cells = [f"{1000 * gram:.1f} ms", f"{1000 * wasserstein:.1f} ms"]
        lines.append([row["precision"], pixels, *cells, f"{wasserstein / gram:.2f}x"])
    layers = ", ".join(results["settings"]["style_layers"])
    return [
        "## A step by its style loss",
        "What a whole step costs that compares style by the squared 2-Wasserstein distance, which "
        "decomposes a matrix for each layer, beside one that compares Gram matrices; all else is "
        f"the default recipe's, and so are the layers of both ({layers}). Medians of steps of "
        "both, in turns in one process, the history full.",
        table(lines),
        provenance(results),
    ]


def _part_table(results: dict) -> str:
    lines = [["step of", "pixels", "convolutions", "at the limit", "optimizer", "the rest"]]
    for configuration in results["configurations"]:
        rounds = [each for each in configuration["rounds"] if each["part_seconds"]]
        if not rounds:
            continue
        fractions = [_part_fractions(each) for each in rounds]
        pixels = f"{rounds[0]['width']} x {rounds[0]['height']}"
        medians = [f"{statistics.median(column):.0%}" for column in zip(*fractions, strict=True)]
        name = f"{configuration['program']} {configuration['precision']}"
        lines.append([name, pixels, *medians])
    return table(lines)


def _part_fractions(measured: dict) -> tuple[float, float, float, float]:
    """Of a step's time: the convolutions, the same at the limit's rate, the optimizer, the rest."""
    step = statistics.median(measured["step_seconds"])
    parts = measured["part_seconds"]
    convolutions = statistics.median(parts["convolutions"]) / step
    optimizer = statistics.median(parts["optimizer"]) / step
    at_limit = measured["operations"] / max(measured["limit_rates"].values()) / step
    return convolutions, at_limit, optimizer, 1 - convolutions - optimizer
