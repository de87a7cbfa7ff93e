"""The folder where a server keeps all pictures."""

import itertools
import threading
from pathlib import Path

from nst_tf.app.painted import Painted

# Two pictures of one name may end at one moment.
_writing = threading.Lock()


def keep(painted: Painted, folder: Path, name: str) -> Path:
    """Write a picture as NAME.png, or NAME_2.png and so on where that is there; returns which."""
    with _writing:
        names = (
            f"{name}{'' if number == 1 else f'_{number}'}.png" for number in itertools.count(1)
        )
        path = next(folder / each for each in names if not (folder / each).exists())
        painted.write(path)
    return path
