"""A log of the losses: one JSON object a step, as JSON Lines."""

import itertools
import json
import math
from pathlib import Path

from nst_tf import file_lock
from nst_tf.callbacks.base import Callback
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.run.progress import Progress, State
from nst_tf.run.record import Json


class LossLog(Callback):
    """Writes scale, step and the weighted losses of each step.

    A step whose image the optimizer did not keep has `"accepted": false`. A loss that is not finite
    is null. Of the state that a run resumes, the lines before it are kept.
    """

    def __init__(self, path: str, *, resumed: State | None = None):
        if Path(path).suffix.lower() in image_io.FORMATS:
            raise InputError(f"loss_log={path}: is the name of a picture; give one as losses.jsonl")
        self._path = path
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a", encoding="utf-8")
            taken = f"loss_log={path}: another run writes to it; give another --loss_log"
            file_lock.lock(self._file, InputError(taken))
            if Path(path).is_file():
                self._file.truncate(_length_before(path, resumed) if resumed else 0)
        except OSError as error:
            raise self._refusal(error) from error

    def on_step(self, progress: Progress) -> None:
        """Write a line."""
        try:
            self._file.write(_row(progress))
            self._file.flush()
        except OSError as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:  # closing writes once more what could not be written
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> InputError:
        return InputError(
            f"loss_log={self._path}: cannot be written ({error.strerror}); give another --loss_log"
        )


def _length_before(path: str, state: State) -> int:
    """Of the lines of the steps before a state; a killed run may have left half a line."""
    lines = Path(path).read_bytes().splitlines(keepends=True)
    return sum(map(len, itertools.takewhile(lambda line: _is_before(line, state), lines)))


def _is_before(line: bytes, state: State) -> bool:
    try:
        row = json.loads(line)
        return (row["scale"], row["step"]) < (state.scale, state.step)
    except (ValueError, KeyError, TypeError):
        return False


def _row(progress: Progress) -> str:
    row: Json = {"scale": progress.scale, "step": progress.step}
    values = {name: float(value) for name, value in progress.losses._asdict().items()}
    # JSON has no NaN.
    row |= {name: value if math.isfinite(value) else None for name, value in values.items()}
    if not progress.accepted:
        row["accepted"] = False
    return json.dumps(row) + "\n"
