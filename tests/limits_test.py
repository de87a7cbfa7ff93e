import math
import os
import resource
from pathlib import Path
from unittest import mock

import psutil
from absl.testing import absltest, parameterized

from nst_tf import limits

GIB = 2**30
V2 = "0::/batch/job"
V1 = "5:memory:/batch/job\n4:cpu,cpuacct:/batch/job\n0::/"


class LimitsTest(parameterized.TestCase):
    """A machine of 8 cores and 50 GiB, with the control groups that a test writes."""

    def setUp(self):
        super().setUp()
        self.root = Path(self.create_tempdir().full_path)
        machine = mock.Mock(available=50 * GIB)
        for patch in (
            mock.patch.object(limits, "_MOUNT", self.root / "mount"),
            mock.patch.object(limits, "_OWN_GROUPS", self.root / "own"),
            mock.patch.object(psutil, "virtual_memory", return_value=machine),
            mock.patch.object(os, "sched_getaffinity", lambda pid: set(range(8)), create=True),
            mock.patch.object(resource, "getrlimit", self.limit),
        ):
            self.enter_context(patch)
        self.limits = {}

    def limit(self, kind):
        return self.limits.get(kind, resource.RLIM_INFINITY), resource.RLIM_INFINITY

    def group(self, own, folder, **files):
        """Write files of a group, `_` for `.` after the first word, and the process's groups."""
        (self.root / "own").write_text(own)
        path = self.root / "mount" / folder
        path.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (path / name.replace("_", ".", 1)).write_text(f"{text}\n")

    def test_nothing_limits(self):
        self.assertEqual((limits.num_cores(), limits.free_memory()), (8, 50 * GIB))
        self.assertEqual(limits.free_address_space(), math.inf)

    @parameterized.parameters(
        (V2, "batch/job", "max", "current"),
        (V2, "batch/job", "high", "current"),
        (V2, "batch", "max", "current"),
        (V2, "", "max", "current"),
        (V2, "unified/batch", "max", "current"),
        (V1, "memory/batch/job", "limit_in_bytes", "usage_in_bytes"),
        (V1, "memory/batch", "limit_in_bytes", "usage_in_bytes"),
        # A container's own group, named as the host names it.
        (V1, "memory", "limit_in_bytes", "usage_in_bytes"),
        ("0::/../job", "job", "max", "current"),
    )
    def test_memory_of_the_own_group_and_of_its_parents(self, own, folder, limit, used):
        files = {f"memory_{limit}": 6 * GIB, f"memory_{used}": 5 * GIB}
        self.group(own, folder, **files, memory_stat=f"anon 1\ninactive_file {2 * GIB}")
        self.assertEqual(limits.free_memory(), 3 * GIB)

    def test_smallest_of_the_limits_counts(self):
        self.group(V2, "batch/job", memory_max="max", memory_current=GIB)
        self.assertEqual(limits.free_memory(), 50 * GIB)
        self.group(V2, "batch", memory_max=9 * GIB, memory_high=4 * GIB, memory_current=GIB)
        self.assertEqual(limits.free_memory(), 3 * GIB)
        self.group(V2, "batch/job", memory_max=2 * GIB)
        self.assertEqual(limits.free_memory(), GIB)
        self.group(V2, "batch/job", memory_current=7 * GIB)
        self.assertEqual(limits.free_memory(), 0)

    def test_groups_of_others_do_not_count(self):
        self.group(V2, "other", memory_max=GIB, memory_current=0, cpu_max="100000 100000")
        self.assertEqual((limits.num_cores(), limits.free_memory()), (8, 50 * GIB))

    @parameterized.parameters(
        (V2, "batch/job", dict(cpu_max="200000 100000"), 2),
        (V2, "batch", dict(cpu_max="150000 100000"), 2),
        (V2, "", dict(cpu_max="20000 100000"), 1),
        (V2, "batch/job", dict(cpu_max="max 100000"), 8),
        (V2, "batch/job", dict(cpu_max="1600000 100000"), 8),
        (V1, "cpu/batch/job", dict(cpu_cfs_quota_us=300000, cpu_cfs_period_us=100000), 3),
        (V1, "cpu,cpuacct/batch", dict(cpu_cfs_quota_us=300000, cpu_cfs_period_us=100000), 3),
        (V1, "cpu/batch/job", dict(cpu_cfs_quota_us=-1, cpu_cfs_period_us=100000), 8),
    )
    def test_cores(self, own, folder, files, expected):
        self.group(own, folder, **files)
        self.assertEqual(limits.num_cores(), expected)

    def test_cores_of_a_process_that_is_bound_to_some(self):
        with mock.patch.object(os, "sched_getaffinity", lambda pid: {3, 5}, create=True):
            self.assertEqual(limits.num_cores(), 2)

    @parameterized.parameters((resource.RLIMIT_AS, "vms"), (resource.RLIMIT_DATA, "data"))
    def test_address_space(self, kind, counted):
        taken = mock.Mock(memory_info=lambda: mock.Mock(**{"vms": 0, "data": 0, counted: GIB}))
        self.limits[kind] = 4 * GIB
        with mock.patch.object(psutil, "Process", return_value=taken):
            self.assertEqual(limits.free_address_space(), 3 * GIB)
            self.assertEqual(limits.free_memory(), 3 * GIB)


if __name__ == "__main__":
    absltest.main()
