"""Where and with what a benchmark ran."""

import datetime
import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "torch")


def provenance() -> dict:
    """Machine, versions, commit and date, for the head of a file of results.

    Returns:
        What JSON can hold.
    """
    return {
        "machine": {
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(
                os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1
            ),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
        "commit": _commit(),
        "date": datetime.date.today().isoformat(),
    }


def peak_memory() -> int:
    """The most resident memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    rows = dict(line.split(":", 1) for line in lines if ":" in line)
    names = {key.strip(): value.strip() for key, value in rows.items()}
    return names.get("model name", platform.processor() or "unknown") + _extras(names)


def _extras(names: dict[str, str]) -> str:
    """The instructions that decide how fast bfloat16 is."""
    known = {"avx512f": "AVX-512", "avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX-BF16"}
    found = [text for flag, text in known.items() if flag in names.get("flags", "").split()]
    return f" ({', '.join(found)})" if found else ""


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "nst_tf", "benchmarks/*.py")
        return git("rev-parse", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
