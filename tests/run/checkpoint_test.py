import itertools
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from testing.pictures import PHOTOGRAPH

from nst_tf import InputError, Settings, State, Style
from nst_tf.losses.terms import Losses
from nst_tf.optimizers.base import Evaluation
from nst_tf.run import checkpoint, record
from nst_tf.run.memory_plan import ScalePlan
from nst_tf.run.progress import RunPlan

CONTENT = np.zeros((8, 8, 3), np.float32)
SETTINGS = Settings(size=64, steps=6)
EVALUATION = Evaluation(
    Losses(*map(tf.constant, (1.0, 0.5, 0.3, 0.2))), tf.constant(False), tf.constant(True)
)


FILM = {"pictures": np.arange(60, dtype=np.uint8).reshape(5, 2, 2, 3), "loss": np.float64([1, 2])}


def run_inputs(content=CONTENT, settings=SETTINGS, weights_sha256="known"):
    return record.run_inputs(content, [Style(CONTENT)], settings, weights_sha256=weights_sha256)


def state(step):
    """A state with an image that is larger than what a zip file reads at once."""
    image = np.random.default_rng(step).random((1, 20, 30, 3), np.float32)
    plan = RunPlan("float32", (ScalePlan(100, 3), ScalePlan(200, 2)))
    tensors = [image, np.float32([0, 1]), np.array(step, np.int32)]
    return State(1, step, plan, plan._replace(precision="bfloat16"), tensors, EVALUATION)


class CheckpointTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = Path(self.create_tempdir().full_path, "a run.ckpt")
        self.previous = Path(checkpoint.previous(str(self.path)))

    def save(self, step):
        checkpoint.save(str(self.path), state(step), run_inputs(), FILM)

    def load(self, **inputs):
        return checkpoint.load(str(self.path), run_inputs(**inputs))

    def assertIsOf(self, loaded, step):
        found, expected = loaded.state, state(step)
        self.assertEqual(found[:4], expected[:4])
        self.assertLen(found.tensors, len(expected.tensors))
        for one, other in zip(found.tensors, expected.tensors, strict=True):
            self.assertEqual((one.dtype, one.shape), (other.dtype, other.shape))
            self.assertEqual(one.tobytes(), other.tobytes())
        self.assertAllEqual(found.evaluation.losses, EVALUATION.losses)
        self.assertFalse(found.evaluation.accepted)
        self.assertAllEqual(loaded.film["pictures"], FILM["pictures"])
        self.assertAllEqual(loaded.film["loss"], FILM["loss"])

    def test_without_a_film(self):
        checkpoint.save(str(self.path), state(1), run_inputs())
        self.assertEmpty(self.load().film)

    def test_state_comes_back_to_the_last_bit(self):
        self.assertIsNone(self.load())
        self.save(1)
        self.save(2)
        self.assertIsOf(self.load(), 2)
        self.assertCountEqual(os.listdir(self.path.parent), [self.path.name, self.previous.name])

    def test_killed_between_renaming_the_old_and_the_new_file(self):
        self.save(1)
        os.rename(self.path, self.previous)
        with self.assertLogs("nst_tf", "WARNING"):
            self.assertIsOf(self.load(), 1)

    def test_every_truncated_file_is_refused(self):
        self.save(1)
        self.save(2)
        whole = self.path.read_bytes()
        end = len(whole) - 600
        for length in (*range(0, end, 331), *range(end, len(whole), 7)):
            self.path.write_bytes(whole[:length])
            with self.assertRaisesRegex(
                InputError, rf"is damaged, .*; give --checkpoint='{self.previous}', which is whole"
            ):
                self.load()
        os.replace(self.previous, self.path)
        self.assertIsOf(self.load(), 1)

    def test_every_flipped_bit_is_found_or_harmless(self):
        """Of the zip file's own fields, of NumPy's headers, and here and there of the rest."""
        self.save(2)
        whole = self.path.read_bytes()
        headers = [at for at in range(len(whole)) if whole.startswith(b"PK\3\4", at)]
        positions = [at for start in headers for at in range(start, start + 190)]
        positions = [*positions, *range(len(whole) - 400, len(whole)), *range(0, len(whole), 97)][
            ::2
        ]
        refused = 0
        for position, bit in zip(positions, itertools.cycle((0, 3, 6, 1, 4, 7, 2, 5))):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            self.path.write_bytes(damaged)
            try:
                found = self.load()
            except InputError as error:
                self.assertIn("is damaged", str(error))
                refused += 1
            else:
                self.assertIsOf(found, 2)
        # The rest are names, times and rights, which are not read.
        self.assertGreater(refused, 0.7 * len(positions))

    def test_both_damaged(self):
        for path in (self.path, self.previous):
            path.write_bytes(b"PK\3\4")
        with self.assertRaisesRegex(InputError, "is damaged, .* or start afresh without it"):
            self.load()

    def test_files_that_would_be_lost_are_not_overwritten(self):
        with self.assertRaisesRegex(InputError, "is another file, or a checkpoint of another"):
            checkpoint.check(str(PHOTOGRAPH), resume=False)
        checkpoint.check(str(self.path), resume=False)
        self.save(1)
        checkpoint.check(str(self.path), resume=True)
        with self.assertRaisesRegex(InputError, "is there already; give --resume"):
            checkpoint.check(str(self.path), resume=False)

    def test_a_name_that_is_too_long_for_the_one_before(self):
        with self.assertRaisesRegex(InputError, "previous: cannot be written .File name too long"):
            checkpoint.check(str(self.path.with_name("n" * 250)), resume=False)
        self.assertEmpty(os.listdir(self.path.parent))

    def test_of_another_run(self):
        self.save(1)
        settings = Settings(size=64, steps=5, content_weight=0.2)
        with self.assertRaisesRegex(
            InputError,
            r"\(steps=5 instead of 6; content_weight=0.2 instead of 0.085; another content; other "
            r"weights of the network\)",
        ):
            self.load(content=CONTENT + 1, settings=settings, weights_sha256="another")


if __name__ == "__main__":
    tf.test.main()
