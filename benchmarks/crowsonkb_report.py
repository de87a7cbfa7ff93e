"""The part of RESULTS.md about crowsonkb/style-transfer-pytorch's method."""

from tables import provenance, table


def parts(results: dict) -> list[str]:
    """What was measured of that method beside the default.

    Args:
        results: of `crowsonkb.json`: provenance, and in `pairs` by name `seconds` and
            `our_seconds`, `content_weight`, our `steps`, and the scores of `theirs` and `ours`.

    Returns:
        Paragraphs of Markdown.
    """
    columns = ["style", "content", "SSIM", "grain", "seconds"]
    rows = [["pair", "", *columns, "ours sooner"]]
    shown = []
    for name, pair in results["pairs"].items():
        ratio = pair["seconds"] / pair["our_seconds"]
        theirs = [*_scores(pair["theirs"]), f"{pair['seconds']:.0f}"]
        ours = [*_scores(pair["ours"]), f"{pair['our_seconds']:.1f}"]
        weight = f"nst_tf, content weight {pair['content_weight']:g}, {pair['steps']} steps"
        rows.append([name, "crowsonkb's method", *theirs, ""])
        rows.append(["", weight, *ours, f"{ratio:.0f} times"])
        shown.append(f"![{name}: photograph, painting, theirs, ours]({picture(name)})")
    return [
        "## Beside crowsonkb/style-transfer-pytorch's method",
        "That program's method, written anew in PyTorch (`benchmarks/crowsonkb.py`) on the bundled "
        "weights, with its own schedule in full, and nst_tf's default with a content weight that "
        "brings both about as near to the photograph. The columns are those of the default beside "
        "an earlier commit's. Seconds are from one run: ours of whole processes, theirs added up "
        "from the median step of each scale.",
        table(rows),
        "A pair a row: the photograph, the painting, theirs, ours.",
        *shown,
        provenance(results),
    ]


def picture(name: str) -> str:
    """The file of a pair's pictures, of the pair's name in the results."""
    return f"crowsonkb_{name.replace(' x ', '_')}.jpg"


def _scores(scores: dict[str, float]) -> list[str]:
    columns = {"style": ".4f", "content": ".3f", "ssim": ".3f", "grain": ".2f"}
    return [f"{scores[key]:{form}}" for key, form in columns.items()]
