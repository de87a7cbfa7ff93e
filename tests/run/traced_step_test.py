import tensorflow as tf

from nst_tf.losses.terms import Losses
from nst_tf.losses.tiles import MIN_TILE_PIXELS
from nst_tf.optimizers.adam import Adam
from nst_tf.run.traced_step import Step


class LimitedObjective:
    """An objective on a device whose memory is enough for so many pixels."""

    targets = ()

    def __init__(self, max_tile_pixels, limit):
        self.tiled = max_tile_pixels < 10**6
        self._fits = max_tile_pixels <= limit

    def with_targets(self, targets):
        return self

    def value_and_grad(self, image):
        if not self._fits:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        total = tf.reduce_sum(tf.square(image))
        return Losses(total, total, total, total), 2 * image


class StepTest(tf.test.TestCase):
    def step(self, limit):
        self.built = []

        def build(max_tile_pixels):
            self.built.append(max_tile_pixels)
            return LimitedObjective(max_tile_pixels, limit)

        optimizer = Adam(0.1, 0.9, 0.99, 1e-8)
        step = Step(optimizer, build, float("inf"), {}, jit_compile=False)
        return step, optimizer.init(tf.ones([1, 1000, 1000, 3]))

    def test_out_of_memory_is_tried_again_with_smaller_tiles(self):
        step, state = self.step(limit=300_000)
        with self.assertLogs("nst_tf", "WARNING") as logs:
            state, evaluation = step(state)
        self.assertEqual(self.built, [float("inf"), 500_000, 250_000])
        self.assertEqual(step.max_tile_pixels, 250_000)
        self.assertLen(logs.output, 2)
        self.assertIn("out of memory; continuing with tiles of at most 250000", logs.output[-1])
        self.assertAllClose(evaluation.losses.total, 3e6)
        self.assertAllClose(state.image, 0.9 * tf.ones([1, 1000, 1000, 3]), atol=1e-5)
        step(state)
        self.assertLen(self.built, 3)

    def test_gives_up_at_the_smallest_tiles(self):
        step, state = self.step(limit=0)
        with (
            self.assertLogs("nst_tf", "WARNING"),
            self.assertRaises(tf.errors.ResourceExhaustedError),
        ):
            step(state)
        self.assertEqual(self.built[-1], MIN_TILE_PIXELS)


if __name__ == "__main__":
    tf.test.main()
