from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, feed_forward
from nst_tf.networks import stylization
from nst_tf.networks.weights import bundled_path


class OfficialModule(tf.Module):
    """As TF-Hub's module: sizes rounded up to multiples of 4, no bottleneck, equal batches."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])] * 2)
    def __call__(self, content, style):
        tf.debugging.assert_equal(tf.shape(content)[0], tf.shape(style)[0])
        tf.debugging.assert_equal(tf.reduce_min(tf.shape(style)[1:3]), 256)
        color = tf.reduce_mean(style, [1, 2], keepdims=True)
        size = tf.shape(content)[1:3]
        padding = [[0, 0], [0, -size[0] % 4], [0, -size[1] % 4], [0, 0]]
        return [tf.pad(0.5 * (content + color), padding)]


class OldExport:
    """A model with a bottleneck that takes no scrolls."""

    def __init__(self, network):
        self._network, self.transform = network, network.transform

    def bottleneck(self, style):
        tf.debugging.assert_equal(tf.reduce_min(style.shape[1:3]), 256)
        return self._network.predictor(style)

    def __call__(self, content, style):
        return [self.transform(content, self.bottleneck(style))]


class FastStylizerTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bundled = feed_forward.load("bundled")
        cls.official = feed_forward.FastStylizer(OfficialModule(), "official")
        cls.style = cut(PAINTING, 300, 340)[np.newaxis]
        cls.content = cut(PHOTOGRAPH, 60, 80)[np.newaxis]

    @parameterized.product(size=[(32, 33), (130, 47)], model=["bundled", "official"])
    def test_output_has_the_size_of_the_content(self, size, model):
        content = cut(PHOTOGRAPH, *size)[np.newaxis]
        stylized = getattr(self, model)(content, self.style)
        self.assertEqual((stylized.shape, stylized.dtype), (content.shape, tf.float32))
        self.assertBetween(np.min(stylized), 0, 1)
        self.assertBetween(np.max(stylized), 0, 1)
        self.assertGreater(np.abs(stylized - content).mean(), 0.01)

    def test_equals_the_model_itself(self):
        content = cut(PHOTOGRAPH, 61, 90)[np.newaxis]
        model = tf.saved_model.load(str(bundled_path("arbitrary_stylization")))
        expected = model(content, self.style)[0]
        self.assertAllClose(self.bundled(content, self.style), expected, atol=1e-5)

    @parameterized.product(model=["bundled", "official"], batches=[(2, 2), (3, 1), (1, 2)])
    def test_a_batch_equals_single_images(self, model, batches):
        stylizer = getattr(self, model)
        contents = np.stack([cut(PHOTOGRAPH, 41, 50)[:, ::-1] ** (i + 1) for i in range(3)])
        styles = np.stack([self.style[0], self.style[0, ::-1] ** 2])
        contents, styles = contents[: batches[0]], styles[: batches[1]]
        stylized = stylizer(contents, styles)
        self.assertLen(stylized, max(batches))
        for index, image in enumerate(stylized):
            content = contents[index % len(contents)][np.newaxis]
            style = styles[index % len(styles)][np.newaxis]
            self.assertAllClose(image, stylizer(content, style)[0], atol=1e-4)

    @parameterized.parameters(
        (np.zeros([2, 40, 40, 3]), np.zeros([3, 40, 40, 3]), "batches of 2 and 3"),
        (np.zeros([40, 40, 3]), np.zeros([1, 40, 40, 3]), r"content: expected .* \[40, 40, 3\]"),
        (np.zeros([1, 40, 40, 3]), np.zeros([1, 40, 40, 4]), "style: expected floats"),
        (np.zeros([1, 40, 40, 3], np.uint8), np.zeros([1, 40, 40, 3]), "content: .* got uint8"),
        (np.zeros([1, 31, 40, 3]), np.zeros([1, 40, 40, 3]), "40 x 31 px; expected sides of 32"),
    )
    def test_other_shapes_and_types_are_refused(self, content, style, message):
        with self.assertRaisesRegex(InputError, message):
            self.bundled(content, style)

    def test_content_too_large_for_the_memory_is_refused(self):
        with mock.patch.object(feed_forward.memory_plan, "used_and_free", return_value=(0, 1e6)):
            with self.assertRaisesRegex(InputError, "1 of 80 x 60 px take .* smaller --size"):
                self.official(self.content, self.style)

    @parameterized.parameters(
        (mock.patch.object(feed_forward.memory_plan, "used_and_free", return_value=(0, 1e6)),),
        (mock.patch.object(feed_forward, "_MAX_BYTES", 250 * 50 * 60),),
    )
    def test_the_bundled_model_takes_any_size_in_strips(self, limit):
        contents = np.stack([cut(path, 61, 90) for path in (PHOTOGRAPH, PAINTING)])
        strips = feed_forward.stylization_strips
        run = mock.patch.object(strips, "transform", wraps=strips.transform)
        stylize = self.bundled.blend([self.style], [1.0])
        expected = self.bundled(contents, self.style), stylize(contents, 0.5)
        with limit, run as in_strips:
            found = self.bundled(contents, self.style), stylize(contents, 0.5)
        self.assertEqual(in_strips.call_count, 2)
        self.assertAllClose(found, expected, atol=1e-4)

    @parameterized.parameters("bundled", "official")
    def test_strength_leads_from_the_content_to_the_style(self, model):
        stylizer, content = getattr(self, model), self.content
        stylize = stylizer.blend([self.style], [2.0])
        own, halfway, full = (stylize(content, strength) for strength in (0.0, 0.5, 1.0))
        expected = stylizer(content, content) if model == "bundled" else content
        self.assertAllClose(own, expected, atol=1e-5)
        self.assertAllClose(full, stylizer(content, self.style), atol=1e-5)
        self.assertLess(tf.norm(halfway - own), tf.norm(full - own))
        self.assertLess(tf.norm(halfway - full), tf.norm(own - full))
        with self.assertRaisesRegex(InputError, "strength=1.5: expected a number from 0 to 1"):
            stylize(content, 1.5)

    @parameterized.parameters("bundled", "official")
    def test_blends_embeddings_where_there_are_some_and_pixels_otherwise(self, model):
        stylizer, styles = getattr(self, model), [self.style, cut(PHOTOGRAPH, 256, 256)[None]]
        self.assertEqual(stylizer.has_bottleneck, model == "bundled")
        first, second = (stylizer(self.content, style) for style in styles)
        self.assertAllClose(stylizer.blend(styles, [1, 0])(self.content), first, atol=1e-5)
        pixels = 0.25 * first + 0.75 * second
        blended = stylizer.blend(styles, [1, 3])(self.content)
        if stylizer.has_bottleneck:
            self.assertGreater(np.abs(blended - pixels).max(), 0.01)
        else:
            self.assertAllClose(blended, pixels, atol=1e-5)

    @parameterized.parameters((320, 40), (40, 320))
    def test_a_scroll_is_the_mean_of_squares_that_cover_it(self, height, width):
        scroll = cut(PAINTING, height, width)[np.newaxis]
        squares = [
            scroll[:, offset : offset + 40]
            if height > width
            else scroll[:, :, offset : offset + 40]
            for offset in range(0, 320, 40)
        ]
        expected = self.bundled.blend(squares, [1] * 8)(self.content)
        self.assertAllClose(self.bundled(self.content, scroll), expected, atol=1e-5)
        self.assertAllClose(self.bundled.blend([scroll], [1])(self.content), expected, atol=1e-5)
        pair = np.concatenate([scroll, scroll[:, ::-1, ::-1] ** 2])
        self.assertAllClose(self.bundled(self.content, pair)[0], expected[0], atol=1e-4)

    def test_a_scroll_is_cut_once(self):
        scroll = tf.constant(cut(PAINTING, 40, 320)[np.newaxis])
        model = stylization.StylizationNetwork(stylization.read_weights())
        network = feed_forward.FastStylizer(model, "own")
        old = feed_forward.FastStylizer(OldExport(model), "old")
        seen = mock.patch.object(model, "bottleneck", wraps=model.bottleneck)
        with seen as embed:
            expected = network(self.content, scroll)
            self.assertAllEqual(embed.call_args.args[0], scroll)
        # An export that squeezed scrolls.
        self.assertAllClose(old(self.content, scroll), expected, atol=1e-5)

    def test_a_model_without_bottleneck_sees_the_middle_of_a_scroll(self):
        scroll = cut(PAINTING, 100, 500)[np.newaxis]
        with self.assertLogs("nst_tf", "WARNING") as logs:
            found = self.official(self.content, scroll)
        self.assertIn("500 x 100 px", logs.output[0])
        self.assertAllClose(found, self.official(self.content, scroll[:, :, 150:350]), atol=1e-5)

    @parameterized.parameters("bundled", "official")
    def test_gray_and_gray_give_gray_and_only_they(self, model):
        stylizer = getattr(self, model)
        gray_content, gray_style = (
            np.repeat(image.mean(-1, keepdims=True), 3, -1) for image in (self.content, self.style)
        )
        contents, styles = np.concatenate([self.content, gray_content]), [self.style, gray_style]
        for style, expected in zip(styles, ([False, False], [False, True]), strict=True):
            stylize = stylizer.blend([style], [1.0])
            for images in (stylizer(contents, style), stylize(contents), stylize(contents, 0.7)):
                self.assertEqual(
                    [bool(np.ptp(image, -1).max() < 1e-5) for image in images.numpy()], expected
                )
                self.assertGreater(np.std(images), 0.01)
        paired = stylizer(contents, np.concatenate([gray_style, gray_style]))
        self.assertAllClose(paired, stylizer(contents, gray_style), atol=1e-5)
        mixed = stylizer.blend(styles, [1, 1])(gray_content)
        self.assertGreater(np.ptp(mixed, -1).max(), 0.01)

    @parameterized.parameters(([1.0],), ([1.0, -1.0],), ([0.0, 0.0],), ([1.0, float("inf")],))
    def test_weights_that_do_not_match_are_refused(self, weights):
        with self.assertRaisesRegex(InputError, "weights=.*: expected a number from 0 for each"):
            self.bundled.blend([self.style, self.style], weights)

    @parameterized.parameters(
        (lambda content: [content],),
        (lambda content, style: [],),
        (lambda content, style: [content[:, 1:]],),
        (object(),),
    )
    def test_another_interface_is_refused(self, model):
        with self.assertRaisesRegex(InputError, r"handle=x: expected model\(content_image, style"):
            feed_forward.FastStylizer(model, "x")

    def test_functions_that_only_share_the_names_are_not_called(self):
        module = OfficialModule()
        module.bottleneck = module.transform = lambda *_: tf.zeros([3])
        self.assertFalse(feed_forward.FastStylizer(module, "x").has_bottleneck)

    def test_float32_is_not_tensor_float_32(self):
        tf.config.experimental.enable_tensor_float_32_execution(True)
        feed_forward.FastStylizer(OfficialModule(), "x")
        self.assertFalse(tf.config.experimental.tensor_float_32_execution_enabled())


if __name__ == "__main__":
    tf.test.main()
