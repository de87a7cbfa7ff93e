import io
import os
import sys
from unittest import mock

import numpy as np
import tensorflow as tf
from PIL import Image
from testing.runs import fake_run
from testing.scripts import ScriptTest, file_size_limit

from nst_tf import Progress
from nst_tf.callbacks import tensorboard
from nst_tf.callbacks.base import notify
from nst_tf.callbacks.tensorboard import TensorBoard


def read(folder):
    """What the event file holds: by tag and plugin, for each step the array."""
    (name,) = os.listdir(folder)
    found: dict = {}
    for record in tf.data.TFRecordDataset(os.path.join(folder, name)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            plugin = value.metadata.plugin_data.plugin_name
            found.setdefault((value.tag, plugin), {})[event.step] = tf.make_ndarray(value.tensor)
    return found


class CheckTest(ScriptTest):
    def test_events_of_another_run_are_refused_unless_it_is_resumed(self):
        folder = self.folder / "new"
        tensorboard.check(folder, resume=False)
        list(notify(fake_run([1.0]), [TensorBoard(folder, every=1)]))
        with self.refused(f"tensorboard_dir={folder}: has the events of another run"):
            tensorboard.check(folder, resume=False)
        tensorboard.check(folder, resume=True)

    def test_a_folder_of_folders_of_runs_is_free(self):
        list(notify(fake_run([1.0]), [TensorBoard(self.folder / "1", every=1)]))
        tensorboard.check(self.folder, resume=False)

    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "file").touch()
        with self.refused("file is a file; expected a folder"):
            tensorboard.check(self.folder / "file" / "below", resume=False)


class CommandTest(ScriptTest):
    def test_the_program_beside_this_python(self):
        program = self.folder / "tensorboard"
        with mock.patch.object(sys, "executable", str(self.folder / "python")):
            self.assertEqual(tensorboard.command("runs/1"), "tensorboard --logdir=runs/1")
            program.touch(0o755)
            self.assertEqual(tensorboard.command("my runs"), f"{program} '--logdir=my runs'")


class TensorBoardTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def test_events_hold_losses_seconds_and_pictures(self):
        run = fake_run([9.0, 8.0, 7.0, 6.0], [5.0, 7.0, 4.0], rejected=(5,), size=(16, 24))
        run = list(notify(run, [TensorBoard(self.folder, every=3)]))
        found = read(self.folder)
        terms = run[0].losses._fields
        expected = [("seconds", "scalars"), *((f"loss/{term}", "scalars") for term in terms)]
        self.assertEqual([*found], [*expected, ("picture", "images")])
        self.assertEqual([*found[expected[0]]], [*range(7)])
        for term in terms:
            losses = {n: p.losses._asdict()[term] for n, p in enumerate(run) if p.accepted}
            self.assertEqual(found[f"loss/{term}", "scalars"], losses)
        pictures = found["picture", "images"]
        self.assertEqual([*pictures], [2, 5, 6])
        width, height, png = pictures[6]
        self.assertEqual((width, height), (b"24", b"16"))
        with Image.open(io.BytesIO(png)) as opened:
            self.assertAllClose(np.asarray(opened) / 255, run[-1].image(), atol=0.003)

    def test_folder_whose_name_is_not_utf8(self):
        folder = os.fsencode(self.folder) + b"/caf\xe9"
        list(notify(fake_run([1.0]), [TensorBoard(os.fsdecode(folder), every=1)]))
        self.assertIn(("seconds", "scalars"), read(folder))

    def test_full_disk_does_not_stop_the_run(self):
        """Also where a picture is too large for TensorFlow to report that it was not written."""
        callback = TensorBoard(self.folder, every=1)
        noise = np.random.default_rng(0).random((96, 96, 3), np.float32)
        picture = mock.patch.object(Progress, "image", lambda _: noise)
        with picture, file_size_limit(10_000), self.assertLogs("nst_tf", "WARNING") as logs:
            self.assertLen(list(notify(fake_run([1.0] * 4), [callback])), 4)
        (line,) = logs.output
        self.assertRegex(line, r"tensorboard_dir=.*: cannot be written \(/.*; File too large")

    def test_folder_that_has_become_unwritable_does_not_stop_the_run(self):
        callback = TensorBoard(f"{self.create_tempfile().full_path}/below", every=1)
        with self.assertLogs("nst_tf", "WARNING") as logs:
            self.assertLen(list(notify(fake_run([1.0] * 4), [callback])), 4)
        (line,) = logs.output
        self.assertRegex(line, r"tensorboard_dir=.*: cannot be written \(/")

    def test_nothing_is_written_before_the_first_step(self):
        list(notify(iter(()), [TensorBoard(self.folder, every=1)]))
        self.assertEmpty(os.listdir(self.folder))


if __name__ == "__main__":
    tf.test.main()
