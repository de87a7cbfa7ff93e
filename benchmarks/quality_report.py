"""The part of RESULTS.md about other losses, paddings and averages."""

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
_TEXT = """The first row has the medians of plain Gram without total variation, the others the
medians of the ratios to it. Total is style + 0.03 content in the default's own terms; style and
content are unweighted; the other layers are those that the default does not look at; grain is the
root mean square of the finest detail where the photograph is flattest. Smaller is closer, and
calmer. The content weight is 0.03, but 0.3 where it is said, and 0.15 for 2-Wasserstein with equal
weights, which draws harder. All are judged with zeros for padding, as the default has them, which
counts against reflected edges. In the sheets a pair is a row, and the columns are in the table's
order. The default is plain Gram with total variation 0.1."""


def parts(looks: dict[str, dict]) -> list[str]:
    """The paragraphs.

    Args:
        looks: results of quality.py, by the name of their sheet.

    Returns:
        Markdown.
    """
    if not looks:
        return []
    found = ["## Other style losses, paddings and averages, and total variation"]
    found.append(_TEXT.replace("\n", " "))
    for name, results in looks.items():
        found += _look(name, results)
    return found


def _look(name: str, results: dict) -> list[str]:
    pairs, settings = results["pairs"], results["settings"]
    base, *others = next(iter(pairs.values()))
    rows = [["", *_COLUMNS.values()]]
    medians = (statistics.median(pair[base][key] for pair in pairs.values()) for key in _COLUMNS)
    rows.append([base, *[f"{median:.3g}" for median in medians]])
    for other in others:
        ratios = (
            statistics.median(pair[other][key] / pair[base][key] for pair in pairs.values())
            for key in _COLUMNS
        )
        rows.append([other, *[f"{ratio:.2f}x" for ratio in ratios]])
    return [
        f"### At {settings['size']} px",
        f"{settings['steps']} steps at the last of two scales, of {len(pairs)} pairs: "
        f"{'; '.join(pairs)}.",
        table(rows),
        f"![The pictures]({name}.jpg)",
        provenance(results),
    ]
