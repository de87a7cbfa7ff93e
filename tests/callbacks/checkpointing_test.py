import errno
import os
from unittest import mock

from absl.testing import absltest, parameterized
from testing.runs import fake_run

from nst_tf import InputError
from nst_tf.callbacks import checkpointing
from nst_tf.callbacks.base import notify
from nst_tf.run import checkpoint

INPUTS = {"settings": {}}


class CheckpointingTest(parameterized.TestCase):
    @parameterized.product(
        seconds_and_steps=((0.0, [*range(8)]), (25.0, [2, 5, 7]), (1e6, [7])),
        error=(None, InputError("full")),
    )
    def test_when_seconds_have_passed_and_at_the_end(self, seconds_and_steps, error):
        """Also after one that could not be written."""
        seconds, expected = seconds_and_steps
        film = mock.Mock(**{"arrays.return_value": {"frames": 1}})
        clock, saved = mock.Mock(return_value=0.0), []

        def save(path, state, inputs, film, *, rescue):
            self.assertEqual((film, rescue), ({"frames": 1}, False))
            saved.append((clock.return_value / 10 - 1, path, state, inputs))
            if error:
                raise error

        def run():
            for progress in fake_run([1.0] * 8):
                clock.return_value += 10.0
                yield progress

        with (
            mock.patch.object(checkpointing, "monotonic", clock),
            mock.patch.object(checkpoint, "save", save),
        ):
            callback = checkpointing.Checkpointing("run.ckpt", INPUTS, seconds, film)
            *_, last = notify(run(), [callback])
        state = last.state()
        self.assertEqual(saved, [(step, "run.ckpt", state, INPUTS) for step in expected])

    def test_a_full_disk_fills_no_other(self):
        folder, temporary = self.create_tempdir().full_path, self.create_tempdir().full_path
        callback = checkpointing.Checkpointing(f"{folder}/run.ckpt", INPUTS, 0.0)
        with (
            mock.patch("os.fsync", side_effect=[OSError(errno.ENOSPC, "full"), None]),
            mock.patch("tempfile.gettempdir", lambda: temporary),
            self.assertLogs("nst_tf", "WARNING") as logs,
        ):
            list(notify(fake_run([1.0]), [callback]))
        self.assertIn("run.ckpt: cannot be written (full)", logs.output[0])
        self.assertEqual((os.listdir(folder), os.listdir(temporary)), ([], []))


if __name__ == "__main__":
    absltest.main()
