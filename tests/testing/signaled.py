"""Runs a script that sends itself a signal in the nth call of a function.

python signaled.py SIGNAL MODULE FUNCTION N SCRIPT ARGUMENTS...
"""

import importlib
import itertools
import operator
import os
import runpy
import signal
import sys

from nst_tf import tensorflow_startup


def send_in_call(number, module, function, count):
    """Have the nth call of a module's function, or of a class's, send a signal before it works."""
    *owners, name = function.split(".")
    owner = operator.attrgetter(".".join(owners))(module) if owners else module
    original, calls = getattr(owner, name), itertools.count(1)

    def sending(*arguments, **given):
        if next(calls) == count:
            os.kill(os.getpid(), number)
        return original(*arguments, **given)

    setattr(owner, name, sending)


if __name__ == "__main__":
    number, module, function, count, script, *arguments = sys.argv[1:]
    # A shell's background job would ignore the one, that of nohup the other.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    tensorflow_startup.import_tensorflow()
    send_in_call(int(number), importlib.import_module(module), function, int(count))
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
