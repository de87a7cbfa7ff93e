"""Measure one step's time against the best rate that a convolution has on this machine.

python benchmarks/step_rate.py
"""

import statistics

import machine
from absl import app, flags

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
                machine.save(_OUTPUT.value, "step_rate.json", results)


def _measure(configuration: dict) -> dict:
    flag_values = {name: configuration[name] for name in ("program", "precision", "size")}
    measured = machine.run_process("step_process.py", flag_values | {"seconds": _SECONDS.value})
    print(
        f"{configuration['program']} {configuration['precision']} {configuration['size']} px: "
        f"{statistics.median(measured['step_seconds']):.3f} s a step, "
        f"{measured['peak_memory'] / 2**30:.2f} GiB",
        flush=True,
    )
    return measured


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
