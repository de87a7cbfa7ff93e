from pathlib import Path

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, cut

from nst_tf.export import models, saving
from nst_tf.networks import stylization, weights
from nst_tf.networks.convolution import in_blocks


class ArbitraryTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = stylization.Arbitrary(stylization.read_weights())
        cls.bundled = tf.saved_model.load(str(weights.path("arbitrary_stylization")))
        cls.content = cut(PHOTOGRAPH, 97, 131)[np.newaxis]
        cls.style = cut(PAINTING, 300, 340)[np.newaxis]

    @parameterized.parameters("network", "bundled")
    def test_paints_what_the_published_model_paints(self, name):
        """That model's own output, kept from before there was a definition of the network here."""
        with np.load(ROOT / "tests" / "arbitrary_published.npz") as file:
            published = dict(file)
        content, style = (np.float32(published[key])[None] / 255 for key in ("content", "style"))
        self.assertGreater(np.abs(published["painted"] - content).mean(), 0.05)
        model = getattr(self, name)
        self.assertAllClose(model(content, style)[0], published["painted"], atol=1e-5)
        self.assertEqual(published["bottleneck"].shape, (1, 1, 1, stylization.BOTTLENECK))
        self.assertAllClose(model.bottleneck(style), published["bottleneck"], atol=1e-5)

    def test_exporting_it_again_changes_no_output(self):
        folder = Path(self.create_tempdir().full_path) / "rebuilt"
        saving.save(models.Fast(), folder)
        rebuilt = tf.saved_model.load(str(folder))
        expected = self.bundled(self.content, self.style)[0]
        self.assertAllClose(rebuilt(self.content, self.style)[0], expected, atol=1e-5)
        found = rebuilt.signatures["serving_default"](
            content_image=tf.constant(self.content), style_image=tf.constant(self.style)
        )
        self.assertAllClose(found["output_0"], expected, atol=1e-5)
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        self.assertLess(size, 5e6)

    def test_blocks_of_pixels_are_the_pixels(self):
        random = np.random.default_rng(0)
        x, kernel = random.random((2, 20, 28, 5)), random.random((9, 9, 5, 3))
        expected = tf.nn.conv2d(x, kernel, 1, "VALID")
        found = in_blocks(x, tf.constant(kernel), [1, 1, 1, 1], "VALID")
        self.assertAllClose(found, expected)

    @parameterized.parameters(
        ((300, 340), (256, 290)),
        ((256, 256), (256, 256)),
        ((64, 32), (512, 256)),
        ((1000, 100), (512, 256)),
    )
    def test_paintings_come_to_the_size_the_predictor_knows(self, size, expected):
        style = stylization.fit_style(tf.zeros([2, *size, 3]))
        self.assertEqual(style.shape, (2, *expected, 3))

    def test_extending_repeats_the_edge(self):
        image = tf.reshape(tf.range(6.0), [1, 2, 3, 1])
        wide = stylization.extend(image, 0)[0, :, :, 0]
        self.assertAllEqual(wide, [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]])
        self.assertEqual(stylization.extend(image, 4).shape, (1, 12, 12, 1))
        self.assertAllEqual(stylization.extend(image, 4)[0, 0, :, 0], [0.0] * 5 + [1] + [2] * 6)


if __name__ == "__main__":
    tf.test.main()
