from dataclasses import replace

import numpy as np
from absl.testing import absltest
from testing.painter import disc, request
from testing.pictures import PAINTING, cut

from nst_tf import InputError, Style, feed_forward
from nst_tf.app import fast_picture

LEFT = np.concatenate([np.ones([48, 32]), np.zeros([48, 32])], axis=1).astype(np.float32)


class FastPictureTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stylizer = feed_forward.load("bundled")

    def paint(self, asked, long_side=0):
        return fast_picture.paint(self.stylizer, asked, long_side)

    def test_sizes(self):
        self.assertEqual(self.paint(request(size=96)).shape, (72, 96, 3))
        self.assertEqual(self.paint(request(size=96), long_side=64).shape, (48, 64, 3))
        self.assertEqual(self.paint(request(size=96), long_side=512).shape, (72, 96, 3))
        self.assertEqual(self.paint(request(size=0), long_side=512).shape, (48, 64, 3))

    def test_one_painting_is_the_networks_picture(self):
        asked = request()
        expected = self.stylizer(asked.photograph.rgb[None], asked.styles[0].rgb[None])[0]
        np.testing.assert_allclose(self.paint(asked), expected, atol=1e-5)

    def test_region_is_all_that_is_seen_of_a_painting(self):
        asked = request()
        style = asked.styles[0]
        region = np.zeros(style.rgb.shape[:2], np.float32)
        region[:40, :50] = 1
        cropped = replace(asked, styles=(Style(style.rgb[:40, :50]),))
        asked = replace(asked, styles=(replace(style, region=region),))
        np.testing.assert_array_equal(self.paint(asked), self.paint(cropped))

    def test_each_painting_where_its_mask_is(self):
        asked = request()
        one, two = asked.styles[0], Style(1 - cut(PAINTING, 70, 60), weight=0.2)
        masks = replace(one, mask=LEFT), replace(two, mask=1 - LEFT)
        both = self.paint(replace(asked, styles=masks))
        alone = [self.paint(replace(asked, styles=(each,))) for each in (one, two)]
        np.testing.assert_allclose(both[:, :32], alone[0][:, :32], atol=1e-6)
        np.testing.assert_allclose(both[:, 32:], alone[1][:, 32:], atol=1e-6)
        only_left = self.paint(replace(asked, styles=(masks[0], replace(masks[0], rgb=two.rgb))))
        np.testing.assert_array_equal(only_left[:, 32:], asked.photograph.rgb[:, 32:])

    def test_what_is_kept_or_hidden_is_the_photograph(self):
        asked = replace(request(), keep_mask=LEFT)
        painted, photograph = self.paint(asked), asked.photograph.rgb
        np.testing.assert_array_equal(painted[:, :32], photograph[:, :32])
        self.assertGreater(np.abs(painted - photograph)[:, 32:].mean(), 0.02)
        alpha = disc(48, 64) * LEFT
        hidden = self.paint(request(alpha=alpha))
        np.testing.assert_array_equal(hidden[:, 33:], photograph[:, 33:])

    def test_more_than_there_is_memory_for(self):
        with self.assertRaisesRegex(InputError, r"size=1000000: 1000000 x 750000 px take about"):
            self.paint(request(size=1_000_000))

    def test_mistakes(self):
        with self.assertRaisesRegex(InputError, "size=8: "):
            self.paint(request(size=8))
        with self.assertRaisesRegex(InputError, "keep_mask: a mask of 10 x 10 px"):
            self.paint(replace(request(), keep_mask=np.ones([10, 10], np.float32)))


if __name__ == "__main__":
    absltest.main()
