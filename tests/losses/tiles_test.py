from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.networks import extractor
from testing.pictures import PHOTOGRAPH, cut

from nst_tf import Settings
from nst_tf.losses import tiles
from nst_tf.losses.tiles import ReceptiveField


class ReceptiveFieldTest(parameterized.TestCase):
    def test_stride_and_padding(self):
        layers = extractor(Settings(content_layers="block5_pool")).layers
        # The radius of the receptive field is 1 pixel a convolution in block 1, 2 in block 2, ...
        for deepest, stride, padding in (
            ("block1_conv1", 1, 1),
            ("block1_conv2", 1, 2),
            ("block2_conv1", 2, 4),
            ("block4_conv2", 8, 40),
            ("block5_conv2", 16, 96),
            ("block5_pool", 32, 128),
        ):
            (end,) = (index for index, layer in enumerate(layers) if layer.name == deepest)
            field = tiles.receptive_field(SimpleNamespace(layers=layers[: end + 1]))
            self.assertEqual((field.stride, field.padding), (stride, padding))
            self.assertEqual(field.strides["block1_conv1"], 1)
            self.assertEqual(field.strides[deepest], stride)

    def test_a_feature_depends_on_nothing_beyond_the_padding(self):
        """And on the last pixel before: the padding is no larger than the stride makes it."""
        settings = Settings(
            style_layers="block1_conv1", content_layers="block3_conv1", pooling="avg"
        )
        network = extractor(settings)
        field = tiles.receptive_field(network)
        image = tf.constant(cut(PHOTOGRAPH, 96, 96)[None])
        row = 12
        with tf.GradientTape() as tape:
            tape.watch(image)
            feature = tf.reduce_sum(tf.abs(network(image)["content"]["block3_conv1"][:, row]))
        gradient = tf.reduce_sum(tf.abs(tape.gradient(feature, image)), (0, 2, 3)).numpy()
        rows = np.flatnonzero(gradient)
        first, last = row * field.stride, (row + 1) * field.stride - 1
        self.assertBetween(first - rows[0], field.padding - field.stride + 1, field.padding)
        self.assertBetween(rows[-1] - last, field.padding - field.stride + 1, field.padding)


class SplitTest(parameterized.TestCase):
    FIELD = ReceptiveField({}, 16, 80)

    def test_whole_where_it_is_small_enough(self):
        (tile,) = tiles.split((100, 200), 20000, self.FIELD)
        self.assertEqual(tile, ((0, 100, 0, 100), (0, 200, 0, 200)))
        self.assertEqual(tile.inner_bounds().numpy().tolist(), [0, 100, 0, 200])

    def test_two_tiles(self):
        first, second = tiles.split((768, 1024), 500_000, self.FIELD)
        self.assertEqual(first, ((0, 768, 0, 768), (0, 512, 0, 592)))
        self.assertEqual(second, ((0, 768, 0, 768), (512, 1024, 432, 1024)))
        self.assertEqual(second.inner_bounds().numpy().tolist(), [0, 768, 80, 592])

    @parameterized.product(
        size=[(768, 1024), (1000, 333), (517, 2001)], max_tile_pixels=[60_000, 250_000]
    )
    def test_every_pixel_is_in_one_tile_and_no_tile_is_too_large(self, size, max_tile_pixels):
        count, image = np.zeros(size, int), np.zeros([1, *size, 1])
        for tile in tiles.split(size, max_tile_pixels, self.FIELD):
            count[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop] += 1
            self.assertEqual(tile.num_pixels, tile.crop(image).size)
            self.assertLessEqual(tile.num_pixels, max_tile_pixels)
            for span, side in zip(tile, size, strict=True):
                self.assertEqual(span.start % 16, 0)
                self.assertGreaterEqual(span.stop - span.start, 16)
                self.assertEqual(span.padded_start, max(span.start - 80, 0))
                self.assertEqual(span.padded_stop, min(span.stop + 80, side))
        np.testing.assert_array_equal(count, 1)

    def test_the_smallest_tiles_where_none_is_small_enough(self):
        found = tiles.split((400, 500), 100, self.FIELD)
        self.assertEqual(max(tile.num_pixels for tile in found), 176 * 176)

    def test_one_tile_where_the_padding_covers_the_image(self):
        self.assertLen(tiles.split((40, 50), 100, self.FIELD), 1)

    def test_a_rest_below_the_stride_joins_its_neighbor(self):
        found = tiles.split((16, 16 * 40 + 15), 16 * 320, self.FIELD)
        self.assertEqual(found[-1].columns.stop, 16 * 40 + 15)
        self.assertGreaterEqual(found[-1].columns.stop - found[-1].columns.start, 31)


if __name__ == "__main__":
    tf.test.main()
