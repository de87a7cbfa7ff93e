from pathlib import Path

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, cut

from nst_tf.export import models, saving
from nst_tf.networks import stylization
from nst_tf.networks.weights import bundled_path


class StylizationTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = stylization.StylizationNetwork(stylization.read_weights())
        cls.bundled = tf.saved_model.load(str(bundled_path("arbitrary_stylization")))

    @parameterized.parameters("network", "bundled")
    def test_equals_the_published_model(self, name):
        """Magenta's own output, stored before the network was defined here."""
        with np.load(ROOT / "tests" / "arbitrary_published.npz") as file:
            published = dict(file)
        content, style = (np.float32(published[key])[None] / 255 for key in ("content", "style"))
        self.assertGreater(np.abs(published["painted"] - content).mean(), 0.05)
        model = getattr(self, name)
        self.assertAllClose(model(content, style)[0], published["painted"], atol=1e-5)
        self.assertEqual(published["bottleneck"].shape, (1, 1, 1, stylization.BOTTLENECK))
        self.assertAllClose(model.bottleneck(style), published["bottleneck"], atol=1e-5)

    def test_a_new_export_equals_the_bundled_one(self):
        folder = Path(self.create_tempdir().full_path) / "rebuilt"
        saving.save(models.ExportedStylization(), folder)
        rebuilt = tf.saved_model.load(str(folder))
        content, style = cut(PHOTOGRAPH, 97, 131)[None], cut(PAINTING, 300, 340)[None]
        expected = self.bundled(content, style)[0]
        self.assertAllClose(rebuilt(content, style)[0], expected, atol=1e-5)
        found = rebuilt.signatures["serving_default"](
            content_image=tf.constant(content), style_image=tf.constant(style)
        )
        self.assertAllClose(found["output_0"], expected, atol=1e-5)
        self.assertLess(sum(path.stat().st_size for path in folder.rglob("*")), 5e6)

    @parameterized.parameters(2, 1)
    def test_a_scroll_is_embedded_in_squares(self, axis):
        scroll = np.moveaxis(cut(PAINTING, 64, 180)[np.newaxis], 2, axis)
        squares = [scroll.take(range(start, start + 64), axis) for start in (0, 58, 116)]
        expected = np.mean([self.network.bottleneck(square) for square in squares], axis=0)
        self.assertAllClose(self.network.bottleneck(scroll), expected, atol=1e-5)
        # Up to 1 to 2 it is one piece.
        piece = cut(PAINTING, 64, 128)[np.newaxis]
        expected = self.network.predictor(stylization.resize_style(piece))
        self.assertAllClose(self.network.bottleneck(piece), expected, atol=1e-6)

    @parameterized.parameters(
        ((300, 340), (256, 290)),
        ((256, 256), (256, 256)),
        ((64, 32), (512, 256)),
        ((1000, 100), (512, 256)),
    )
    def test_style_images_are_resized_for_the_predictor(self, size, expected):
        style = stylization.resize_style(tf.zeros([2, *size, 3]))
        self.assertEqual(style.shape, (2, *expected, 3))

    def test_padding_repeats_the_edge(self):
        image = tf.reshape(tf.range(6.0), [1, 2, 3, 1])
        padded = stylization.edge_pad(image, 0)[0, :, :, 0]
        self.assertAllEqual(padded, [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]])
        self.assertEqual(stylization.edge_pad(image, 4).shape, (1, 12, 12, 1))
        self.assertAllEqual(stylization.edge_pad(image, 4)[0, 0, :, 0], [0.0] * 5 + [1] + [2] * 6)


if __name__ == "__main__":
    tf.test.main()
