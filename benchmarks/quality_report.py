"""The part of RESULTS.md about other style losses, paddings and averages."""

import statistics

from tables import provenance, table

_COLUMNS = {
    "total": "total",
    "style": "style",
    "content": "content",
    "other_style": "style, other layers",
    "grain": "grain",
    "seconds": "seconds",
}
_TEXT = """The first row has the medians of the default recipe, the others the medians of the
ratios to it. Total is style + 0.03 content in the default's own terms; style and content are
unweighted; the other layers are those that the default does not look at; grain is the root mean
square of the finest detail where the photograph is flattest. Smaller is closer, and calmer. The
content weight is 0.03, but 0.3 where it is said, and 0.15 for 2-Wasserstein with equal weights,
which draws harder. All are judged with zeros for padding, as the default has them, which counts
against reflected edges. In the sheet a pair is a row, and the columns are in the table's order."""


def parts(results: dict) -> list[str]:
    """The paragraphs.

    Args:
        results: of quality.py.

    Returns:
        Markdown.
    """
    pairs, settings = results["pairs"], results["settings"]
    base, *others = next(iter(pairs.values()))
    rows = [["", *_COLUMNS.values()]]
    medians = (statistics.median(pair[base][key] for pair in pairs.values()) for key in _COLUMNS)
    rows.append([base, *[f"{median:.3g}" for median in medians]])
    for name in others:
        ratios = (
            statistics.median(pair[name][key] / pair[base][key] for pair in pairs.values())
            for key in _COLUMNS
        )
        rows.append([name, *[f"{ratio:.2f}x" for ratio in ratios]])
    return [
        "## Other style losses, paddings and averages",
        f"Pictures of {settings['size']} px, {settings['steps']} steps at the last of two scales, "
        f"of {len(pairs)} pairs: {'; '.join(pairs)}. " + _TEXT.replace("\n", " "),
        table(rows),
        "![The pictures](quality.jpg)",
        provenance(results),
    ]
