"""Tests of nst_tf.images.cutout."""

import unittest

import numpy as np

from nst_tf.images.cutout import apply_to_visible, crop_to_visible, fill_hidden, on_white


class CropToVisibleTest(unittest.TestCase):
    def test_the_rectangle_around_all_that_is_visible(self):
        rgb = np.random.default_rng(0).random((20, 30, 3), np.float32)
        alpha = np.zeros((20, 30), np.float32)
        alpha[3, 12] = alpha[8, 5] = 0.1
        np.testing.assert_array_equal(crop_to_visible(rgb, alpha), rgb[3:9, 5:13])
        for opaque in (np.ones((20, 30)), None):
            np.testing.assert_array_equal(crop_to_visible(rgb, opaque), rgb)


class FillHiddenTest(unittest.TestCase):
    def test_hidden_colors_are_gone_and_visible_ones_as_they_were(self):
        generator = np.random.default_rng(0)
        rgb = generator.uniform(0.3, 0.6, (41, 70, 3)).astype(np.float32)
        alpha = np.zeros((41, 70), np.float32)
        alpha[10:30, 20:50] = 1
        loud = np.where(alpha[..., np.newaxis] > 0, rgb, np.float32([0, 1, 0]))

        filled = fill_hidden(loud, alpha).numpy()

        np.testing.assert_array_equal(filled[alpha > 0], rgb[alpha > 0])
        self.assertGreater(filled.min(), 0.3 - 1e-5)
        self.assertLess(filled.max(), 0.6 + 1e-5)

    def test_the_nearest_colors_count_most(self):
        rgb = np.zeros((64, 64, 3), np.float32)
        rgb[:, :32], rgb[:, 32:] = 0.2, 0.8
        alpha = np.zeros((64, 64), np.float32)
        alpha[:, :16] = alpha[:, 48:] = 1

        filled = fill_hidden(rgb, alpha).numpy()

        self.assertLess(filled[:, 17].max(), 0.35)
        self.assertGreater(filled[:, 46].min(), 0.65)

    def test_an_opaque_picture_is_unchanged(self):
        rgb = np.random.default_rng(0).random((9, 13, 3), np.float32)

        filled = fill_hidden(rgb, np.ones((9, 13), np.float32)).numpy()

        np.testing.assert_array_equal(filled, rgb)


class VisibleTest(unittest.TestCase):
    def setUp(self):
        self.image = np.random.default_rng(0).random((1, 40, 60, 3), np.float32)
        self.alpha = np.zeros((40, 60), np.float32)

    def apply(self, alpha, min_side=8):
        shapes = []

        def invert(image):
            shapes.append(tuple(image.shape))
            return 1 - image

        return apply_to_visible(invert, self.image, alpha, min_side), shapes

    def test_a_function_sees_the_visible_rectangle_and_the_rest_stays(self):
        self.alpha[10:30, 20:50] = 1
        found, shapes = self.apply(self.alpha)
        self.assertEqual(shapes, [(1, 20, 30, 3)])
        expected = self.image.copy()
        expected[:, 10:30, 20:50] = 1 - expected[:, 10:30, 20:50]
        np.testing.assert_array_equal(found, expected)

    def test_the_rectangle_is_as_large_as_is_needed(self):
        self.alpha[38, 58] = 1
        found, shapes = self.apply(self.alpha, min_side=16)
        self.assertEqual(shapes, [(1, 16, 16, 3)])
        self.assertTrue((found != self.image)[0, 24:, 44:].all())

    def test_all_of_an_opaque_image_is_seen(self):
        for alpha in (None, np.ones((4, 6), np.float32)):
            np.testing.assert_array_equal(self.apply(alpha)[0], 1 - self.image)

    def test_on_white(self):
        self.alpha[:, :30], self.alpha[:, 30] = 1, 0.5
        found = on_white(self.image[0], self.alpha)
        np.testing.assert_array_equal(found[:, :30], self.image[0, :, :30])
        np.testing.assert_allclose(found[:, 30], (1 + self.image[0, :, 30]) / 2, rtol=1e-6)
        self.assertTrue((found[:, 31:] == 1).all())


if __name__ == "__main__":
    unittest.main()
