"""A comparison as a page: one HTML file that needs nothing else, no script and no network."""

import base64
from collections.abc import Sequence
from html import escape

from nst_tf.images import image_io
from nst_tf.reports.comparison import Entry
from nst_tf.reports.comparison_sheet import caption, seconds

_STYLE = """
body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem; font: 1rem/1.5 sans-serif; }
.pictures { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); align-items: start; }
figure { margin: 0; overflow: auto; }
figure img { display: block; width: 100%; }
figure:has(input:checked) { grid-column: 1 / -1; }
figure:has(input:checked) > .picture { width: max(100%, var(--twice)); }
.picture { container-type: inline-size; position: relative; }
.before { background-size: 100% 100%; aspect-ratio: var(--shape); }
.after { width: 100%; max-width: 100%; min-width: 1rem; height: 100%; overflow: hidden;
  resize: horizontal; box-sizing: border-box; border-right: 2px solid white; }
.after img { width: 100cqw; }
table { border-collapse: collapse; margin: 1.5rem 0; }
th, td { padding: 0.3rem 0.8rem; border-bottom: 1px solid #ccc; text-align: right; }
th:first-child, td:first-child { text-align: left; }
dt { font-weight: bold; }
"""
_COLUMNS = ("", "seconds, cold", "seconds, warm", "style", "content", "SSIM", "grain")
_HELP = """
<p>Drag the lower right corner of a painted picture to see the photograph beneath it. Tick
<em>enlarge</em> to see a picture at twice its size.</p>
"""
_NOTES = """
<h2>What the numbers say</h2>
<p>Every picture is judged alike, however it was made, by a network that compares it with the
painting and with the photograph at the same size.</p>
<dl>
<dt>Seconds</dt>
<dd>Less is better. Cold: the first picture, with loading the network; imports are not counted, nor
a second loading of what TensorFlow keeps. Warm: for a feed-forward model a further picture; for the
optimisation its number of steps times their median, without targets and tracing.</dd>
<dt>Style</dt>
<dd>How far brushwork and colours are from the painting's. Less is better: 0 is the painting itself,
and the photograph's own number is where the work begins. (The mean squared 2-Wasserstein distance
at four VGG19 layers by which no recipe paints.)</dd>
<dt>Content</dt>
<dd>How far the shapes are from the photograph's. Less is more faithful: 0 is the photograph itself.
A painted picture has to give up some; of two with the same style, the one with less is better. (The
relative squared error of VGG19's block4_conv2.)</dd>
<dt>SSIM</dt>
<dd>How much of the photograph's light and shade stays in its place. More is more faithful: 1 is the
photograph itself, 0 has nothing in common with it. (Structural similarity.)</dd>
<dt>Grain</dt>
<dd>How strong the finest detail is, beside the painting's. Nearest to 1 is best: above, the picture
is noisier than the painting; below, smoother, as if polished or out of focus. (What a blur of one
pixel takes away from Oklab's lightness.)</dd>
</dl>
"""


def page(titles: Sequence[str], pairs: Sequence[Sequence[Entry]]) -> str:
    """Write the page.

    Args:
        titles: what to call each comparison.
        pairs: the entries of each, of `report.compare`.

    Returns:
        HTML.
    """
    sections = [_section(*each) for each in enumerate(zip(titles, pairs, strict=True))]
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>nst_tf: slow beside fast</title><style>{_STYLE}</style></head><body>",
            "<h1>Slow beside fast</h1>",
            _HELP,
            *sections,
            _NOTES,
            "</body></html>\n",
        ]
    )


def _section(number: int, named: tuple[str, Sequence[Entry]]) -> str:
    title, entries = named
    background = f".photograph{number} {{ background-image: url({_data(entries[0])}); }}"
    figures = [_figure(entry, number) for entry in entries]
    return "\n".join(
        [
            f"<section><style>{background}</style><h2>{escape(title)}</h2>",
            f'<div class="pictures">{"".join(figures)}</div>',
            _table(entries),
            "</section>",
        ]
    )


def _figure(entry: Entry, number: int) -> str:
    height, width = entry.rgb.shape[:2]
    name = escape(entry.name)
    picture = f'<img alt="{name}" src="{_data(entry)}">'
    kind = "picture"
    if entry.seconds_cold is not None:
        picture = f'<div class="after">{picture}</div>'
        kind = f"picture before photograph{number}"
    shape = f"--shape: {width} / {height}; --twice: {2 * width}px"
    lines = "<br>".join(map(escape, caption(entry)))
    return (
        f'<figure><div class="{kind}" style="{shape}">{picture}</div><figcaption>{lines}<br>'
        f'<label><input type="checkbox"> enlarge</label></figcaption></figure>'
    )


def _table(entries: Sequence[Entry]) -> str:
    rows = [_row("th", _COLUMNS)]
    for entry in entries:
        if entry.scores is None:
            continue
        scores = entry.scores
        values = (scores.style, scores.content, scores.ssim, scores.grain)
        cells = [f"{value:.3g}" for value in values]
        times = (seconds(entry.seconds_cold), seconds(entry.seconds_warm))
        rows.append(_row("td", (entry.name, *times, *cells)))
    return f"<table>{''.join(rows)}</table>"


def _row(kind: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"


def _data(entry: Entry) -> str:
    return f"data:image/png;base64,{base64.b64encode(image_io.encode(entry.rgb)).decode()}"
