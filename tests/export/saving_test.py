import errno
import os
from pathlib import Path
from unittest import mock

import tensorflow as tf

from nst_tf import InputError, atomic_files
from nst_tf.export import saving


class FolderTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.path = self.folder / "model"

    def make_export(self):
        (self.path / "assets.extra").mkdir(parents=True)
        (self.path / "assets.extra" / "manifest.json").touch()

    def save(self, error, overwrite=False):
        """An export that begins, and ends by an error."""

        def save_half(model, folder, signatures):
            (Path(folder) / "variables").mkdir()
            raise error

        with mock.patch.object(tf.saved_model, "save", save_half):
            saving.save(mock.Mock(), self.path, overwrite=overwrite)

    def holds(self, *names):
        self.assertEqual(list(self.folder.iterdir()), [self.path])
        self.assertEqual([path.name for path in self.path.iterdir()], [*names])

    def test_an_interrupted_export_leaves_nothing(self):
        with self.assertRaises(KeyboardInterrupt):
            self.save(KeyboardInterrupt)
        self.assertEmpty(list(self.folder.iterdir()))

    def test_an_interrupted_export_leaves_the_old_one(self):
        self.make_export()
        with self.assertRaises(KeyboardInterrupt):
            self.save(KeyboardInterrupt, overwrite=True)
        self.holds("assets.extra")

    def test_an_interrupted_swap_leaves_the_old_one(self):
        self.make_export()
        rename = os.rename

        def interrupt(old, new):
            rename(old, new)
            if Path(old) == self.path:
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt), mock.patch.object(os, "rename", interrupt):
            with atomic_files.folder(self.path) as folder:
                (folder / "new").touch()
        self.holds("assets.extra")

    def test_a_full_disk_is_one_line(self):
        with self.assertRaisesRegex(InputError, "model: cannot be written .File too large"):
            self.save(tf.errors.OutOfRangeError(None, None, "File\ntoo large"))

    def test_what_appears_meanwhile_is_not_overwritten(self):
        def save(model, folder, signatures):
            self.path.mkdir()
            (self.path / "mine").touch()

        model = mock.Mock(**{"signatures.return_value": {}})
        with (
            mock.patch.object(tf.saved_model, "save", save),
            mock.patch.multiple(saving.manifest, build_manifest=mock.Mock(), write=mock.Mock()),
            self.assertRaisesRegex(InputError, "model: is there and is no export"),
        ):
            saving.save(model, self.path)
        self.holds("mine")

    def test_an_empty_folder_that_is_mounted(self):
        """It cannot be renamed, and nothing can be made beside it."""

        def mounted(function):
            def refusing(*paths, **given):
                if any(Path(str(path)).parent == self.folder for path in paths):
                    raise OSError(errno.EBUSY, "busy")
                return function(*paths, **given)

            return refusing

        def save(model, folder, signatures):
            (Path(folder) / "variables").mkdir()
            (Path(folder) / "saved_model.pb").touch()

        self.path.mkdir()
        model = mock.Mock(**{"signatures.return_value": {}})
        with (
            mock.patch.object(os, "rename", mounted(os.rename)),
            mock.patch.object(os, "mkdir", mounted(os.mkdir)),
            mock.patch("builtins.open", mounted(open)),
            mock.patch.object(tf.saved_model, "save", save),
            mock.patch.multiple(saving.manifest, build_manifest=mock.Mock(), write=mock.Mock()),
        ):
            saving.check(self.path, overwrite=False)
            saving.save(model, self.path)
        self.assertCountEqual(os.listdir(self.path), ["saved_model.pb", "variables"])

    def test_only_an_export_is_overwritten(self):
        saving.check(self.path, overwrite=False)
        self.path.mkdir()
        saving.check(self.path, overwrite=False)
        (self.path / "mine").touch()
        with self.assertRaisesRegex(InputError, "model: is there and is no export"):
            self.save(KeyboardInterrupt, overwrite=True)
        self.holds("mine")
        with self.assertRaisesRegex(InputError, "mine is a file; expected a folder"):
            saving.check(self.path / "mine", overwrite=True)
        self.make_export()
        saving.check(self.path, overwrite=True)
        with self.assertRaisesRegex(InputError, "model: exists; give --overwrite"):
            saving.check(self.path, overwrite=False)


if __name__ == "__main__":
    tf.test.main()
