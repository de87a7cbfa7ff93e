import numpy as np
import tensorflow as tf

from nst_tf.networks.quantized_conv import Conv, blocked_conv2d, dequantize


class ConvolutionTest(tf.test.TestCase):
    def test_blocked_convolution_equals_the_plain_one(self):
        random = np.random.default_rng(0)
        x, kernel = random.random((2, 20, 28, 5)), random.random((9, 9, 5, 3))
        expected = tf.nn.conv2d(x, kernel, 1, "VALID")
        found = blocked_conv2d(x, tf.constant(kernel), [1, 1, 1, 1], "VALID")
        self.assertAllClose(found, expected)

    def test_int8_weights_count_with_the_scale_of_their_output_channel(self):
        random = np.random.default_rng(0)
        stored = {
            "conv/weights": np.int8(random.integers(-128, 128, (3, 3, 2, 4))),
            "conv/weights.scale": np.float32([1, 2, 3, 4]),
            "depthwise/weights": np.int8(random.integers(-128, 128, (3, 3, 2, 1))),
            "depthwise/weights.scale": np.float32([1, 2]),
            "conv/bias": np.float32([0, 1, 2, 3]),
        }
        floats = dequantize(stored)
        self.assertEqual(set(floats), {"conv/weights", "depthwise/weights", "conv/bias"})
        self.assertAllEqual(floats["conv/weights"][..., 3], 4.0 * stored["conv/weights"][..., 3])
        depthwise = stored["depthwise/weights"][:, :, 1]
        self.assertAllEqual(floats["depthwise/weights"][:, :, 1], 2.0 * depthwise)
        x = tf.constant(random.random((1, 8, 8, 2)), tf.float32)
        for scope, convolve in (("conv", tf.nn.conv2d), ("depthwise", tf.nn.depthwise_conv2d)):
            found, expected = (Conv(each, scope, convolve=convolve)(x) for each in (stored, floats))
            self.assertAllEqual(found, expected)


if __name__ == "__main__":
    tf.test.main()
