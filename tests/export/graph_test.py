import tensorflow as tf
from testing.networks import LAYERS, small_network

from nst_tf import Settings
from nst_tf.export.graph import stylize_graph
from nst_tf.losses.objective import Weights


class GraphTest(tf.test.TestCase):
    def test_losses_that_are_not_finite_are_an_error(self):
        settings = Settings(size=0, scales=1, precision="float32", **LAYERS)
        content, style = tf.random.stateless_uniform([2, 1, 32, 40, 3], seed=(0, 0))
        inputs = dict(
            steps=tf.constant(2), weights=Weights(tf.constant(0.1), 1.0, tf.constant(0.0))
        )

        def stylize(factor):
            def network(image):
                return tf.nest.map_structure(lambda layer: factor * layer, small_network()(image))

            return stylize_graph(network, content, style, settings, **inputs)

        totals = stylize(1.0).totals
        self.assertLess(totals[1], totals[0])
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "losses: are not finite"):
            stylize(float("nan"))


if __name__ == "__main__":
    tf.test.main()
