"""The import of TensorFlow in scripts and workers: its environment, without its messages."""

import faulthandler
import gc
import os
import sys

# Environment variables for TensorFlow; those that are set already stay.
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
    # The allocator reads them at its first use, so they count after an import, too.
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "tensorflow" in sys.modules:
        return
    stderr = os.dup(2)
    enabled = faulthandler.is_enabled()
    faulthandler.enable(stderr)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            os.dup2(stderr, 2)
            faulthandler.disable()
            if enabled:
                faulthandler.enable()
            os.close(stderr)
    # The objects of the import stay to the end; each scale begins with a garbage collection, which
    # would take a tenth of a second to go through them.
    gc.freeze()
