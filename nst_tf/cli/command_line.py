"""The command line: its flags, and what to write in place of what is no flag or no value."""

import difflib
import os
import re
import shlex
import sys
from collections.abc import Sequence

from absl import flags

import nst_tf
from nst_tf.errors import InputError

_ILLEGAL_VALUE = re.compile(r"flag --(\w+)=(.*?): (.*)", re.DOTALL)


def parse(arguments: Sequence[str]) -> list[str]:
    """Parse the flags; `--help` and `--version` end the process.

    `arguments` begin with the program; what is returned is the program alone, as absl wants it.
    """
    program, *given = ("--help" if each == "-h" else _with_home(each) for each in arguments)
    if {"--version", "-version"} & {*given}:
        print(f"nst_tf {nst_tf.__version__}")
        sys.exit(0)
    try:
        program, *words = flags.FLAGS([program, *given])
    except flags.UnrecognizedFlagError as error:
        raise InputError(_no_such_flag(error.flagname)) from error
    except flags.IllegalFlagValueError as error:
        raise InputError(_illegal_value(str(error))) from error
    except (flags.Error, ValueError) as error:  # the latter for --noquiet=yes
        raise InputError(str(error)) from error
    except SystemExit:
        # Only the help flags end the process here; absl gives them status 1.
        sys.exit(0)
    if words:
        raise InputError(_stray_word(given))
    return [program]


def _with_home(argument: str) -> str:
    """The argument with the home folder for ~, which a shell does not expand after `=`."""
    name, equals, value = argument.partition("=")
    if not (argument.startswith("-") and equals):
        return argument
    return f"{name}={os.path.expanduser(value)}"


def _no_such_flag(name: str) -> str:
    """That a flag is unknown, and which one of the script's is near."""
    names = []
    for flag in flags.FLAGS.get_key_flags_for_module(sys.argv[0]):
        names += [flag.name, f"no{flag.name}"] if flag.boolean else [flag.name]
    near = difflib.get_close_matches(name, names, 1, cutoff=0.8)
    return f"--{name}: no such flag; {f'write --{near[0]}' if near else '--help lists all'}"


def _illegal_value(message: str) -> str:
    """What absl says of a value, or of a number what was expected."""
    match = _ILLEGAL_VALUE.fullmatch(message)
    if match is None:
        return message
    name, value, reason = match.groups()
    flag = flags.FLAGS[name]
    if flag.boolean:
        meant = f"no{name}" if value.lower() in ("no", "off", "n") else name
        return f"{name}={value}: expected true or false; write --{meant}"
    if flag.flag_type() not in ("int", "float"):
        return f"{name}={value}: {reason}"
    number = _meant_number(value, is_whole=flag.flag_type() == "int")
    advice = f"write {number}" if number and number != value else f"change --{name}"
    return f"{name}={value}: expected {flag.parser.syntactic_help}; {advice}"


def _meant_number(text: str, *, is_whole: bool) -> str | None:
    """The number that 0,03 or, of a whole one, 1e3 and 1,024 mean; None if it is not clear."""
    if is_whole:
        text = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text)
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    if not is_whole:
        return text.replace(",", ".")
    return str(int(number)) if number.is_integer() else None


def _stray_word(given: Sequence[str]) -> str:
    """What to write for the first word that is neither a flag nor its value."""
    name = value = word = ""
    words = iter(given)
    for word in words:
        if not word.startswith("-") or word == "-":
            break
        name, equals, value = word.lstrip("-").partition("=")
        if name not in flags.FLAGS or flags.FLAGS[name].boolean:
            name = ""
        elif not equals:
            value = next(words)
    if not name:
        return f"{word}: not a flag; expected flags only, as --name=value"
    flag, value = flags.FLAGS[name], value.rstrip(",")
    if isinstance(flag.parser, flags.ListParser):
        return f"{word}: not a flag; write {shlex.quote(f'--{name}={value},{word}')}"
    if isinstance(flag, flags.MultiFlag):
        both = " ".join(shlex.quote(f"--{name}={each}") for each in (value, word))
        return f"{word}: not a flag; write {both}"
    quoted = shlex.quote(f"--{name}={value} {word}")
    return f"{word}: not a flag; --{name} takes one value; write {quoted} if it has a space"
