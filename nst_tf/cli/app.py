"""How every script starts and ends: flags in, one line for a user's mistake, a status out."""

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, flags, logging

from nst_tf import startup
from nst_tf.errors import InputError

# Of Ctrl-C and SIGTERM: those that have come, and whether they interrupt what is going on.
_signals: list[int] = []
_deaf: list[bool] = []


def run(
    main: Callable[[], None],
    required: Sequence[str] = (),
    recall: Callable[[], None] = lambda: None,
) -> None:
    """Parse the flags, call `main`, and end the process.

    The status is 0 when all went well and after `--help`, and 1 with one line on stderr for a
    mistake of the user's. After Ctrl-C or SIGTERM it is 128 and the signal's number, with one line;
    a second one ends the process at once. Other exceptions keep their traceback.

    Args:
        main: the script's work; Ctrl-C and SIGTERM raise KeyboardInterrupt in it, whose text, if it
            raises one of its own, is part of that line.
        required: names of the flags that must be given.
        recall: sets defaults of flags before that is checked; TensorFlow is not there yet.
    """

    def guarded(arguments: list[str]) -> None:
        _end_at_second()
        for number in (signal.SIGINT, signal.SIGTERM):
            # A shell's background jobs ignore Ctrl-C, and shall.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _stop)
        try:
            if len(arguments) > 1:
                raise InputError(
                    f"{arguments[1]}: not a flag; expected flags only, as --name=value"
                )
            recall()
            nothing = (None, "", [""])
            missing = [f"--{name}" for name in required if flags.FLAGS[name].value in nothing]
            if missing:
                raise InputError(f"{', '.join(missing)}: missing; --help tells what to give")
            startup.import_tensorflow()
            # absl would print every notice of TensorFlow's and ours to stderr.
            if not flags.FLAGS["verbosity"].present:
                logging.set_verbosity(logging.WARNING)
            main()
        except (Exception, KeyboardInterrupt) as error:
            # An interrupt in the middle of TensorFlow's own code may come out as another error.
            if _signals:
                told = str(error) if isinstance(error, (KeyboardInterrupt, InputError)) else ""
                print(f"{_name()}: stopped{told and ' '}{told}", file=sys.stderr)
                sys.exit(128 + _signals[0])
            if isinstance(error, InputError):
                _refuse(error)
            raise

    app.run(guarded, flags_parser=_parse)


def interrupted() -> bool:
    """Whether Ctrl-C or SIGTERM has come; an error may have come of that."""
    return bool(_signals)


def hear(stream: Iterator) -> Iterator:
    """Let Ctrl-C and SIGTERM interrupt a run's steps, but nothing that is done between them.

    What listens to the run hears of it with the next step, and so does what follows its end.

    Args:
        stream: the run; it is closed at the end.

    Yields:
        The same.
    """
    try:
        while True:
            _deaf.clear()
            try:
                if _signals:
                    raise KeyboardInterrupt
                item = next(stream)
            except StopIteration:
                return
            finally:
                _deaf.append(True)
            yield item
    finally:
        # Its processes, if it has some, are to end now.
        if isinstance(stream, Generator):
            stream.close()


def keep_apart(inputs: Iterable[str], **outputs: str | None) -> None:
    """Refuse to write over what is read, or over another output.

    Args:
        inputs: paths that are read.
        **outputs: paths that are to be written, by the names of their flags; None for none.

    Raises:
        InputError: two of them are the same file.
    """
    taken = {Path(path).resolve() for path in inputs}
    for name, path in outputs.items():
        if path is None:
            continue
        if Path(path).resolve() in taken:
            raise InputError(f"{name}={path}: would overwrite another file of this run; choose one")
        taken.add(Path(path).resolve())


def _stop(number: int, frame: object) -> None:
    _signals.append(number)
    if not _deaf:
        raise KeyboardInterrupt


def _end_at_second() -> None:
    """Have a second signal end the process, also within TensorFlow, where Python hears none."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)

    def count() -> None:
        come = 0
        while True:
            number = os.read(ours, 1)[0]
            if signal.getsignal(number) is _stop:
                come += 1
            if come == 2:
                os.write(2, f"{_name()}: stopped at once\n".encode())
                os._exit(128 + number)

    threading.Thread(target=count, daemon=True).start()


def _parse(arguments: list[str]) -> list[str]:
    # A shell does not expand ~ after an equals sign.
    home = str(Path.home())
    arguments = [re.sub(r"^(--?\w+=)~(?=/)", rf"\1{home}", argument) for argument in arguments]
    try:
        return flags.FLAGS(arguments)
    except flags.Error as error:
        _refuse(error)
    except SystemExit:
        # Only the help flags end the process here; absl gives them status 1.
        sys.exit(0)


def _refuse(error: Exception) -> NoReturn:
    sys.exit(f"{_name()}: {' '.join(str(error).split())}")


def _name() -> str:
    return Path(sys.argv[0]).stem
