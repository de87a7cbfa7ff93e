"""Where and with what a benchmark ran; measuring in a process of its own; saving results."""

import datetime
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

from nst_tf import atomic_files

ROOT = Path(__file__).parent.parent
_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "torch")


def provenance() -> dict:
    """Machine, versions, commit and date, for the head of a file of results."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "machine": {
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(memory / 2**30, 1),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
        "commit": _commit(),
        "date": datetime.date.today().isoformat(),
    }


def peak_memory() -> int:
    """The peak resident memory of this process, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def run_process(script: str, flag_values: dict) -> dict:
    """Run a script of this folder; the result is the JSON object in its last line.

    Call it from a small process: on Linux a child's peak memory begins with its parent's.
    """
    command = [sys.executable, str(Path(__file__).with_name(script))]
    command += [f"--{name}={value}" for name, value in flag_values.items()]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def save(folder: str, name: str, results: dict) -> None:
    """Write results as a JSON file."""
    atomic_files.replace(Path(folder, name), json.dumps(results, indent=1).encode())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    rows = dict(line.split(":", 1) for line in lines if ":" in line)
    rows = {key.strip(): value.strip() for key, value in rows.items()}
    return rows.get("model name", platform.processor() or "unknown") + _extensions(rows)


def _extensions(rows: dict[str, str]) -> str:
    """The instructions that decide how fast bfloat16 is."""
    known = {"avx512f": "AVX-512", "avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX-BF16"}
    present = [text for flag, text in known.items() if flag in rows.get("flags", "").split()]
    return f" ({', '.join(present)})" if present else ""


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "nst_tf", "benchmarks/*.py")
        return git("rev-parse", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
