import numpy as np
import tensorflow as tf

from nst_tf.losses.total_variation import mean_total_variation, total_variation


class TotalVariationTest(tf.test.TestCase):
    def test_checkerboard(self):
        board = np.indices((6, 5)).sum(0) % 2
        image = tf.repeat(tf.constant(board[None, ..., None], tf.float32), 3, -1)
        # 5·5 vertical and 6·4 horizontal pairs a channel, each differing by 1.
        self.assertAllEqual(total_variation(image), 3 * (5 * 5 + 6 * 4))
        self.assertAllEqual(mean_total_variation(image), 1)

    def test_value_and_gradient_are_those_of_the_formula(self):
        # Rounded, so that some neighbors are equal.
        pixels = np.round(np.random.default_rng(0).uniform(-1, 1, (2, 5, 7, 3)), 1)
        image = tf.constant(pixels, tf.float32)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(image)
            found = total_variation(image)
            expected = tf.reduce_sum(tf.image.total_variation(image))
        self.assertAllEqual(tape.gradient(found, image), tape.gradient(expected, image))
        differences = [np.abs(np.diff(pixels, axis=axis)).ravel() for axis in (1, 2)]
        self.assertAllClose(found, np.concatenate(differences).sum())
        self.assertAllClose(mean_total_variation(image), np.concatenate(differences).mean())


if __name__ == "__main__":
    tf.test.main()
