"""Measure one step's time against the best rate that a convolution has on this machine.

python benchmarks/step_rate.py
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import machine
from absl import app, flags

from nst_tf import files

_SIZES = flags.DEFINE_list("sizes", ["256", "512", "1024"], "long sides in pixels")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "how often each configuration is measured, in turns")
_SECONDS = flags.DEFINE_float("seconds", 5, "how long to measure each time at least")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_PROGRAMS = (("nst_tf", "float32"), ("nst_tf", "bfloat16"), ("torch", "float32"))


def main(_: list[str]) -> None:
    """Measure all configurations round by round, and save after each process."""
    configurations = [
        {"program": program, "precision": precision, "size": int(size), "rounds": []}
        for size in _SIZES.value
        for program, precision in _PROGRAMS
    ]
    settings = {"rounds": _ROUNDS.value, "seconds": _SECONDS.value}
    results = machine.provenance() | {"settings": settings, "configurations": configurations}
    for _ in range(_ROUNDS.value):
        for configuration in list(configurations):
            if configuration in configurations:
                configuration["rounds"].append(_measure(configuration))
                _drop_slow(configurations)
                text = json.dumps(results, indent=1)
                files.replace(Path(_OUTPUT.value) / "step_rate.json", text.encode())


def _measure(configuration: dict) -> dict:
    """Measure a configuration in a process of its own.

    That process must be started from a small one, as here: on Linux its peak memory begins with
    its parent's.
    """
    command = [sys.executable, str(Path(__file__).with_name("step_process.py"))]
    command += [f"--{name}={configuration[name]}" for name in ("program", "precision", "size")]
    command.append(f"--seconds={_SECONDS.value}")
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{configuration['program']} {configuration['precision']} {configuration['size']} px: "
        f"{statistics.median(found['step_seconds']):.3f} s a step, "
        f"{found['peak_memory'] / 2**30:.2f} GiB",
        flush=True,
    )
    return found


def _drop_slow(configurations: list[dict]) -> None:
    """Take bfloat16 out where it is no faster than float32."""
    rates = {
        (each["program"], each["precision"]): max(each["rounds"][0]["limit_rates"].values())
        for each in configurations
        if each["rounds"] and each["size"] == configurations[0]["size"]
    }
    single, half = rates.get(("nst_tf", "float32")), rates.get(("nst_tf", "bfloat16"))
    if single and half and half <= single:
        configurations[:] = [each for each in configurations if each["precision"] == "float32"]


if __name__ == "__main__":
    app.run(main)
