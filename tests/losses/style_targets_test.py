import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut

from nst_tf.losses import style_targets, terms, tiled_objective
from nst_tf.losses.objective import Objective
from nst_tf.losses.style_targets import Painting
from nst_tf.networks import vgg
from nst_tf.settings import Settings

STYLE_LOSSES = ("wasserstein", "gram")
LAYERS = dict(style_layers=("block1_conv1", "block3_conv1"), content_layers=("block2_conv2",))


def random(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


class GuidedGramTest(tf.test.TestCase):
    def test_equals_numpy(self):
        layer, guide = random(1, 4, 5, 3), random(1, 4, 5, 1)
        expected = np.einsum("bijc,bijd,bije->bcd", layer, layer, guide) / 20
        self.assertAllClose(terms.gram(tf.constant(layer), tf.constant(guide)), expected)

    def test_gradient_is_the_automatic_one(self):
        layer, guide = tf.constant(random(1, 4, 5, 3)), tf.constant(random(1, 4, 5, 1))
        weights = tf.constant(random(3, 3))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(layer)
            ours = tf.reduce_sum(weights * terms.gram(layer, guide))
            plain = tf.einsum("bijc,bijd,bij->bcd", layer, layer, guide[..., 0]) / 20
            theirs = tf.reduce_sum(weights * plain)
        self.assertAllClose(tape.gradient(ours, layer), tape.gradient(theirs, layer))


class GuidesTest(tf.test.TestCase):
    def test_are_areas_and_1_on_average(self):
        mask = tf.constant([[1.0, 0, 0, 0], [1, 1, 0, 0]])[tf.newaxis, ..., tf.newaxis]
        found = style_targets.guides(mask, {"deep": (1, 2), "flat": (2, 4)})
        self.assertAllClose(found["deep"][0, :, :, 0], [[2.0, 0.0]])
        self.assertAllClose(found["flat"][0, :, :, 0], np.float32(mask[0, :, :, 0]) * 8 / 3)

    def test_nothing_for_no_place(self):
        self.assertEqual(style_targets.guides(None, {"deep": (1, 2)}), {})


class PlacesTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.settings = Settings(**LAYERS)
        self.network = vgg.of(self.settings, "float32")
        self.content = cut(PHOTOGRAPH, 64, 96)[None]
        self.image = tf.constant(cut(SAMPLES / "content" / "honey_bee.jpg", 64, 96)[None])
        self.one, self.other = cut(PAINTING, 70, 80)[None], cut(PHOTOGRAPH, 50, 90)[None]
        left = np.zeros([1, 64, 96, 1], np.float32)
        left[:, :, :48] = 1
        self.left, self.right = tf.constant(left), tf.constant(1 - left)

    def value(self, *paintings, most=np.inf):
        build = tiled_objective.objective if most < np.inf else Objective
        objective = build(self.network, self.content, paintings, self.settings, most=most)
        return objective.value_and_grad(self.image)

    @parameterized.parameters(*STYLE_LOSSES)
    def test_a_place_has_the_loss_of_its_part_of_the_picture(self, style_loss):
        # Of the first layer, whose features look no further than one pixel.
        knobs = {"style_layers": ("block1_conv1",), "style_loss": style_loss}
        self.settings = Settings(**LAYERS | knobs)
        self.network = vgg.of(self.settings, "float32")
        value, gradient = self.value(Painting(self.one, place=self.left))
        part = self.network(self.image)["style"]["block1_conv1"][:, :, :48]
        painting = self.network(self.one)["style"]["block1_conv1"]
        if style_loss == "gram":
            found, asked = terms.gram(part), terms.gram(painting)
            expected = tf.reduce_sum((found - asked) ** 2) / tf.reduce_sum(asked**2)
        else:
            asked = terms.normal(terms.moments(painting))
            expected = terms.wasserstein(terms.moments(part), asked)
        self.assertAllClose(value.style, expected, rtol=1e-4)
        content = self.value(Painting(self.one, share=1.0))[1]
        self.assertGreater(tf.norm(gradient[:, :, :48]), 0)
        self.assertGreater(tf.norm(content[:, :, 60:]), 0)

    @parameterized.product(style_loss=STYLE_LOSSES, most=[np.inf, 2000])
    def test_everywhere_and_all_of_it_is_no_mask(self, style_loss, most):
        self.settings = Settings(**LAYERS, style_loss=style_loss)
        everywhere, all_of_it = tf.ones([1, 64, 96, 1]), tf.ones([1, 35, 40, 1])
        masked = Painting(self.one, place=everywhere, region=all_of_it)
        expected, gradient = self.value(Painting(self.one), most=most)
        found, masked_gradient = self.value(masked, most=most)
        self.assertAllClose(found, expected, rtol=1e-6, atol=0)
        self.assertLess(tf.norm(masked_gradient - gradient) / tf.norm(gradient), 1e-5)

    def test_paintings_of_places_count_by_their_shares(self):
        one, other = (
            self.value(Painting(self.one, place=self.left))[0].style,
            self.value(Painting(self.other, place=self.right))[0].style,
        )
        both, _ = self.value(
            Painting(self.one, 3.0, place=self.left), Painting(self.other, place=self.right)
        )
        self.assertAllClose(both.style, 0.75 * one + 0.25 * other, rtol=1e-5)

    def test_a_share_of_nothing_is_no_painting(self):
        alone = self.value(Painting(self.one))
        for place in (None, self.left):
            blend = self.value(Painting(self.one, 1.0), Painting(self.other, 0.0, place=place))
            self.assertAllEqual(alone[0].total, blend[0].total)
            self.assertAllEqual(alone[1], blend[1])

    def test_a_region_is_what_is_learnt_from(self):
        mask = np.zeros([1, 70, 80, 1], np.float32)
        mask[:, :, :40] = 1
        region = tf.constant(mask)
        part = self.network(self.one)["style"]["block1_conv1"][:, :, :40]
        for statistic in (terms.WASSERSTEIN, terms.gram_statistic(terms.energies)):
            painting = Painting(self.one, region=region)
            (found,) = style_targets.learn(self.network, [painting], np.inf, statistic)
            expected = statistic.compute(part, None)
            self.assertAllClose(found.statistics["block1_conv1"], expected, rtol=1e-4)

    @parameterized.product(style_loss=STYLE_LOSSES, most=[2000, 4000])
    def test_tiled_is_whole(self, style_loss, most):
        self.settings = Settings(**LAYERS, style_loss=style_loss)
        region = tf.constant(random(1, 70, 80, 1))
        paintings = [
            Painting(self.one, 0.7, place=tf.constant(random(1, 32, 48, 1)), region=region),
            Painting(self.other, 0.2, place=self.right),
            Painting(self.one, 0.1),
        ]
        expected, gradient = self.value(*paintings)
        found, tiled_gradient = self.value(*paintings, most=most)
        self.assertAllClose(found, expected, rtol=1e-5, atol=0)
        self.assertLess(tf.norm(tiled_gradient - gradient) / tf.norm(gradient), 1e-5)


if __name__ == "__main__":
    tf.test.main()
