import errno
import os
import re
import shutil
import stat
from operator import methodcaller
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized
from testing.scripts import file_size_limit

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

    def test_keeps_the_mode_of_the_file_that_is_there(self):
        self.target.touch()
        self.target.chmod(0o640)
        atomic_files.replace(self.target, b"new")
        self.assertEqual(stat.S_IMODE(self.target.stat().st_mode), 0o640)

    @parameterized.parameters(True, False)
    def test_writes_through_a_link_also_a_dangling_one(self, is_there):
        elsewhere = self.folder / "elsewhere" / "file"
        if is_there:
            elsewhere.parent.mkdir()
            elsewhere.touch()
        self.target.symlink_to("elsewhere/file")
        atomic_files.check(self.target)
        atomic_files.replace(self.target, b"new")
        self.assertTrue(self.target.is_symlink())
        self.assertEqual(elsewhere.read_bytes(), b"new")
        self.assertEqual(os.listdir(elsewhere.parent), ["file"])

    def test_the_old_file_is_kept_as_previous(self):
        previous = self.folder / "previous"
        for data in (b"1", b"2", b"3"):
            atomic_files.write(self.target, methodcaller("write", data), previous=previous)
        self.assertEqual((self.target.read_bytes(), previous.read_bytes()), (b"3", b"2"))

    @parameterized.parameters(
        ("os.fsync", errno.EINVAL),
        ("os.fsync", errno.ENOTSUP),
        ("os.chmod", errno.EPERM),
        ("os.replace", errno.EPERM),
        ("os.replace", errno.EBUSY),
    )
    def test_what_a_disk_does_not_know_is_no_failure(self, function, number):
        previous = self.folder / "previous"
        with mock.patch(function, side_effect=OSError(number, os.strerror(number))) as refused:
            for data in (b"1", b"2"):
                atomic_files.check(self.target)
                atomic_files.write(self.target, methodcaller("write", data), previous=previous)
        refused.assert_called()
        self.assertEqual((self.target.read_bytes(), previous.read_bytes()), (b"2", b"1"))
        self.assertCountEqual(os.listdir(self.folder), ["file", "previous"])

    def test_an_interrupt_leaves_the_old_file_and_nothing_else(self):
        self.target.write_bytes(b"old")
        with (
            mock.patch("os.fsync", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            atomic_files.replace(self.target, b"new")
        self.assertEqual(self.target.read_bytes(), b"old")
        self.assertEqual(os.listdir(self.folder), ["file"])

    def whole_as(self, function):
        """Where an error of a call says that the bytes are; the old file stays."""
        self.target.write_bytes(b"old")
        with self.assertRaises(InputError) as caught:
            function()
        found = re.fullmatch(
            rf"{self.target}: cannot be written \((.*)\); it is whole as (.*); move it from there",
            str(caught.exception),
        )
        self.assertIsNotNone(found, caught.exception)
        self.assertEqual(self.target.read_bytes(), b"old")
        return found[1], Path(found[2])

    def test_what_cannot_be_moved_is_left_beside_once(self):
        def write():
            refused = OSError(1, "Operation not permitted")
            with mock.patch("os.replace", side_effect=refused):
                with mock.patch("shutil.copyfile", side_effect=refused):
                    atomic_files.replace(self.target, b"new")

        places = {self.whole_as(write) for _ in range(2)}
        ((reason, place),) = places
        self.assertEqual((reason, place.parent), ("Operation not permitted", self.folder))
        self.assertEqual(place.read_bytes(), b"new")

    @parameterized.product(
        number=(errno.EPERM, errno.EBUSY, errno.EDQUOT, errno.EIO), is_there=(True, False)
    )
    def test_neither_renamed_nor_copied_whole(self, number, is_there):
        copyfile = shutil.copyfile

        def copy_half(source, target):
            if Path(source).suffix != ".part":
                return copyfile(source, target)
            Path(target).write_bytes(b"n")
            raise OSError(errno.ENOSPC, "full")

        if is_there:
            self.target.write_bytes(b"old")
        with (
            mock.patch("os.replace", side_effect=OSError(number, "no")),
            mock.patch("shutil.copyfile", copy_half),
            self.assertRaisesRegex(InputError, f"it is whole as {self.folder}/nst_tf-.*.part;"),
        ):
            atomic_files.replace(self.target, b"new")
        found = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self.assertEqual(found.pop("file", None), b"old" if is_there else None)
        self.assertEqual([*found.values()], [b"new"])

    @parameterized.parameters(errno.EIO, errno.ENOSPC)
    def test_what_does_not_fit_is_left_in_a_temporary_folder(self, number):
        temporary = self.create_tempdir().full_path
        fsync = mock.Mock(side_effect=[OSError(number, "no"), None] * 2)
        with mock.patch("os.fsync", fsync), mock.patch("tempfile.gettempdir", lambda: temporary):
            places = {self.whole_as(lambda: atomic_files.replace(self.target, b"new"))} | {
                self.whole_as(lambda: atomic_files.replace(self.target, b"newer"))
            }
        ((reason, place),) = places
        self.assertEqual((reason, place.parent), ("no", Path(temporary)))
        self.assertEqual(place.read_bytes(), b"newer")
        self.assertEqual(os.listdir(self.folder), ["file"])

    @parameterized.parameters("os.fsync", "os.replace")
    def test_without_a_rescue_nothing_is_left(self, function):
        temporary = self.create_tempdir().full_path
        self.target.write_bytes(b"old")
        with (
            mock.patch(function, side_effect=[OSError(errno.ENOSPC, "full"), None]),
            mock.patch("tempfile.gettempdir", lambda: temporary),
            self.assertRaisesRegex(InputError, r"cannot be written \(full\); choose a folder"),
        ):
            atomic_files.replace(self.target, b"new", rescue=False)
        self.assertEqual(self.target.read_bytes(), b"old")
        self.assertEqual((os.listdir(self.folder), os.listdir(temporary)), (["file"], []))

    def test_no_disk_at_all(self):
        with (
            file_size_limit(2),
            self.assertRaisesRegex(
                InputError,
                r"cannot be written \(File too large\); nor in a temporary folder \(File too l",
            ),
        ):
            atomic_files.replace(self.target, b"new")
        self.assertEmpty(os.listdir(self.folder))

    def test_check_refuses_what_cannot_be_written(self):
        self.target.write_bytes(b"old")
        atomic_files.check(self.target)
        self.assertEqual(self.target.read_bytes(), b"old")
        link = self.folder / "link"
        link.symlink_to(self.folder)
        for path, message in (
            (self.folder, "is a folder; expected a file"),
            (link, "is a folder; expected a file"),
            ("/dev/null", "is a device or a pipe; expected a file"),
            (self.folder / ("n" * 256), "File name too long.; choose a shorter name"),
            (self.folder / ("n" * 256) / "file", "File name too long.; choose a shorter name"),
            (self.target / "below", "is a file; expected a folder"),
            # Not by root either.
            ("/proc/nst_tf", "cannot be written"),
        ):
            with self.assertRaisesRegex(InputError, message):
                atomic_files.check(path)
        self.assertCountEqual(os.listdir(self.folder), ["file", "link"])

    def test_check_leaves_nothing_where_it_is_interrupted(self):
        with (
            mock.patch("os.fsync", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            atomic_files.check(self.target)
        self.assertEmpty(os.listdir(self.folder))

    def test_check_leaves_what_another_program_has_just_written(self):
        self.target.write_bytes(b"other")
        exists = Path.exists
        with mock.patch.object(Path, "exists", lambda path: path.is_dir() and exists(path)):
            atomic_files.check(self.target)
        self.assertEqual(self.target.read_bytes(), b"other")
        self.assertEqual(os.listdir(self.folder), ["file"])

    def test_check_refuses_a_disk_that_does_not_keep_what_is_written(self):
        with (
            mock.patch("os.fsync", side_effect=OSError(errno.EIO, "Input/output error")),
            self.assertRaisesRegex(InputError, "cannot be written .Input/output error"),
        ):
            atomic_files.check(self.target)
        self.assertEmpty(os.listdir(self.folder))


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

    def test_a_disk_that_does_not_know_modes(self):
        refused = OSError(1, "Operation not permitted")
        with mock.patch("os.chmod", side_effect=refused):
            self.fill("one")
            self.fill("two")
        self.assertEqual(os.listdir(self.target), ["two"])
        self.assertEqual(os.listdir(self.target.parent), ["folder"])

    def test_what_cannot_be_moved_is_left_beside_the_old_one(self):
        self.fill("one")
        rename = os.rename

        def failing(source, target):
            if Path(source).name == "new":
                raise OSError(1, "Operation not permitted")
            rename(source, target)

        with mock.patch("os.rename", failing), self.assertRaises(InputError) as caught:
            self.fill("two")
        whole = re.search("it is whole as (.*); move it", str(caught.exception))[1]
        self.assertEqual(os.listdir(whole), ["two"])
        self.assertEqual(os.listdir(self.target), ["one"])

    def test_failure_leaves_the_old_one_and_nothing_else(self):
        self.fill("one")
        for error, expected in (
            (OSError(28, "full"), InputError),
            (ZeroDivisionError(), ZeroDivisionError),
        ):
            with self.assertRaises(expected):
                with atomic_files.folder(self.target) as folder:
                    (folder / "two").touch()
                    raise error
        self.assertEqual(os.listdir(self.target), ["one"])
        self.assertEqual(os.listdir(self.target.parent), ["folder"])

    def test_keeps_the_mode_and_the_link(self):
        self.target.parent.mkdir()
        self.target.symlink_to("elsewhere")
        self.fill("one")
        self.target.chmod(0o750)
        self.fill("two")
        self.assertTrue(self.target.is_symlink())
        self.assertEqual(os.listdir(self.target), ["two"])
        self.assertEqual(stat.S_IMODE(self.target.stat().st_mode), 0o750)

    def test_check_refuses_what_cannot_be_written(self):
        (self.parent / "file").touch()
        for path in (self.parent / "file" / "below", "/proc/nst_tf"):
            with self.assertRaises(InputError):
                atomic_files.check_folder(path)


if __name__ == "__main__":
    absltest.main()
