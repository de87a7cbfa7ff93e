import tensorflow as tf

from nst_tf.losses import guides


class GuidesTest(tf.test.TestCase):
    def test_averages_over_area_and_is_1_on_average(self):
        mask = tf.constant([[1.0, 0, 0, 0], [1, 1, 0, 0]])[tf.newaxis, ..., tf.newaxis]
        found = guides.from_mask(mask, {"a": (1, 2), "b": (2, 4)})
        self.assertAllClose(found["a"][0, :, :, 0], [[2.0, 0.0]])
        self.assertAllClose(found["b"], mask * 8 / 3)
        self.assertEqual(guides.from_mask(None, {"a": (1, 2)}), {})


if __name__ == "__main__":
    tf.test.main()
