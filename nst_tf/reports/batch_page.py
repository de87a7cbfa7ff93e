"""A page to look through a batch: thumbnails within the file, links to the pictures beside it."""

import base64
from html import escape
from urllib.parse import quote

from nst_tf.images import image_io
from nst_tf.reports.thumbnails import Table, Thumbnail

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; }
table { border-spacing: 6px; }
td, th { vertical-align: top; font-weight: normal; text-align: left; }
thead th { vertical-align: bottom; }
img { display: block; }
p { max-width: 12rem; margin: 0.2rem 0 0; overflow-wrap: anywhere; color: #666; }
.failed { color: #a00; }
"""


def page(table: Table, pages: list[str]) -> str:
    """Write a page.

    Args:
        table: of `thumbnails.tables`.
        pages: the names of all pages of the batch.

    Returns:
        HTML.
    """
    head, *rows = table
    links = " ".join(f'<a href="{quote(name)}">{escape(name)}</a>' for name in pages)
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>nst_tf: every photograph in every style</title><style>{_STYLE}</style>",
            "</head><body><h1>Every photograph in every style</h1>",
            f"<p>{links}</p>" if len(pages) > 1 else "",
            f"<table><thead><tr>{''.join(map(_edge, head))}</tr></thead><tbody>",
            *(f"<tr>{_edge(first)}{''.join(map(_cell, rest))}</tr>" for first, *rest in rows),
            "</tbody></table></body></html>\n",
        ]
    )


def _edge(thumbnail: Thumbnail) -> str:
    return f"<th>{_picture(thumbnail)}<p>{escape(thumbnail.name)}</p></th>"


def _cell(thumbnail: Thumbnail) -> str:
    entry = thumbnail.entry or {}
    if thumbnail.rgb is None:
        reason = entry.get("error") or "not painted"
        return f'<td><p class="failed">{escape(thumbnail.name)}: {escape(reason)}</p></td>'
    told = [f"{entry['seconds']:.1f} s"] if "seconds" in entry else []
    if entry.get("losses"):
        told.append(f"loss {entry['losses']['total']:.3g}")
    link = f'<a href="{quote(thumbnail.name)}">{_picture(thumbnail)}</a>'
    return f"<td>{link}<p>{', '.join(told)}</p></td>"


def _picture(thumbnail: Thumbnail) -> str:
    if thumbnail.rgb is None:
        return ""
    height, width = thumbnail.rgb.shape[:2]
    data = base64.b64encode(image_io.encode(thumbnail.rgb, "thumbnail.jpg")).decode()
    name = escape(thumbnail.name, quote=True)
    source = f"data:image/jpeg;base64,{data}"
    return f'<img alt="{name}" width="{width}" height="{height}" src="{source}">'
