"""The parts of RESULTS.md about the optimizer: time to a loss, and L-BFGS's constants."""

import statistics

from curves import seconds_to
from tables import provenance, table

NAMES = {
    "nst_tf": "nst_tf",
    "tutorial": "TensorFlow tutorial's loop",
    "keras_io": "keras.io example's loop",
    "torch_lbfgs": "PyTorch's L-BFGS",
    "scipy_lbfgsb": "SciPy's L-BFGS-B",
}


def parts(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `time_to_loss.py`, and about the constants."""
    settings = results["settings"]
    paragraphs = [
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
        paragraphs += [f"### The loss after {steps} steps", _loss_table(results, str(steps))]
    paragraphs += ["![Loss over seconds](time_to_loss.png)", provenance(results)]
    return [*paragraphs, *_constants()]


def _constants() -> list[str]:
    """What was measured of L-BFGS's constants, which no script measures any more."""
    return [
        "## L-BFGS's constants",
        "The constants beside `FREQUENCY_EXPONENT` in `nst_tf/coarse_to_fine.py` make the first "
        "guess of the inverse Hessian. They were measured on earlier commits; no script here "
        "repeats that. "
        "The curvature met along L-BFGS's steps grew with about frequency^0.8. Up to 256 px the "
        "last loss of three pairs stayed within 1.4%, in the mean, with a diagonal exponent of 0.5 "
        "and 0.9, an initial scale of 1 and 2.5, and a frequency exponent of 0.9.",
        "On the Gram objective of an earlier default, at 512 px, the last loss was 3% higher for "
        "two pairs and 17% for a third with a diagonal exponent of 0. There, for an earlier "
        "L-BFGS, it was 5% higher with a sine in place of projection to [0, 1], and 30% with no "
        "bounds until the end; with Adam and a decaying step it was 20 to 40% higher.",
    ]


def _own_steps(settings: dict) -> str:
    """nst_tf's steps; older results do not have them."""
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
    for key, name in NAMES.items():
        cells, ratios = [], []
        for pair in pairs.values():
            loss = pair["targets"][steps]["loss"]
            tutorial_seconds = seconds_to(pair["contenders"]["tutorial"]["curve"], loss)
            contender = pair["contenders"][key]
            seconds = seconds_to(contender["curve"], loss)
            if seconds is None:
                cells.append(f"not within {contender['seconds']:.0f} s")
                ratios.append(0.0)
            else:
                ratios.append(tutorial_seconds / seconds)
                cells.append(f"{seconds:.1f} s ({ratios[-1]:.1f}x)")
        rows.append([name, *cells, _median(ratios)])
    return table(rows)


def _median(ratios: list[float]) -> str:
    """The median; a ratio of 0 stands for a contender that did not get there."""
    if not ratios:
        return ""
    # No mean of the two in the middle where one of them may be no measurement.
    median = statistics.median(ratios) if all(ratios) else statistics.median_low(ratios)
    return f"{median:.1f}x" if median else "not reached"
