"""The part of RESULTS.md about other losses, paddings and averages."""

import statistics

from tables import provenance, table

from nst_tf.settings import Settings

_COLUMNS = {
    "total": "total",
    "style": "style",
    "content": "content",
    "other_style": "style, other layers",
    "grain": "grain",
    "border": "border",
    "seconds": "seconds",
}
_DEFAULT = Settings()
_TEXT = f"""The first row has the medians of plain Gram without total variation, the others the
medians of the ratios to it, and the least and the greatest. Total is style +
{_DEFAULT.content_weight} content in the default's own terms; style and content are unweighted; the
other layers are those that the default does not look at; grain is the root mean square of the
finest detail where the photograph is flattest; border is that of the outermost 8 pixels over that
of the others. Smaller is closer, and calmer. The content weight is {_DEFAULT.content_weight}, but
0.3 where it is said, and 0.15 for 2-Wasserstein with equal weights, which draws harder. All are
judged with zeros for padding, as the default has them, which counts against other edges. In the
sheets a pair is a row, and the columns are in the table's order. Seconds at 192 and 256 px were
measured beside other work. The default is plain Gram with total variation {_DEFAULT.tv_weight}."""


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
    found = list(pairs.values())
    # Older looks have fewer columns.
    columns = {key: name for key, name in _COLUMNS.items() if key in found[0]["Gram"]}
    rows = [["", *columns.values()]]
    for way in found[0]:
        cells = [way]
        for key in columns:
            if way == "Gram":
                cells.append(f"{statistics.median(pair[way][key] for pair in found):.3g}")
                continue
            ratios = [pair[way][key] / pair["Gram"][key] for pair in found]
            spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
            cells.append(f"{statistics.median(ratios):.2f}x {spread}")
        rows.append(cells)
    return [
        f"### At {settings['size']} px",
        f"{settings['steps']} steps at the last of two scales, of {len(pairs)} pairs: "
        f"{'; '.join(pairs)}.",
        table(rows),
        f"![The pictures]({name}.jpg)",
        provenance(results),
    ]
