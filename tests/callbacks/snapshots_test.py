import errno
import os
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from testing.runs import fake_run
from testing.scripts import ScriptTest

from nst_tf.callbacks import snapshots
from nst_tf.callbacks.base import notify
from nst_tf.callbacks.snapshots import Snapshots
from nst_tf.images import image_io


class CheckTest(ScriptTest):
    def test_snapshots_of_another_run_are_refused_unless_it_is_resumed(self):
        folder = self.folder / "new"
        snapshots.check(folder, resume=False)
        list(notify(fake_run([1.0]), [Snapshots(folder, every=5)]))
        with self.refused(f"snapshots_dir={folder}: has the snapshots of another run"):
            snapshots.check(folder, resume=False)
        snapshots.check(folder, resume=True)

    def test_other_pictures_are_no_snapshots(self):
        (self.folder / "photo.png").touch()
        snapshots.check(self.folder, resume=False)


class SnapshotsTest(parameterized.TestCase):
    def test_every_nth_step_and_the_last_of_each_scale(self):
        folder = Path(self.create_tempdir().full_path) / "new"
        list(notify(fake_run([1.0] * 12, [1.0] * 7, size=(16, 8)), [Snapshots(folder, every=5)]))
        expected = {"scale1_step00005": 4, "scale1_step00010": 9, "scale1_step00012": 11}
        expected |= {"scale2_step00005": 16, "scale2_step00007": 18}
        self.assertEqual({path.name for path in folder.iterdir()}, {f"{x}.png" for x in expected})
        for name, number in expected.items():
            found = image_io.read(folder / f"{name}.png").rgb
            shape = (8, 4, 3) if name.startswith("scale1") else (16, 8, 3)
            np.testing.assert_allclose(found, np.full(shape, number / 64), atol=0.003)

    def test_what_is_hidden_is_transparent(self):
        folder = Path(self.create_tempdir().full_path)
        alpha = np.eye(16, dtype=np.float32)
        list(notify(fake_run([1.0], size=(16, 16)), [Snapshots(folder, every=1, alpha=alpha)]))
        found = image_io.read(folder / "scale1_step00001.png").alpha
        np.testing.assert_array_equal(found, alpha)

    @parameterized.parameters("os.fsync", "os.replace")
    def test_a_full_disk_fills_no_other(self, function):
        folder, temporary = Path(self.create_tempdir().full_path), self.create_tempdir().full_path
        with (
            mock.patch(function, side_effect=[OSError(errno.ENOSPC, "full"), None]),
            mock.patch("tempfile.gettempdir", lambda: temporary),
            self.assertLogs("nst_tf", "WARNING") as logs,
        ):
            list(notify(fake_run([1.0] * 2), [Snapshots(folder, every=5)]))
        self.assertIn("scale1_step00002.png: cannot be written (full)", logs.output[0])
        self.assertEqual((os.listdir(folder), os.listdir(temporary)), ([], []))


if __name__ == "__main__":
    absltest.main()
