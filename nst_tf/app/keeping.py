"""The files of a picture: for the download, and for the browser."""

from pathlib import Path

from nst_tf import atomic_files
from nst_tf.app import previews
from nst_tf.app.order import Order
from nst_tf.app.painted import Painted
from nst_tf.app.visits import Entry, Visit
from nst_tf.errors import InputError
from nst_tf.images.pixels import resize


def keep(visit: Visit, painted: Painted, order: Order, folder: Path) -> Entry:
    """Write a picture to a folder of its visit, and add it to that.

    InputError where that fails, or the visit has ended; then the folder is gone.
    """
    try:
        entry = _entry(visit, painted, order, folder)
        visit.add(entry)
        return entry
    except BaseException:
        visit.discard(folder)
        raise


def _entry(visit: Visit, painted: Painted, order: Order, folder: Path) -> Entry:
    file, data = folder / f"{order.name}.png", painted.encode()
    try:
        # No rescue: the folder goes with the visit.
        atomic_files.replace(file, data, rescue=False)
    except InputError:
        if painted.saved is None:
            raise
        painted.saved.path.unlink(missing_ok=True)  # the state takes far more room
        atomic_files.replace(file, data, rescue=False)
    picture, photograph = painted.picture, painted.request.photograph
    height, width = picture.shape[:2]
    before = resize(photograph.rgb, height, width).numpy()
    return Entry(
        painted=painted,
        file=file,
        shown=previews.write(folder / "picture.jpg", picture, photograph.alpha),
        photograph=previews.write(folder / "photograph.jpg", before, photograph.alpha),
        caption=f"{visit.count()} · {max(height, width)} px",
        knobs=order.knobs,
    )
