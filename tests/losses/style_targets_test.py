import numpy as np
import tensorflow as tf

from nst_tf.losses import style_targets, terms
from nst_tf.losses.gram import gram_matrix, gram_statistic
from nst_tf.losses.style_targets import StyleImage

GRAM = gram_statistic(terms.target_energies)


def network(image):
    """Pixels, and means of four, for features."""
    halves = tf.nn.avg_pool2d(image, 2, 2, "VALID")
    return {"style": {"pixels": image, "halves": halves}, "content": {}}


def compute(*style_images, **options):
    return style_targets.compute_style_targets(network, style_images, GRAM, **options)


def random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).random(shape, np.float32))


class StyleTargetsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.first, self.second, self.third = (
            random(1, height, 6, 3, seed=height) for height in (4, 5, 8)
        )
        self.mask, self.other_mask = random(1, 7, 9, 1), random(1, 7, 9, 1, seed=1)

    def test_style_images_of_one_mask_are_mixed_by_weight(self):
        masked, other, everywhere = compute(
            StyleImage(self.first, 3.0, mask=self.mask),
            StyleImage(self.second, 2.0, mask=self.other_mask),
            StyleImage(self.third, 1.0, mask=self.mask),
            StyleImage(self.third, 4.0),
        )
        self.assertEqual([masked.weight, other.weight, everywhere.weight], [0.4, 0.2, 0.4])
        self.assertIs(masked.mask, self.mask)
        self.assertIs(other.mask, self.other_mask)
        self.assertIsNone(everywhere.mask)
        expected = 0.75 * gram_matrix(self.first) + 0.25 * gram_matrix(self.third)
        self.assertAllClose(masked.statistics["pixels"], expected)
        self.assertAllClose(everywhere.statistics["pixels"], gram_matrix(self.third))

    def test_a_layer_is_of_the_style_images_that_have_it(self):
        (found,) = compute(
            StyleImage(self.first, layers=["pixels", "halves"]),
            StyleImage(self.second, layers=["pixels"]),
        )
        first, second = (network(image)["style"] for image in (self.first, self.second))
        expected = (gram_matrix(first["pixels"]) + gram_matrix(second["pixels"])) / 2
        self.assertAllClose(found.statistics["pixels"], expected)
        self.assertAllClose(found.statistics["halves"], gram_matrix(first["halves"]))

    def test_without_weight_it_is_left_out(self):
        (found,) = compute(StyleImage(self.first), StyleImage(self.second, 0.0, mask=self.mask))
        self.assertAllEqual(found.statistics["pixels"], gram_matrix(self.first))
        self.assertEqual((found.weight, found.mask), (1.0, None))

    def test_a_region_is_the_part_that_counts(self):
        region = np.zeros([1, 8, 6, 1], np.float32)
        region[:, :4, 2:] = 1
        (found,) = compute(StyleImage(self.third, region=tf.constant(region)))
        for name, layer in network(self.third[:, :4, 2:])["style"].items():
            self.assertAllClose(found.statistics[name], gram_matrix(layer), rtol=1e-5)

    def test_statistics_are_cached_by_key_and_number_of_pixels(self):
        cache = {}
        for image in (self.first, self.third):
            compute(StyleImage(image, cache_key="a"), cache=cache)
        compute(StyleImage(self.second), cache=cache)
        self.assertEqual([*cache], [("a", 24), ("a", 48)])
        # As many pixels, which are not evaluated.
        again = StyleImage(tf.zeros_like(self.first), layers=["pixels"], cache_key="a")
        (found,) = compute(again, cache=cache)
        self.assertAllEqual(found.statistics["pixels"], gram_matrix(self.first))


if __name__ == "__main__":
    tf.test.main()
