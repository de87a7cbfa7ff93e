import io
import os
from unittest import mock

import numpy as np
import tensorflow as tf
from PIL import Image
from testing.runs import fake_run
from testing.scripts import file_size_limit

from nst_tf import InputError
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
            plugin = value.metadata.plugin_data.plugin_name, value.metadata.data_class
            found.setdefault((value.tag, *plugin), {})[event.step] = tf.make_ndarray(value.tensor)
    return found


class TensorBoardTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def test_events_hold_losses_seconds_and_pictures(self):
        run = fake_run([9.0, 8.0, 7.0, 6.0], [5.0, 7.0, 4.0], rejected=(5,), size=(16, 24))
        run = list(notify(run, [TensorBoard(self.folder, every=3)]))
        found = read(self.folder)
        terms = run[0].losses._fields
        expected = [("seconds", "scalars", 1), *((f"loss/{t}", "scalars", 1) for t in terms)]
        self.assertEqual([*found], [*expected, ("picture", "images", 3)])
        self.assertEqual([*found[expected[0]]], [*range(7)])
        for term in terms:
            losses = {n: p.losses._asdict()[term] for n, p in enumerate(run) if p.accepted}
            self.assertEqual(found[f"loss/{term}", "scalars", 1], losses)
        pictures = found["picture", "images", 3]
        self.assertEqual([*pictures], [2, 5, 6])
        width, height, png = pictures[6]
        self.assertEqual((width, height), (b"24", b"16"))
        with Image.open(io.BytesIO(png)) as opened:
            self.assertAllClose(np.asarray(opened) / 255, run[-1].image(), atol=0.003)

    def test_folder_whose_name_is_not_utf8(self):
        folder = os.fsencode(self.folder) + b"/caf\xe9"
        list(notify(fake_run([1.0]), [TensorBoard(os.fsdecode(folder), every=1)]))
        self.assertIn(("seconds", "scalars", 1), read(folder))

    def test_full_disk_does_not_stop_the_run(self):
        """Also where a picture is too large for TensorFlow to report that it was not written."""
        callback = TensorBoard(self.folder, every=1)
        encode = mock.patch.object(tensorboard.image_io, "encode", return_value=bytes(20_000))
        with encode, file_size_limit(10_000), self.assertLogs("nst_tf", "WARNING") as logs:
            self.assertLen(list(notify(fake_run([1.0] * 4), [callback])), 4)
        (line,) = logs.output
        self.assertRegex(line, r"tensorboard_dir=.*: cannot be written \(/.*; File too large")

    def test_folder_that_cannot_be_written(self):
        with self.assertRaisesRegex(InputError, r"tensorboard_dir=.*: cannot be written \(/"):
            TensorBoard(f"{self.create_tempfile().full_path}/below", every=1)


if __name__ == "__main__":
    tf.test.main()
