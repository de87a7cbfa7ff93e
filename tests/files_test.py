import os
from pathlib import Path
from unittest import mock

from absl.testing import absltest

from nst_tf import files
from nst_tf.errors import InputError


class ReplaceTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def test_makes_the_folder_and_the_file(self):
        files.replace(self.folder / "a" / "b" / "file", b"data")
        self.assertEqual((self.folder / "a" / "b" / "file").read_bytes(), b"data")
        self.assertEqual(os.listdir(self.folder / "a" / "b"), ["file"])

    def test_has_the_rights_that_open_gives(self):
        files.replace(self.folder / "ours", b"")
        (self.folder / "theirs").write_bytes(b"")
        self.assertEqual(
            (self.folder / "ours").stat().st_mode, (self.folder / "theirs").stat().st_mode
        )

    def test_a_failure_leaves_the_old_file_and_nothing_else(self):
        target = self.folder / "file"
        target.write_bytes(b"old")
        for broken in ("os.fsync", "os.replace"):
            with mock.patch(broken, side_effect=OSError(28, "No space left on device")):
                with self.assertRaisesRegex(InputError, "file: cannot be written .No space left"):
                    files.replace(target, b"new")
            self.assertEqual(target.read_bytes(), b"old")
            self.assertEqual(os.listdir(self.folder), ["file"])

    def test_a_crash_leaves_the_old_file(self):
        target = self.folder / "file"
        target.write_bytes(b"old")
        with mock.patch("os.fsync", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                files.replace(target, b"new")
        self.assertEqual(target.read_bytes(), b"old")
        self.assertEqual(os.listdir(self.folder), ["file"])


if __name__ == "__main__":
    absltest.main()
