"""The float type of the convolutions: as given, or what the processor computes natively."""

import re
from collections.abc import Collection
from pathlib import Path

import tensorflow as tf

from nst_tf.networks import device

_CPUINFO = Path("/proc/cpuinfo")


def resolve(precision: str) -> str:
    """The float type of the convolutions; `auto` depends on the processor alone.

    Switches TensorFloat-32 off, so that float32 means float32 on GPUs too.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if precision != "auto":
        return precision
    gpu = device.gpu()
    if gpu is None:
        return cpu_precision(_cpu_flags())
    details = tf.config.experimental.get_device_details(gpu)
    return gpu_precision(details.get("compute_capability"))


def cpu_precision(flags: Collection[str]) -> str:
    """The float type for a CPU with these instruction sets, named as in /proc/cpuinfo."""
    # With either of them oneDNN computes bfloat16 convolutions natively. CPUs emulate float16.
    native = "avx512_bf16" in flags or "amx_bf16" in flags
    return "bfloat16" if native else "float32"


def gpu_precision(compute_capability: tuple[int, int] | None) -> str:
    """The float type for an NVIDIA GPU; None stands for a GPU of another make."""
    if compute_capability is None or compute_capability < (7, 0):
        return "float32"
    return "bfloat16" if compute_capability >= (8, 0) else "float16"


def _cpu_flags() -> set[str]:
    """The CPU's instruction sets; empty where Linux does not list them."""
    try:
        line = re.search(r"^flags\s*:(.*)$", _CPUINFO.read_text(), re.MULTILINE)
    except OSError:
        return set()
    return set(line[1].split()) if line else set()
