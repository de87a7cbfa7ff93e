"""The device that the networks run on: the first GPU that TensorFlow may use, or the CPU."""

import os
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from nst_tf import limits

# NVIDIA's driver for Linux lists its cards here.
_NVIDIA_CARDS = Path("/proc/driver/nvidia/gpus")
# In the Linux of Windows a card, NVIDIA's or not, is this.
_WINDOWS_CARD = Path("/dev/dxg")


def gpu() -> Any:
    """The GPU, a `tf.config.PhysicalDevice`; None where TensorFlow sees none or may not use it."""
    return next(iter(tf.config.get_visible_devices("GPU")), None)


def describe() -> str:
    """The device for people, as `the CPU, 2 cores`, and why an NVIDIA card is not used."""
    found = gpu()
    if found is not None:
        return tf.config.experimental.get_device_details(found).get("device_name", "a GPU")
    cores = limits.num_cores()
    cpu = f"the CPU, {cores} core{'' if cores == 1 else 's'}"
    if tf.config.list_physical_devices("GPU") or not _has_nvidia_card():
        return cpu
    return f"{cpu} (an NVIDIA card is there, but {_why_unused()})"


def _has_nvidia_card() -> bool:
    # The program alone is also on machines without a card, as those one logs in to.
    has_program = shutil.which("nvidia-smi") is not None
    return any(_NVIDIA_CARDS.glob("*")) or (has_program and _WINDOWS_CARD.exists())


def _why_unused() -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES={visible} hides it"
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    why = (
        "TensorFlow cannot use it, mostly for lack of CUDA's libraries: "
        "pip install -r requirements-gpu.txt"
    )
    return why if visible is None else f"{why}; or CUDA_VISIBLE_DEVICES={visible} hides it"
