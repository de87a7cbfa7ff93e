"""HTML pages of a comparison and of a batch, made from the files in `templates/`."""

import base64
import importlib.resources
import os
from collections.abc import Sequence
from html import escape
from string import Template
from urllib.parse import quote

import numpy as np

from nst_tf.images import image_io
from nst_tf.printable import printable
from nst_tf.reports.comparison import Entry, format_seconds
from nst_tf.reports.thumbnails import Table, Thumbnail

_TEMPLATES = importlib.resources.files("nst_tf.reports") / "templates"


def comparison_page(titles: Sequence[str], pairs: Sequence[Sequence[Entry]]) -> str:
    """A page with a section for each comparison; it needs no other file, script or network."""
    sections = [
        _section(number, title, entries)
        for number, (title, entries) in enumerate(zip(titles, pairs, strict=True))
    ]
    body = _fill("comparison.html", sections="\n".join(sections))
    return _page("slow beside fast", "comparison.css", body)


def batch_page(table: Table, pages: Sequence[str]) -> str:
    """A page with thumbnails, and links to the outputs and to all pages of the batch."""
    links = " ".join(_element("a", _text(page), href=_link(page)) for page in pages)
    head, *rows = table
    body = _fill(
        "batch.html",
        links=_element("p", links) if len(pages) > 1 else "",
        head=_element("tr", *map(_heading, head)),
        rows="\n".join(_element("tr", _heading(row[0]), *map(_cell, row[1:])) for row in rows),
    )
    return _page("every photograph in every style", "batch.css", body)


def _section(number: int, title: str, entries: Sequence[Entry]) -> str:
    return _fill(
        "comparison_section.html",
        number=number,
        title=_text(title),
        photograph=_data_url(entries[0].rgb),
        figures="\n".join(_figure(entry, number) for entry in entries),
        rows="\n".join(_row(entry) for entry in entries if entry.scores is not None),
    )


def _figure(entry: Entry, number: int) -> str:
    """A captioned image; one that was stylized lies over the content image of its section."""
    height, width = entry.rgb.shape[:2]
    image, classes = _element("img", alt=entry.name, src=_data_url(entry.rgb)), "picture"
    if entry.seconds_cold is not None:
        image = _element("div", image, class_="after")
        classes = f"picture before photograph{number}"
    return _fill(
        "comparison_figure.html",
        classes=classes,
        width=width,
        height=height,
        twice=2 * width,
        image=image,
        caption="<br>".join(map(_text, entry.caption())),
    )


def _row(entry: Entry) -> str:
    assert entry.scores is not None
    scores = entry.scores.style, entry.scores.content, entry.scores.ssim, entry.scores.grain
    seconds = entry.seconds_cold, entry.seconds_warm
    cells = [entry.name, *map(format_seconds, seconds), *(f"{score:.3g}" for score in scores)]
    return _element("tr", *(_element("td", _text(cell)) for cell in cells))


def _heading(thumbnail: Thumbnail) -> str:
    return _element("th", _image(thumbnail), _element("p", _name(thumbnail)))


def _cell(thumbnail: Thumbnail) -> str:
    entry = thumbnail.entry or {}
    if thumbnail.rgb is None:
        reason = _text(entry.get("error") or "not painted")
        return _element("td", _element("p", _name(thumbnail), f": {reason}", class_="failed"))
    facts = [f"{entry['seconds']:.1f} s"] if "seconds" in entry else []
    if entry.get("losses"):
        facts.append(f"loss {entry['losses']['total']:.3g}")
    link = _element("a", _image(thumbnail), href=_link(thumbnail.name))
    return _element("td", link, _element("p", ", ".join(facts)))


def _image(thumbnail: Thumbnail) -> str:
    if thumbnail.rgb is None:
        return ""
    height, width = thumbnail.rgb.shape[:2]
    source = _data_url(thumbnail.rgb, "jpeg")
    return _element("img", alt=thumbnail.name, width=width, height=height, src=source)


def _data_url(rgb: np.ndarray, file_format: str = "png") -> str:
    data = base64.b64encode(image_io.encode(rgb, f"image.{file_format}")).decode()
    return f"data:image/{file_format};base64,{data}"


def _page(title: str, style_sheet: str, body: str) -> str:
    return _fill("frame.html", title=title, style=_read(style_sheet), body=body)


def _fill(template: str, **values: object) -> str:
    """A template with values, which are HTML."""
    return Template(_read(template)).substitute(values)


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _name(thumbnail: Thumbnail) -> str:
    """The name of a file; marks in it that turn the direction of writing end with it."""
    return _element("bdi", _text(thumbnail.name))


def _link(path: str) -> str:
    """The address of a file beside the page; names of files are bytes, and not always text."""
    return quote(os.fsencode(path))


def _text(text: object) -> str:
    """Text as HTML."""
    return escape(printable(str(text)))


def _element(tag: str, *children: str, **attributes: object) -> str:
    """An HTML element; the children are HTML, the attributes text."""
    given = [f' {name.rstrip("_")}="{_text(each)}"' for name, each in attributes.items()]
    start = f"<{tag}{''.join(given)}>"
    return start if tag == "img" else f"{start}{''.join(children)}</{tag}>"
