"""The start and the end of every script: flags, signals, errors as one line, exit status."""

import contextlib
import dataclasses
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from absl import app, flags
from absl import logging as absl_logging

from nst_tf import tensorflow_startup
from nst_tf.cli import command_line, streams
from nst_tf.errors import InputError
from nst_tf.printable import printable

# What stops a run: Ctrl-C, kill, and a terminal that is closed.
_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
_STOPPING = tuple(each for each in (signal.SIGINT, signal.SIGTERM, _HANGUP) if each)
# Those that have come; and one entry while they must not interrupt.
_signals: list[int] = []
_blocked: list[bool] = []


def run(
    main: Callable[[], None],
    required: Sequence[str] = (),
    set_flag_defaults: Callable[[], None] = lambda: None,
) -> None:
    """Parse the flags, call `main`, and end the process.

    The status is 0 when all went well and after `--help`, and 1 with one line on stderr for a
    mistake of the user's. After Ctrl-C, SIGTERM or SIGHUP it is 128 and the signal's number, with
    one line; a second one ends the process at once. Other exceptions keep their traceback.

    Args:
        main: the script's work; such a signal raises KeyboardInterrupt in it, whose text, if it
            raises one of its own, is part of that line.
        required: names of the flags that must be given.
        set_flag_defaults: called before that is checked, without TensorFlow.
    """

    def guarded(arguments: list[str]) -> None:
        _exit_at_second_signal()
        for number in _STOPPING:
            # Background jobs of a shell keep ignoring Ctrl-C, and those of nohup SIGHUP.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _on_signal)
        try:
            set_flag_defaults()
            empty = (None, "", [""])
            missing = [f"--{name}" for name in required if flags.FLAGS[name].value in empty]
            if missing:
                raise InputError(f"{', '.join(missing)}: missing; --help tells what to give")
            tensorflow_startup.import_tensorflow()
            # absl would print every notice of TensorFlow's and ours to stderr.
            if not flags.FLAGS["verbosity"].present:
                absl_logging.set_verbosity(absl_logging.WARNING)
            print_notices()
            main()
        except (Exception, KeyboardInterrupt) as error:
            # An interrupt in the middle of TensorFlow's own code may come out as another error.
            if _signals:
                ours = isinstance(error, (KeyboardInterrupt, InputError)) and str(error)
                print(f"{_name()}: stopped{f' {error}' if ours else ''}", file=sys.stderr)
                sys.exit(128 + _signals[0])
            if isinstance(error, InputError):
                _exit_with(error)
            raise

    streams.make_unfailing()
    if not os.environ.get("HOME"):  # an empty one would be the root folder
        os.environ.pop("HOME", None)
    app.run(guarded, flags_parser=_parse)


def flag_values(options: type) -> dict[str, Any]:
    """The values of the flags that are named as the fields of a dataclass."""
    return {field.name: flags.FLAGS[field.name].value for field in dataclasses.fields(options)}


def interrupted() -> bool:
    """Whether a signal has come that stops; an error may have come of that."""
    return bool(_signals)


def forget_interruption() -> None:
    """Go on as if no signal had come; for one that came with the end of the work."""
    _signals.clear()


def interruptible(stream: Iterator) -> Iterator:
    """Pass a run on; only its own steps are interrupted by signals.

    A signal that arrives between steps is raised at the next step, so callbacks are never
    interrupted. The run is closed at the end.
    """
    try:
        while True:
            _blocked.clear()
            try:
                if _signals:
                    raise KeyboardInterrupt
                item = next(stream)
            except StopIteration:
                return
            finally:
                _blocked.append(True)
            yield item
    finally:
        # Its processes, if it has some, are to end now.
        if isinstance(stream, Generator):
            stream.close()


def check_no_overwrite(inputs: Iterable[str], **outputs: str | Sequence[str] | None) -> None:
    """Refuse to write over an input, or over another output.

    `outputs` are a path or several by the names of their flags; None for none.
    """
    taken = {_file_identity(path): path for path in inputs}
    for name, paths in outputs.items():
        for path in [paths] if isinstance(paths, str) else paths or ():
            other = taken.setdefault(_file_identity(path), f"{name}={path}")
            if other != f"{name}={path}":
                raise InputError(f"{name}={path}: would overwrite {other}; give another name")


def _file_identity(path: str) -> object:
    """Equal for two names of one file, or of one that might be one where case does not count."""
    try:
        status = os.stat(path)
        return status.st_dev, status.st_ino
    except OSError:
        return os.path.realpath(path).casefold()


def print_notices(*, quiet: bool = False) -> None:
    """Print what the library logs; only warnings if quiet."""
    log = logging.getLogger("nst_tf")
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False
    log.handlers = [_Notices()]


class _Notices(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + logging.Formatter().formatException(record.exc_info)
        # Some files are read twice.
        if message in self._printed:
            return
        self._printed.add(message)
        # To the stream of the moment, which is the progress bar's while there is one.
        file = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        print(message, file=file, flush=True)


def _on_signal(number: int, frame: object) -> None:
    _signals.append(number)
    # Only the first interrupts: what writes the rest must not be.
    if not _blocked and len(_signals) == 1:
        raise KeyboardInterrupt


def _exit_at_second_signal() -> None:
    """Have a second signal end the process, also within TensorFlow, where Python gets none.

    SIGHUP is not counted: a terminal that is closed may send several.
    """
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    signal.set_wakeup_fd(sender, warn_on_full_buffer=False)

    def count() -> None:
        received = 0
        while True:
            number = os.read(receiver, 1)[0]
            if number != _HANGUP and signal.getsignal(number) is _on_signal:
                received += 1
            if received == 2:
                with contextlib.suppress(OSError):  # of a terminal that is gone
                    os.write(2, f"{printable(_name())}: stopped at once\n".encode())
                os._exit(128 + number)

    threading.Thread(target=count, daemon=True).start()


def _parse(arguments: list[str]) -> list[str]:
    try:
        return command_line.parse(arguments)
    except InputError as error:
        _exit_with(error)


def _exit_with(error: Exception) -> NoReturn:
    sys.exit(f"{_name()}: {' '.join(str(error).split())}")


def _name() -> str:
    return Path(sys.argv[0]).stem
