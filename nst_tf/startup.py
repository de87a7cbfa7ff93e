"""TensorFlow, imported as every program and worker of this package wants it."""

import faulthandler
import gc
import os
import sys

# What TensorFlow is told by the environment, unless it is set there.
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Memory that is freed is kept for what comes next. malloc would give it back, and the system
    # would zero the next layer's pages anew: without AVX-512 18% of a run's time.
    "TF_CPU_ALLOCATOR_USE_BFC": "1",
    # In MiB, more than any machine has; it would end at 64 GiB.
    "TF_CPU_BFC_MEM_LIMIT_IN_MB": str(2**24),
}


def import_tensorflow() -> None:
    """Import TensorFlow without its messages on stderr; its allocator keeps freed memory.

    If the import aborts the process, stderr tells where.
    """
    before = "tensorflow" in sys.modules
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    stderr = os.dup(2)
    faulthandler.enable(stderr)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            os.dup2(stderr, 2)
            faulthandler.disable()
            os.close(stderr)
    # What the import has made stays to the end; a collection of garbage takes a tenth of a second
    # to look through it, and each scale begins with one.
    if not before:
        gc.freeze()
