"""A run that goes on from a state is the run that was never left."""

from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings, Style, optimize
from nst_tf.losses import tiles

SMALL = dict(size=96, scales=2, steps=4)


def as_stored(state):
    """The state as a file would hold it."""
    return state._replace(tensors=[np.array(tensor) for tensor in state.tensors])


class ResumeTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 96, 128)
        self.styles = [Style(cut(PAINTING, 90, 70))]

    def paint(self, settings, **options):
        return optimize(self.content, self.styles, settings, **options)

    @parameterized.product(optimizer=["adam", "lbfgs"], precision=["bfloat16", "float32"])
    def test_from_every_step_to_the_same_bits(self, **knobs):
        settings = Settings(**SMALL, init="noise", **knobs)
        run = [
            (p.image(), float(p.losses.total), as_stored(p.state())) for p in self.paint(settings)
        ]
        for index, (*_, state) in enumerate(run):
            rest = [(p.image(), float(p.losses.total)) for p in self.paint(settings, resume=state)]
            # From the end there is nothing to do but to tell how it ended.
            expected = run[index + 1 :] or run[-1:]
            self.assertLen(rest, len(expected))
            for (image, total), (image_then, total_then, _) in zip(rest, expected, strict=True):
                self.assertEqual(total, total_then)
                self.assertEqual(image.tobytes(), image_then.tobytes())

    def test_in_the_tiles_that_the_run_began_with(self):
        settings = Settings(size=330, scales=1, steps=2, history=3)
        self.content = cut(PHOTOGRAPH, 200, 330)
        with mock.patch.object(tiles, "MAX_TILE_PIXELS", 50_000):
            first, last = ((p.image(), as_stored(p.state())) for p in self.paint(settings))
        (rest,) = self.paint(settings, resume=first[1])
        self.assertEqual(rest.state().decided.plans[0].tiles, 2)
        self.assertEqual(rest.image().tobytes(), last[0].tobytes())

    def test_a_progress_keeps_no_history_alive(self):
        run = list(self.paint(Settings(**SMALL)))
        states = {id(p.state().tensors[0]) for p in run}
        self.assertLen(states, 1)


if __name__ == "__main__":
    tf.test.main()
