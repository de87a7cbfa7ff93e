import tensorflow as tf

from nst_tf.losses.terms import Losses
from nst_tf.losses.tiles import MIN_TILE_PIXELS
from nst_tf.optimizers.adam import Adam
from nst_tf.run.step import Step

TOO_MUCH = tf.errors.ResourceExhaustedError(None, None, "out of memory")


class Bowl:
    """An objective whose device holds only so many pixels."""

    targets = ()

    def __init__(self, most, enough):
        self.tiled = most < 10**6
        self._fits = most <= enough

    def with_targets(self, targets):
        return self

    def value_and_grad(self, image):
        if not self._fits:
            raise TOO_MUCH
        total = tf.reduce_sum(tf.square(image))
        return Losses(total, total, total, total), 2 * image


class StepTest(tf.test.TestCase):
    def step(self, enough):
        self.asked = []

        def build(most):
            self.asked.append(most)
            return Bowl(most, enough)

        optimizer = Adam(0.1, 0.9, 0.99, 1e-8)
        step = Step(optimizer, build, float("inf"), {}, jit=False)
        return step, optimizer.init(tf.ones([1, 1000, 1000, 3]))

    def test_out_of_memory_is_tried_again_with_smaller_tiles(self):
        step, state = self.step(enough=300_000)
        with self.assertLogs("nst_tf", "WARNING") as logs:
            state, evaluation = step(state)
        self.assertEqual(self.asked, [float("inf"), 500_000, 250_000])
        self.assertLen(logs.output, 2)
        self.assertIn(
            "out of memory; going on with tiles of at most 250000 pixels", logs.output[-1]
        )
        self.assertAllClose(evaluation.losses.total, 3e6)
        self.assertAllClose(state.image, 0.9 * tf.ones([1, 1000, 1000, 3]), atol=1e-5)
        step(state)
        self.assertLen(self.asked, 3)

    def test_gives_up_at_the_smallest_tiles(self):
        step, state = self.step(enough=0)
        with (
            self.assertLogs("nst_tf", "WARNING"),
            self.assertRaises(tf.errors.ResourceExhaustedError),
        ):
            step(state)
        self.assertEqual(self.asked[-1], MIN_TILE_PIXELS)


if __name__ == "__main__":
    tf.test.main()
