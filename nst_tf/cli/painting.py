"""The picture of a run of stylize.py: written at its end, or where it is stopped."""

import json
import os
import shlex
from collections.abc import Callable, Iterable
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from nst_tf import atomic_files
from nst_tf.callbacks.animation import Animation
from nst_tf.cli import app
from nst_tf.errors import InputError, one_line
from nst_tf.images import image_io
from nst_tf.images.image_io import Picture
from nst_tf.run import checkpoint, record
from nst_tf.run.progress import Progress
from nst_tf.run.record import Json

if TYPE_CHECKING:
    from nst_tf.cli.stylize import Options


class Painting:
    """The picture of a run, written at its end or where it is stopped."""

    def __init__(
        self,
        options: "Options",
        content: Picture,
        run_inputs: Json,
        flags: Json,
        film: Animation | None,
    ):
        self._options, self._content = options, content
        self._run_inputs, self._flags, self._film = run_inputs, flags, film
        self._record: Json = {}
        self._losses: Json = {}
        self._last: Progress | None = None
        self._began = monotonic()

    def follow(self, run: Iterable[Progress]) -> None:
        """Follow a run to its end, or to what ends it after the first step, and write."""
        try:
            for progress in run:
                if self._last is None:
                    self._record = record.make_record(self._run_inputs, progress.state())
                self._last = progress
                if progress.accepted or not self._losses:
                    self._losses = progress.losses._asdict()
        except (Exception, KeyboardInterrupt) as error:
            if self._last is None:
                raise
            # A signal after the last step stops nothing.
            if self._last.done < 1 or not app.interrupted():
                self._stop(self._last, error)
        assert self._last is not None  # a run has a step at least
        seconds = timedelta(seconds=round(monotonic() - self._began))
        failures = self._write(self._last)
        if failures:
            faults = [each for each in failures if not isinstance(each, InputError)]
            raise faults[0] if faults else InputError(_in_words(failures))
        if not self._options.quiet:
            beside = f"; its record is {self._options.record_path}" if self._options.record else ""
            print(f"painted {self._options.output} in {seconds}{beside}")

    def _write(self, last: Progress) -> list[Exception]:
        """Write the picture and its record; what failed."""
        return _failures(lambda: self._write_picture(last.image()), self._write_record)

    def _write_picture(self, picture: np.ndarray) -> None:
        """With the record within it, but for paths."""
        options, content = self._options, self._content
        note = json.dumps(record.make_note(self._record, self._flags)) if options.record else ""
        image_io.write(
            options.output,
            picture,
            alpha=content.alpha,
            bits=content.bits,
            note=note,
            metadata=content.metadata,
        )

    def _write_record(self) -> None:
        if not self._options.record:
            return
        whole = {
            **self._record,
            "flags": dict(self._flags),
            "losses": {name: float(loss) for name, loss in self._losses.items()},
            "seconds": round(monotonic() - self._began, 1),
        }
        data = (json.dumps(whole, indent=1) + "\n").encode()
        atomic_files.replace(self._options.record_path, data)

    def _stop(self, last: Progress, error: BaseException) -> NoReturn:
        """Write what there is, and say what ended the run."""
        if last.done < 1:
            self._record["stopped"] = {"scale": last.scale, "steps": last.step + 1}
        options = self._options
        outcome = _in_words(self._write(last)) or f"wrote {options.output}"
        if not app.interrupted():
            if isinstance(error, InputError):
                raise InputError(f"{error}; from before that: {outcome}") from error
            raise error
        path = options.checkpoint or _free_name(options.output)
        flag = "" if options.checkpoint else f"--checkpoint={shlex.quote(path)} "
        unsaved = _in_words(_failures(lambda: self._save(path, last)))
        outcome += f"; {unsaved or f'{flag}--resume continues from {path}'}"
        height, width = last.scales[last.scale]
        steps = last.steps[last.scale]
        where = f"at step {last.step + 1} of {steps} at {width} x {height} px"
        raise KeyboardInterrupt(f"{where}; {outcome}") from error

    def _save(self, path: str, last: Progress) -> None:
        film = self._film.arrays() if self._film else {}
        checkpoint.save(path, last.state(), self._run_inputs, film)


def _failures(*writes: Callable[[], None]) -> list[Exception]:
    """Call each, also where one fails; what they raised."""
    failures: list[Exception] = []
    for write in writes:
        try:
            write()
        except Exception as error:  # memory may have run out; the others are worth the more
            failures.append(error)
    return failures


def _in_words(failures: Iterable[Exception]) -> str:
    return "; ".join(one_line(each, max_length=1000) for each in failures)


def _free_name(output: str) -> str:
    """Where the checkpoint of a run without --checkpoint goes: to a name that nothing has."""
    path, number = f"{output}.checkpoint", 1
    while os.path.lexists(path):
        number += 1
        path = f"{output}.{number}.checkpoint"
    return path
