import tracemalloc

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from nst_tf.images.pixels import resize, to_float, to_uint

RANDOM = np.random.default_rng(0)


class ConversionTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(np.uint8, np.uint16)
    def test_every_level_round_trips(self, dtype):
        levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
        floats = to_float(levels)
        self.assertEqual(floats.dtype, np.float32)
        self.assertAllClose(floats, np.linspace(0, 1, len(levels)), atol=1e-7)
        self.assertAllEqual(to_uint(floats, dtype), levels)

    @parameterized.parameters((np.uint8, 255), (np.uint16, 65535))
    def test_clamps_and_rounds_half_up(self, dtype, top):
        values = np.array([-1, -1e-9, 0.49, 0.5, 1.49, 1.5, 2.5, top - 0.51, top - 0.5, 1e9])
        found = to_uint(values / top, dtype)
        self.assertEqual(found.dtype, dtype)
        self.assertAllEqual(found, [0, 0, 0, 1, 1, 2, 3, top - 1, top, top])

    def test_no_more_than_one_copy_in_floats_is_made(self):
        floats = RANDOM.random((400, 500, 3), np.float32)
        for function, argument in (
            (lambda x: to_uint(x, np.uint8), floats),
            (to_float, to_uint(floats, np.uint8)),
        ):
            tracemalloc.start()
            function(argument)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            self.assertBetween(peak, floats.nbytes, 1.3 * floats.nbytes)


class ResizeTest(tf.test.TestCase):
    def test_same_size_is_the_same_tensor(self):
        # Out of range, so that even clipping would show.
        image = tf.constant(RANDOM.normal(size=(6, 5, 3)), tf.float32)
        self.assertIs(resize(image, 6, 5), image)
        self.assertAllEqual(resize(image.numpy(), 6, 5), image)

    def test_clips_what_bicubic_overshoots(self):
        step = np.zeros((8, 8, 3), np.float32)
        step[:, 4:] = 1
        unclipped = tf.image.resize(step, (16, 16), "bicubic", antialias=True)
        self.assertGreater(np.ptp(unclipped), 1.02)
        self.assertAllEqual(resize(step, 16, 16), np.clip(unclipped, 0, 1))

    def test_antialias(self):
        # Every other column white: without antialiasing every fifth column would stay as it is.
        stripes = np.zeros((60, 60, 3), np.float32)
        stripes[:, ::2] = 1
        resized = resize(stripes, 12, 12)
        self.assertAllClose(resized[:, 2:-2], np.full((12, 8, 3), 0.5), atol=0.1)

    def test_in_a_function_of_unknown_size(self):
        size = tf.TensorSpec([], tf.int32)
        images = tf.TensorSpec([None, None, None, 3], tf.float32)
        batch = RANDOM.random((2, 6, 5, 3), np.float32)
        dynamic = tf.function(resize, input_signature=[images, size, size])
        self.assertAllClose(dynamic(batch, 4, 9), [resize(image, 4, 9) for image in batch])
        self.assertAllClose(dynamic(batch, 6, 5), batch, atol=1e-6)


if __name__ == "__main__":
    tf.test.main()
