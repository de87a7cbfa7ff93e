"""A resumed run continues as if it had never stopped."""

import functools
from dataclasses import replace
from pathlib import Path
from unittest import mock

import tensorflow as tf
from absl.testing import parameterized
from testing.networks import LAYERS
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings, Style, optimize
from nst_tf.run import checkpoint, memory_plan, record
from nst_tf.run.session import Session

SETTINGS = Settings(**LAYERS, size=96, scales=2, steps=3)


class ResumeTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 96, 72)
        self.styles = [Style(cut(PAINTING, 70, 60))]
        self.session = Session()
        self.path = str(Path(self.create_tempdir().full_path, "run.ckpt"))

    def optimize(self, settings, resume=None):
        run = optimize(self.content, self.styles, settings, resume=resume, session=self.session)
        for progress in run:
            yield progress.image().tobytes(), float(progress.losses.total), progress.state()

    def through_a_file(self, settings, state):
        inputs = record.run_inputs(self.content, self.styles, settings, weights_sha256=None)
        checkpoint.save(self.path, state, inputs)
        return checkpoint.load(self.path, inputs).state

    @parameterized.product(optimizer=["adam", "lbfgs"], precision=["bfloat16", "float32"])
    def test_from_every_step_to_the_same_bits(self, optimizer, precision):
        settings = replace(SETTINGS, optimizer=optimizer, precision=precision, init="noise")
        run, states = [], []
        for *shown, state in self.optimize(settings):
            run.append(shown)
            states.append(self.through_a_file(settings, state))
        self.assertEqual([state.step for state in states], [1, 2, 3, 1])
        for index, state in enumerate(states):
            rest = [shown for *shown, _ in self.optimize(settings, resume=state)]
            # At its end a run has nothing to do but to show how it ended.
            self.assertEqual(rest, run[index + 1 :] or run[-1:])

    def test_in_the_tiles_that_the_run_began_with(self):
        settings = replace(SETTINGS, precision="float32", scales=1, steps=2)
        in_tiles = functools.partial(memory_plan.plan, max_tile_pixels=3000)
        with mock.patch.object(memory_plan, "plan", in_tiles):
            (*_, state), (*last, _) = self.optimize(settings)
        state = self.through_a_file(settings, state)
        ((*shown, state),) = self.optimize(settings, resume=state)
        self.assertLess(state.plan.scales[0].max_tile_pixels, 3000)
        self.assertEqual(shown, last)


if __name__ == "__main__":
    tf.test.main()
