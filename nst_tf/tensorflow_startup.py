"""The import of TensorFlow in scripts and workers: its environment, without its messages."""

import faulthandler
import gc
import math
import os
import sys
import tempfile

from nst_tf import limits
from nst_tf.errors import InputError, one_line

# Environment variables for TensorFlow; those that are set already stay.
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Otherwise the first run on a GPU takes all of its memory, and a second finds none.
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    # Memory that is freed is kept for what comes next. malloc would give it back, and the system
    # would zero the next layer's pages anew: without AVX-512 18% of a run's time.
    "TF_CPU_ALLOCATOR_USE_BFC": "1",
    # In MiB, more than any machine has; it would end at 64 GiB.
    "TF_CPU_BFC_MEM_LIMIT_IN_MB": str(2**24),
}
# What the networks are written for, whatever other projects on this machine use.
KERAS = {"KERAS_BACKEND": "tensorflow", "TF_USE_LEGACY_KERAS": "0"}
# Bytes of address space that TensorFlow and a small run take, measured with TensorFlow 2.21.
_MIN_ADDRESS_SPACE = 2.25 * 2**30


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without their messages on stderr, as scripts need them.

    If the import aborts the process, stderr tells where. InputError: Keras or the limits of the
    process do not allow it.
    """
    # The allocator and the threads read them at their first use, so they count after an import,
    # too.
    for name, value in _environment().items():
        os.environ.setdefault(name, value)
    if "tensorflow" in sys.modules:
        return
    _check_temporary_folder()
    os.environ.update(KERAS)
    stderr = os.dup(2)
    enabled = faulthandler.is_enabled()
    faulthandler.enable(stderr)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            check_keras()
        finally:
            os.dup2(stderr, 2)
            faulthandler.disable()
            if enabled:
                faulthandler.enable()
            os.close(stderr)
    # The objects of the import stay to the end; each scale begins with a garbage collection, which
    # would take a tenth of a second to go through them.
    gc.freeze()


def _check_temporary_folder() -> None:
    # What Keras imports asks for one at once, downloads and archives later.
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise InputError(
            f"TMPDIR={os.environ.get('TMPDIR', '')}: no folder for temporary files can be written; "
            "set it to one that can"
        ) from error


def _environment() -> dict[str, str]:
    """The environment variables within the limits of this process."""
    free = limits.free_address_space()
    if free < _MIN_ADDRESS_SPACE and "tensorflow" not in sys.modules:
        raise InputError(
            f"ulimit: {free / 2**30:.2f} GiB of address space are left to this process; expected "
            f"{_MIN_ADDRESS_SPACE / 2**30:g} or more; give a larger `ulimit -v` and `ulimit -d`"
        )
    # More threads than cores that may be used would only wait for each other.
    cores = str(limits.num_cores())
    threads = {"TF_NUM_INTRAOP_THREADS": cores, "TF_NUM_INTEROP_THREADS": cores}
    if math.isinf(free):
        return ENVIRONMENT | threads
    # The allocator reserves more addresses than it uses; with a limit others would get none.
    allocator = [name for name in ENVIRONMENT if name.startswith("TF_CPU_")]
    return {name: v for name, v in (ENVIRONMENT | threads).items() if name not in allocator}


def check_keras() -> None:
    """Import TensorFlow and Keras; an InputError names the setting that does not allow it."""
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "")
    if legacy in ("1", "true", "True"):
        raise InputError(
            f"TF_USE_LEGACY_KERAS={legacy}: expected Keras 3; unset it before TensorFlow "
            "is imported"
        )
    # Both read keras.json, where values may be wrong, or the backend one that is not installed.
    try:
        import tensorflow  # noqa: F401
        import keras  # isort: skip
    except Exception as error:
        if isinstance(error, ImportError) and "tensorflow" not in sys.modules:
            raise  # TensorFlow is not installed, or damaged
        raise InputError(
            f"Keras cannot be imported ({one_line(error)}); correct or remove its settings, "
            f"{_keras_json()} and KERAS_BACKEND={os.environ.get('KERAS_BACKEND', '')}"
        ) from error
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise InputError(
            f"KERAS_BACKEND={backend}: expected tensorflow; set it in the environment or in "
            f"{_keras_json()} before Keras is imported"
        )


def _keras_json() -> str:
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return os.path.join(os.path.expanduser(home), "keras.json")
