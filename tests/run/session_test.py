from unittest import mock

import numpy as np
from absl.testing import absltest

from nst_tf import Style
from nst_tf.run import memory
from nst_tf.run.session import Shared


class SharedTest(absltest.TestCase):
    def test_what_is_learnt_belongs_to_the_paintings(self):
        shared, one, other = Shared(), Style(np.zeros((2, 2, 3))), Style(np.zeros((2, 2, 3)))
        shared.learnt([one])[0, 64] = {}
        self.assertEqual(shared.learnt([one]), {(0, 64): {}})
        self.assertEmpty(shared.learnt([other]))
        shared.learnt([other])[0, 64] = {}
        self.assertEmpty(shared.learnt([other, one]))

    def test_what_is_learnt_at_very_many_sizes_is_forgotten(self):
        shared, style = Shared(), Style(np.zeros((2, 2, 3)))
        for size in range(100):
            shared.learnt([style])[0, size] = {}
            self.assertLess(len(shared.learnt([style])), 40)

    def test_each_run_plans_with_the_memory_that_the_first_found(self):
        shared, content = Shared(), np.zeros((10, 10, 3), np.float32)
        with mock.patch.object(memory, "used_and_free", side_effect=[(5000, 900), (9000, 500)]):
            self.assertEqual(shared.room(content), (5000, 900))
            self.assertEqual(shared.room(content), (5000, 900))
            self.assertEqual(shared.room(content[:5]), (4400, 900))


if __name__ == "__main__":
    absltest.main()
