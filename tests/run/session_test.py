from unittest import mock

import numpy as np
from absl.testing import absltest

from nst_tf import Settings, Style
from nst_tf.networks import vgg
from nst_tf.run import memory_plan
from nst_tf.run.session import Session


class SessionTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.session = Session()
        self.style, self.other = (Style(np.zeros((2, 2, 3), np.float32)) for _ in range(2))
        networks = mock.patch.object(vgg, "extractor_from_settings", side_effect=[*"abc"])
        self.load = self.enter_context(networks)

    def begin(self, *styles, **settings):
        """The network, and how many traces and style targets are left of the run before."""
        network = self.session.begin(Settings(**settings), styles)
        left = len(self.session.graphs), len(self.session.style_target_cache)
        self.session.graphs["step"] = None
        self.session.style_target_cache[len(styles), 64] = {}
        return network, *left

    def test_equal_settings_keep_network_and_traces(self):
        self.assertEqual(self.begin(self.style), ("a", 0, 0))
        self.assertEqual(self.begin(self.style), ("a", 1, 1))
        self.assertEqual(self.begin(self.style, seed=1), ("b", 0, 0))
        self.assertEqual(self.load.call_args.args, (Settings(seed=1), "auto"))

    def test_style_targets_belong_to_the_style_images(self):
        self.begin(self.style)
        self.assertEqual(self.begin(self.other), ("a", 1, 0))
        self.assertEqual(self.begin(self.other, self.style), ("a", 1, 0))
        self.assertEqual(self.begin(self.other, self.style), ("a", 1, 1))

    def test_style_targets_of_very_many_sizes_are_dropped(self):
        self.begin(self.style)
        self.session.style_target_cache |= {(0, size): {} for size in range(100)}
        self.assertEqual(self.begin(self.style), ("a", 1, 0))

    def test_network_that_cannot_be_loaded(self):
        self.begin(self.style)
        self.load.side_effect = [ValueError(), "d"]
        with self.assertRaises(ValueError):
            self.begin(self.style, seed=1)
        self.assertEqual(self.begin(self.style), ("d", 0, 0))

    def test_each_run_plans_with_the_memory_that_the_first_found(self):
        content = np.zeros((10, 10, 3), np.float32)
        with mock.patch.object(
            memory_plan, "used_and_free", side_effect=[(5000, 900), (9000, 500)]
        ):
            self.assertEqual(self.session.memory_budget(content), (5000, 900))
            self.assertEqual(self.session.memory_budget(content[:5]), (4400, 900))


if __name__ == "__main__":
    absltest.main()
