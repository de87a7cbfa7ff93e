"""The part of RESULTS.md about crowsonkb/style-transfer-pytorch's method."""

from tables import provenance, table


def parts(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `beside_crowsonkb.py`."""
    columns = ["style", "content", "SSIM", "grain", "seconds"]
    rows = [["pair", "", *columns, "ours sooner"]]
    sheets = []
    for name, pair in results["pairs"].items():
        ratio = pair["seconds"] / pair["our_seconds"]
        theirs = [*_scores(pair["theirs"]), f"{pair['seconds']:.0f}"]
        ours = [*_scores(pair["ours"]), f"{pair['our_seconds']:.1f}"]
        weight = f"nst_tf, content weight {pair['content_weight']:g}, {pair['steps']} steps"
        rows.append([name, "crowsonkb's method", *theirs, ""])
        rows.append(["", weight, *ours, f"{ratio:.0f} times"])
        sheets.append(f"![{name}: photograph, painting, theirs, ours]({sheet_name(name)})")
    return [
        "## Beside crowsonkb/style-transfer-pytorch's method",
        "That program's method, written anew in PyTorch (`benchmarks/crowsonkb.py`) on the bundled "
        "weights, with its own schedule in full, and nst_tf's default with a content weight that "
        "brings both about as near to the photograph. The columns are those of the default beside "
        "an earlier commit's. Seconds are from one run: ours of whole processes, theirs added up "
        "from the median step of each scale.",
        table(rows),
        "A pair a row: the photograph, the painting, theirs, ours.",
        *sheets,
        provenance(results),
    ]


def sheet_name(name: str) -> str:
    """The file with the images of a pair, by the pair's name in the results."""
    return f"crowsonkb_{name.replace(' x ', '_')}.jpg"


def _scores(scores: dict[str, float]) -> list[str]:
    columns = {"style": ".4f", "content": ".3f", "ssim": ".3f", "grain": ".2f"}
    return [f"{scores[key]:{spec}}" for key, spec in columns.items()]
