import hashlib
import os
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from nst_tf import atomic_files
from nst_tf.errors import InputError


class FilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.target = self.folder / "file"

    def test_makes_the_folder_and_the_file(self):
        target = self.folder / "a" / "b" / "file"
        atomic_files.check(target)
        self.assertEmpty(os.listdir(self.folder))
        atomic_files.replace(target, b"data")
        self.assertEqual(target.read_bytes(), b"data")
        self.assertEqual(os.listdir(target.parent), ["file"])

    def test_has_the_permissions_that_open_gives(self):
        atomic_files.replace(self.target, b"")
        (self.folder / "other").write_bytes(b"")
        self.assertEqual(self.target.stat().st_mode, (self.folder / "other").stat().st_mode)

    def test_the_old_file_is_kept_as_previous(self):
        previous = self.folder / "previous"
        for data in (b"1", b"2", b"3"):
            with atomic_files.writing(self.target, previous=previous) as file:
                file.write(data)
        self.assertEqual((self.target.read_bytes(), previous.read_bytes()), (b"3", b"2"))

    @parameterized.parameters(
        ("os.fsync", OSError(28, "No space left on device"), InputError),
        ("os.replace", OSError(28, "No space left on device"), InputError),
        ("os.fsync", KeyboardInterrupt(), KeyboardInterrupt),
    )
    def test_failure_leaves_the_old_file_and_nothing_else(self, function, error, expected):
        self.target.write_bytes(b"old")
        with mock.patch(function, side_effect=error), self.assertRaises(expected):
            atomic_files.replace(self.target, b"new")
        self.assertEqual(self.target.read_bytes(), b"old")
        self.assertEqual(os.listdir(self.folder), ["file"])

    def test_full_disk(self):
        full = mock.patch.object(os, "fdopen", lambda descriptor, mode: open("/dev/full", mode))
        with full, self.assertRaisesRegex(InputError, "file: cannot be written .No space left"):
            atomic_files.replace(self.target, b"new")
        self.assertEmpty(os.listdir(self.folder))

    def test_check_refuses_what_cannot_be_written(self):
        self.target.write_bytes(b"old")
        atomic_files.check(self.target)
        self.assertEqual(self.target.read_bytes(), b"old")
        for path, message in (
            (self.folder, "is a folder; expected a file"),
            (self.target / "below", "is a file; expected a folder"),
            # Not by root either.
            ("/proc/nst_tf", "cannot be written"),
        ):
            with self.assertRaisesRegex(InputError, message):
                atomic_files.check(path)

    def test_sha256(self):
        self.target.write_bytes(b"data")
        expected = hashlib.sha256(b"data").hexdigest()
        self.assertEqual(
            (atomic_files.sha256(b"data"), atomic_files.file_sha256(self.target)), (expected,) * 2
        )


class FolderTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.parent = Path(self.create_tempdir().full_path)
        self.target = self.parent / "new" / "folder"

    def fill(self, text):
        with atomic_files.folder(self.target) as folder:
            (folder / text).write_text(text)

    def test_appears_whole_in_place_of_the_old_one(self):
        atomic_files.check_folder(self.target)
        self.assertEmpty(os.listdir(self.parent))
        for text in ("one", "two"):
            self.fill(text)
            self.assertEqual(os.listdir(self.target), [text])
            self.assertEqual(os.listdir(self.target.parent), ["folder"])

    def test_failure_leaves_the_old_one_and_nothing_else(self):
        self.fill("one")
        rename = os.rename

        def failing(source, target):
            if Path(source).name == "new":
                raise OSError(28, "No space left on device")
            rename(source, target)

        with mock.patch.object(os, "rename", failing), self.assertRaises(InputError):
            self.fill("two")
        with self.assertRaises(ZeroDivisionError), atomic_files.folder(self.target) as folder:
            (folder / "three").write_text(str(1 / 0))
        self.assertEqual(os.listdir(self.target), ["one"])
        self.assertEqual(os.listdir(self.target.parent), ["folder"])

    def test_check_refuses_what_cannot_be_written(self):
        (self.parent / "file").touch()
        for path in (self.parent / "file" / "below", "/proc/nst_tf"):
            with self.assertRaises(InputError):
                atomic_files.check_folder(path)


if __name__ == "__main__":
    absltest.main()
