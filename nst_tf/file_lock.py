"""Locks of files, so that two runs do not write to one."""

from typing import IO

from nst_tf.errors import InputError


def lock(file: IO | int, refusal: InputError) -> None:
    """Lock an open file, or a descriptor, until it is closed.

    Raises `refusal` if another process has it. Does nothing where the system or the disk has no
    locks.
    """
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise refusal from error
    except (ImportError, OSError):
        pass
