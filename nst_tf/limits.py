"""The cores and the memory that this process may have, within the limits of batch systems."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # Windows, which has no such limits
    resource = None  # type: ignore[assignment]

_OWN_GROUPS = Path("/proc/self/cgroup")
# Where control groups are mounted; beside those of version 1, version 2 is in `unified`.
_MOUNT = Path("/sys/fs/cgroup")


def num_cores() -> int:
    """The number of cores that this process may keep busy."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return int(min([cores, *map(_quota, _groups("cpu"))]))


def free_memory() -> float:
    """Bytes that this process could take besides what it has."""
    machine = psutil.virtual_memory().available
    groups = [_free_in_group(group) for group in _groups("memory")]
    return max(0, min([machine, free_address_space(), *groups]))


def free_address_space() -> float:
    """What `ulimit -v` and `ulimit -d` leave; infinite without such limits."""
    if resource is None:
        return math.inf
    process = psutil.Process().memory_info()
    # Only Linux counts the data, and limits it.
    taken = {resource.RLIMIT_AS: process.vms, resource.RLIMIT_DATA: getattr(process, "data", None)}
    free = math.inf
    for limit, used in taken.items():
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY and used is not None:
            free = min(free, soft - used)
    return free


def _groups(controller: str) -> Iterator[Path]:
    """The control groups that limit this process: its own and their parents."""
    for line in _text(_OWN_GROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mounts = [_MOUNT, _MOUNT / "unified"]
        elif controller in controllers.split(","):
            mounts = [_MOUNT / controller, _MOUNT / controllers]
        else:
            continue
        # A container may see its own group as the root, under a path that is the host's.
        parts = [part for part in Path(path).parts if part not in ("/", "..")]
        for mount in mounts:
            for depth in range(len(parts), -1, -1):
                yield mount.joinpath(*parts[:depth])


def _quota(group: Path) -> float:
    """The cores of a group, rounded up."""
    of_version_1 = (_text(group / name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
    text = _text(group / "cpu.max") or " ".join(of_version_1)
    # No limit is `max` in version 2, and -1 in version 1.
    numbers = [int(word) for word in text.split() if word.isdigit()]
    return math.ceil(numbers[0] / numbers[1]) if len(numbers) == 2 else math.inf


def _free_in_group(group: Path) -> float:
    """What a group's limit leaves; its cached files would make room."""
    limit = _smallest(group, "memory.max", "memory.high", "memory.limit_in_bytes")
    used = _smallest(group, "memory.current", "memory.usage_in_bytes")
    if math.inf in (limit, used):
        return math.inf
    files = dict(line.split() for line in _text(group / "memory.stat").splitlines())
    # Version 1 counts those of the groups below under a name of their own.
    cached = files.get("total_inactive_file", files.get("inactive_file", 0))
    return limit - used + int(cached)


def _smallest(group: Path, *names: str) -> float:
    """The smallest number in files of a group, which need not be there, or may say `max`."""
    texts = (_text(group / name) for name in names)
    return min((int(text) for text in texts if text.isdigit()), default=math.inf)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
