"""What the page says, as HTML."""

import base64
import html

from nst_tf.app.painted import Painted
from nst_tf.app.run import Snapshot, in_words

TITLE = "<p><strong>nst_tf</strong> a photograph, repainted in the manner of a painting</p>"
NO_PICTURE = "<p class='empty'>the picture will be here</p>"


def line(text: str, *, is_error: bool = False) -> str:
    """One line; a mistake is announced at once by what reads the page aloud."""
    if not text:
        return ""
    kind = "class='mistake' role='alert'" if is_error else "role='status'"
    return f"<p {kind}>{html.escape(text)}</p>"


def mistake(error: Exception) -> str:
    """An error as a line; the log has the traceback of those that nobody expects."""
    return line(in_words(error), is_error=True)


def image(jpeg: bytes, alt: str) -> str:
    """A picture without a file."""
    data = base64.b64encode(jpeg).decode()
    # Decoded before it is shown, or the page would flicker between two of them.
    return f"<img decoding='sync' alt='{html.escape(alt)}' src='data:image/jpeg;base64,{data}'>"


def where(snapshot: Snapshot) -> str:
    """Where a run stands."""
    left = snapshot.seconds_left
    parts = [
        f"scale {snapshot.scale} of {snapshot.num_scales}",
        f"{snapshot.width} x {snapshot.height} px",
        f"step {snapshot.step} of {snapshot.num_steps}",
        f"{clock(snapshot.seconds)} gone" + ("" if left is None else f", {clock(left)} left"),
    ]
    return " · ".join(parts)


def progress(snapshot: Snapshot) -> str:
    """The line of a step; nobody wants each of them read aloud."""
    return f"<p>{where(snapshot)}</p>"


def outcome(painted: Painted) -> str:
    """What has come of a run."""
    height, width = painted.picture.shape[:2]
    verb = "painted in" if painted.is_finished else "stopped after"
    told = f"{verb} {clock(painted.seconds)} · {width} x {height} px"
    return f"{told} · {painted.message}" if painted.message else told


def clock(seconds: float) -> str:
    """Minutes and seconds, as 0:07."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
