import numpy as np
from absl.testing import absltest
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf.video.history import History


class HistoryTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.still = cut(PHOTOGRAPH, 64, 96)
        self.covered = self.still.copy()
        self.covered[20:44, 36:60] = cut(PAINTING, 24, 24)

    def carried(self, contents, distances=(1, 2, 3)):
        """What is carried to the last of some frames, each painted in its own gray."""
        history = History(distances)
        for number, content in enumerate(contents):
            begins = history.begins_shot(content)
            self.assertEqual(begins, number == 0)
            if not begins:
                carried = history.carried()
            history.add(np.full_like(content, number / 10))
        return carried

    def test_trust_fades_towards_what_is_new(self):
        trust = self.carried([self.still, self.covered]).trust
        self.assertEqual(trust[30:34, 46:50].max(), 0)
        self.assertEqual(trust[5:12].min(), 1)
        self.assertLess(np.abs(np.diff(trust, axis=1)).max(), 0.6)

    def test_the_closest_frame_that_is_trusted_counts(self):
        carried = self.carried([self.still, self.covered, self.covered, self.still])
        levels = np.rint(10 * carried.rgb).astype(int)
        self.assertEqual({*levels[5:12].ravel()}, {2})
        self.assertEqual({*levels[28:36, 44:52].ravel()}, {0})

    def test_a_shot_that_has_not_lasted_so_long_is_looked_at_from_its_beginning(self):
        carried = self.carried([self.still, self.covered, self.still], distances=(1, 8))
        self.assertEqual({*np.rint(10 * carried.rgb[28:36, 44:52]).ravel()}, {0})

    def test_what_comes_back_is_from_before_it_was_hidden_also_beside_an_outline(self):
        moved = self.still.copy()
        moved[20:44, 60:84] = self.covered[20:44, 36:60]
        carried = self.carried([self.still, self.covered, moved, self.still])
        levels = np.rint(10 * carried.rgb).astype(int)
        self.assertEqual({*levels[22:42, 56:59].ravel()}, {0})
        self.assertEqual({*levels[5:12].ravel()}, {2})

    def test_new_paint_counts_where_there_is_no_older_one(self):
        carried = self.carried([self.covered, self.still, self.still])
        self.assertEqual({*np.rint(10 * carried.rgb[22:42, 38:58]).ravel()}, {1})
        self.assertGreater(carried.trust[22:42, 38:58].min(), 0.9)

    def test_without_further_distances_what_was_hidden_is_new(self):
        carried = self.carried([self.still, self.covered, self.still], distances=(1,))
        self.assertEqual(carried.trust[30:34, 46:50].max(), 0)


if __name__ == "__main__":
    absltest.main()
