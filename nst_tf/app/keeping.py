"""The files of a picture: for the download, and for the browser."""

from pathlib import Path

from nst_tf.app import previews
from nst_tf.app.order import Order
from nst_tf.app.painted import Painted
from nst_tf.app.visits import Entry, Visit
from nst_tf.images.pixels import resize


def keep(visit: Visit, painted: Painted, order: Order, folder: Path) -> Entry:
    """Write a picture to a folder of its visit, and add it to that."""
    file = folder / f"{order.name}.png"
    painted.write(file)
    picture, photograph = painted.picture, painted.request.photograph
    height, width = picture.shape[:2]
    before = resize(photograph.rgb, height, width).numpy()
    entry = Entry(
        painted=painted,
        file=file,
        shown=previews.write(folder / "picture.jpg", picture, photograph.alpha),
        photograph=previews.write(folder / "photograph.jpg", before, photograph.alpha),
        caption=f"{visit.count()} · {max(height, width)} px",
        knobs=order.knobs,
    )
    visit.add(entry)
    return entry
