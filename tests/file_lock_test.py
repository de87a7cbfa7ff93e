import errno
import sys
from pathlib import Path
from unittest import mock

from absl.testing import absltest

from nst_tf import InputError, file_lock


class FileLockTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.target = Path(self.create_tempdir().full_path, "file")

    def test_a_lock_is_refused_while_another_has_it(self):
        refusal = InputError("taken")
        with open(self.target, "wb") as first, open(self.target, "wb") as second:
            file_lock.lock(first, refusal)
            with self.assertRaises(InputError) as caught:
                file_lock.lock(second, refusal)
            self.assertIs(caught.exception, refusal)
            first.close()
            file_lock.lock(second, refusal)

    def test_disks_and_systems_without_locks(self):
        with open(self.target, "wb") as first, open(self.target, "wb") as second:
            file_lock.lock(first, InputError("taken"))
            with mock.patch("fcntl.flock", side_effect=OSError(errno.ENOTSUP, "not supported")):
                file_lock.lock(second, InputError("taken"))
            with mock.patch.dict(sys.modules, fcntl=None):
                file_lock.lock(second, InputError("taken"))


if __name__ == "__main__":
    absltest.main()
