import os
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, Settings, Style, files, optimize
from nst_tf.run import checkpoint, record

KNOBS = Settings(size=64, scales=2, steps=6)


class CheckpointTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 64, 64)
        self.styles = [Style(cut(PAINTING, 64, 64))]
        self.task = record.task(self.content, self.styles, KNOBS, weights="known")
        self.path = str(Path(self.create_tempdir().full_path) / "run.ckpt")

    def paint(self, **options):
        return optimize(self.content, self.styles, KNOBS, **options)

    def saved(self):
        """A checkpoint in the middle of a run, with the one before it."""
        for progress in self.paint():
            state = progress.state()
            checkpoint.save(self.path, state, self.task)
            if (state.scale, state.step) == (1, 2):
                return state

    def test_the_state_comes_back_to_the_last_bit(self):
        state = self.saved()
        back = checkpoint.load(self.path, self.task)
        self.assertEqual(
            (back.scale, back.step, record.decided(back.decided), record.decided(back.begun)),
            (state.scale, state.step, record.decided(state.decided), record.decided(state.begun)),
        )
        self.assertEqual(
            [float(x) for x in back.seen.losses], [float(x) for x in state.seen.losses]
        )
        self.assertLen(back.tensors, len(state.tensors))
        for one, other in zip(back.tensors, state.tensors, strict=True):
            self.assertEqual(one.dtype, other.numpy().dtype)
            self.assertEqual(one.tobytes(), other.numpy().tobytes())

    def test_a_run_goes_on_from_the_file_to_the_same_bits(self):
        *_, last = self.paint()
        self.saved()
        *_, resumed = self.paint(resume=checkpoint.load(self.path, self.task))
        self.assertEqual(resumed.image().tobytes(), last.image().tobytes())

    def test_written_when_it_is_time_and_at_the_end(self):
        with mock.patch.object(checkpoint, "save", wraps=checkpoint.save) as save:
            passed = list(checkpoint.keep(self.paint(), self.path, self.task, every=1e6))
            self.assertEqual(save.call_count, 1)
            list(checkpoint.keep(self.paint(), self.path, self.task, every=0))
            self.assertEqual(save.call_count, 1 + len(passed))
        self.assertEqual(checkpoint.load(self.path, self.task).step, passed[-1].steps[-1])

    def test_none_yet(self):
        self.assertIsNone(checkpoint.load(self.path, self.task))

    def test_killed_between_putting_the_old_one_aside_and_the_new_one_in_place(self):
        self.saved()
        os.unlink(self.path)
        self.assertEqual(checkpoint.load(self.path, self.task).step, 1)

    def test_cut_short_anywhere(self):
        self.saved()
        whole = Path(self.path).read_bytes()
        for length in range(0, len(whole), 1000):
            Path(self.path).write_bytes(whole[:length])
            with self.assertRaisesRegex(
                InputError,
                r"run.ckpt: is damaged; give --checkpoint=\S+run.ckpt.previous, which is",
            ):
                checkpoint.load(self.path, self.task)
        self.assertEqual(checkpoint.load(self.path + ".previous", self.task).step, 1)

    def test_a_bit_flipped_anywhere(self):
        self.saved()
        whole = bytearray(Path(self.path).read_bytes())
        for at in np.random.default_rng(0).integers(len(whole) * 8, size=200):
            damaged = whole.copy()
            damaged[at // 8] ^= 1 << (at % 8)
            Path(self.path).write_bytes(damaged)
            with self.assertRaisesRegex(
                InputError, r"(is damaged|is no checkpoint of .*); give --checkpoint=\S+.previous"
            ):
                checkpoint.load(self.path, self.task)

    def test_both_damaged(self):
        self.saved()
        for path in (self.path, self.path + ".previous"):
            with open(path, "r+b") as file:
                file.truncate(5000)
        with self.assertRaisesRegex(InputError, "is damaged; give another --checkpoint, or start"):
            checkpoint.load(self.path, self.task)

    def test_what_would_be_lost_is_not_overwritten(self):
        with self.assertRaisesRegex(InputError, "is another file, no checkpoint; give another"):
            checkpoint.check(str(PHOTOGRAPH), resume=False)
        self.saved()
        checkpoint.check(self.path, resume=True)
        with self.assertRaisesRegex(InputError, "is there already; give --resume to go on from it"):
            checkpoint.check(self.path, resume=False)

    def test_a_foreign_file(self):
        Path(self.path).write_bytes(PHOTOGRAPH.read_bytes())
        with self.assertRaisesRegex(InputError, "is no checkpoint of this version of nst_tf"):
            checkpoint.load(self.path, self.task)

    def test_of_another_run(self):
        self.saved()
        other = Settings(size=64, scales=2, steps=5, content_weight=0.2)
        task = record.task(self.content[::-1], self.styles, other, weights="another")
        with self.assertRaisesRegex(
            InputError,
            f"steps=5 instead of 6; content_weight=0.2 instead of {KNOBS.content_weight}; another "
            "content; "
            "other weights of the network",
        ):
            checkpoint.load(self.path, task)

    def test_a_full_disk_stops_neither_the_run_nor_spoils_the_last_file(self):
        self.saved()
        before = Path(self.path).read_bytes()
        # Only the device that is always full says so in the middle of writing.
        full = mock.patch.object(
            files.os, "fdopen", lambda descriptor, mode: open("/dev/full", mode)
        )
        with full, self.assertLogs("nst_tf", "WARNING") as logs:
            run = list(checkpoint.keep(self.paint(), self.path, self.task, every=0))
        self.assertLen(run, sum(run[0].steps))
        self.assertIn("cannot be written (No space left on device)", logs.output[0])
        self.assertIn("; painting on", logs.output[0])
        self.assertLen(logs.output, 1)
        self.assertEqual(Path(self.path).read_bytes(), before)
        self.assertLen(os.listdir(Path(self.path).parent), 2)


if __name__ == "__main__":
    tf.test.main()
