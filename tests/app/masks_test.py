import numpy as np
from absl.testing import absltest, parameterized

from nst_tf import InputError
from nst_tf.app import masks

CLEAR = (0, 0, 0, 0)


def rgba(color, alpha=255):
    return (*bytes.fromhex(color[1:]), alpha)


def layer(*pixels):
    """One row of pixels."""
    return np.array([pixels], np.uint8)


class MasksTest(parameterized.TestCase):
    def test_each_color_is_a_mask(self):
        drawn = layer(CLEAR, *(rgba(color) for color in masks.COLORS))
        found = masks.from_layers([drawn], 4)
        whole = np.eye(6, dtype=np.float32)
        np.testing.assert_array_equal(found.keep, whole[1:2])
        for number, mask in enumerate(found.paintings):
            np.testing.assert_array_equal(mask, whole[2 + number : 3 + number])
            self.assertEqual(mask.dtype, np.float32)

    def test_edges_are_as_opaque_as_they_are_drawn(self):
        near = tuple(np.array(rgba(masks.KEEP_COLOR, 51)) + (9, -9, 9, 0))
        found = masks.from_layers([layer(near, CLEAR)], 1)
        np.testing.assert_allclose(found.keep, [[0.2, 0]], rtol=1e-6)
        self.assertEqual(found.paintings, [None])

    @parameterized.parameters([[]], [[layer(CLEAR, CLEAR)]])
    def test_nothing_drawn_is_no_mask(self, layers):
        self.assertEqual(masks.from_layers(layers, 2), (None, [None, None]))

    def test_what_lies_above_covers_what_lies_below(self):
        below = layer(rgba(masks.KEEP_COLOR), rgba(masks.KEEP_COLOR))
        above = layer(rgba(masks.PAINTING_COLORS[0], 204), CLEAR)
        found = masks.from_layers([below, above], 1)
        np.testing.assert_allclose(found.keep, [[0.2, 1]], rtol=1e-6)
        np.testing.assert_allclose(found.paintings[0], [[0.8, 0]], rtol=1e-6)

    def test_a_painting_that_is_not_there_is_refused(self):
        drawn = layer(rgba(masks.PAINTING_COLORS[1]))
        with self.assertRaisesRegex(InputError, "painting 2: is drawn on the photograph"):
            masks.from_layers([drawn], 1)


if __name__ == "__main__":
    absltest.main()
