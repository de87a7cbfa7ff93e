import math

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PHOTOGRAPH, cut

from nst_tf.losses import tiles
from nst_tf.losses.tiles import View
from nst_tf.networks import vgg


def look(style, content, pooling="max"):
    return vgg.extractor(
        style, content, network="vgg19", weights="bundled", pooling=pooling, precision="float32"
    )


class ViewTest(parameterized.TestCase):
    @parameterized.parameters(
        # The radius of the receptive field is 1 pixel a convolution in block 1, 2 in block 2, ...
        ("block1_conv1", 1, 1),
        ("block1_conv2", 1, 2),
        ("block2_conv1", 2, 4),
        ("block2_conv2", 2, 6),
        ("block4_conv2", 8, 40),
        ("block5_conv1", 16, 80),
        ("block5_conv2", 16, 96),
        ("block5_pool", 32, 128),
    )
    def test_stride_and_halo(self, deepest, stride, halo):
        found = tiles.view(look(("block1_conv1",), (deepest,)))
        self.assertEqual((found.stride, found.halo), (stride, halo))
        self.assertEqual(found.strides["block1_conv1"], 1)
        self.assertEqual(found.strides[deepest], stride)

    def test_nothing_beyond_the_halo_is_seen(self):
        """And the last pixel before it is: the halo is not wider than the stride makes it."""
        network = look(("block1_conv1",), ("block3_conv1",), pooling="avg")
        found = tiles.view(network)
        image = tf.constant(cut(PHOTOGRAPH, 96, 96)[None])
        row = 12
        with tf.GradientTape() as tape:
            tape.watch(image)
            feature = tf.reduce_sum(tf.abs(network(image)["content"]["block3_conv1"][:, row]))
        gradient = tf.reduce_sum(tf.abs(tape.gradient(feature, image)), (0, 2, 3)).numpy()
        seen = np.flatnonzero(gradient)
        first, last = row * found.stride, (row + 1) * found.stride - 1
        self.assertBetween(first - seen[0], found.halo - found.stride + 1, found.halo)
        self.assertBetween(seen[-1] - last, found.halo - found.stride + 1, found.halo)


class SplitTest(parameterized.TestCase):
    VIEW = View({}, 16, 80)

    def test_whole_where_it_may_be(self):
        (tile,) = tiles.split((100, 200), 20000, self.VIEW)
        self.assertEqual(tile.rows, (0, 100, 0, 100))
        self.assertEqual(tile.columns, (0, 200, 0, 200))
        self.assertEqual(tile.inside().numpy().tolist(), [0, 100, 0, 200])

    def test_two_tiles(self):
        first, second = tiles.split((768, 1024), 500_000, self.VIEW)
        self.assertEqual(first, ((0, 768, 0, 768), (0, 512, 0, 592)))
        self.assertEqual(second, ((0, 768, 0, 768), (512, 1024, 432, 1024)))
        self.assertEqual(second.inside().numpy().tolist(), [0, 768, 80, 592])

    @parameterized.product(
        size=[(768, 1024), (1000, 333), (517, 2001), (2731, 4096)], most=[60_000, 250_000, 10**6]
    )
    def test_every_pixel_is_in_one_tile_and_no_tile_sees_too_much(self, size, most):
        count = np.zeros(size, int)
        for tile in tiles.split(size, most, self.VIEW):
            count[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop] += 1
            seen = math.prod(span.high - span.low for span in tile)
            self.assertLessEqual(seen, most)
            for span, side in zip(tile, size, strict=True):
                self.assertEqual(span.start % 16, 0)
                self.assertGreaterEqual(span.stop - span.start, 16)
                self.assertEqual(span.low, max(span.start - 80, 0))
                self.assertEqual(span.high, min(span.stop + 80, side))
        np.testing.assert_array_equal(count, 1)

    def test_the_smallest_there_are_where_nothing_is_small_enough(self):
        found = tiles.split((400, 500), 100, self.VIEW)
        self.assertEqual(max(tile.seen for tile in found), 176 * 176)

    def test_the_smallest_where_the_halo_sees_all_is_the_whole(self):
        self.assertLen(tiles.split((40, 50), 100, self.VIEW), 1)

    def test_a_rest_below_the_stride_joins_its_neighbour(self):
        found = tiles.split((16, 16 * 40 + 15), 16 * 320, View({}, 16, 80))
        self.assertEqual(found[-1].columns.stop, 16 * 40 + 15)
        self.assertGreaterEqual(found[-1].columns.stop - found[-1].columns.start, 31)


if __name__ == "__main__":
    tf.test.main()
