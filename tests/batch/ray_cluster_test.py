from dataclasses import replace
from unittest import mock

import pytest
from absl.testing import absltest
from testing.pictures import Deadly, errands

from nst_tf import InputError, Settings
from nst_tf.batch import processes, ray_cluster
from nst_tf.batch.requests import Order

ray = pytest.importorskip("ray", reason="Ray is not installed: requirements-ray.txt")
cluster_utils = pytest.importorskip("ray.cluster_utils")
ORDER = Order(Settings(size=48, steps=3, precision="float32"))


@pytest.mark.slow
class ClusterTest(absltest.TestCase):
    def test_a_node_that_dies_has_its_pictures_painted_elsewhere(self):
        # Other tests run at the same time.
        system = {"worker_niceness": 0}
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": system}
        nodes = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        second = nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        # Long enough that both nodes have something to do when one dies.
        order = Order(replace(ORDER.settings, steps=30))
        lose = ray_cluster._Errands._lose
        try:
            workers, found = set(), {}
            with mock.patch.object(
                ray_cluster._Errands, "_lose", autospec=True, side_effect=lose
            ) as lost:
                stream = ray_cluster.paint(
                    order, errands(16), workers=0, threads=1, address=nodes.address
                )
                for painted in stream:
                    self.assertIsNone(painted.error)
                    found[painted.number] = painted.data
                    workers.add(painted.worker)
                    if len(workers) == 2 and second is not None:
                        nodes.remove_node(second, allow_graceful=False)
                        second = None
        finally:
            nodes.shutdown()
        self.assertIsNone(second)
        lost.assert_called_once()
        self.assertEqual(sorted(found), list(range(16)))
        alone = processes.paint(order, errands(16), workers=2, threads=1)
        self.assertEqual(found, {each.number: each.data for each in alone})

    def test_the_deadly_one_fails_and_no_other(self):
        wanted = list(errands(4))
        wanted[1] = wanted[1]._replace(content=("deadly", Deadly()))
        stream = ray_cluster.paint(ORDER, wanted, workers=2, threads=1, address="")
        found = {painted.number: painted for painted in stream}
        self.assertEqual(sorted(found), list(range(4)))
        for number, painted in found.items():
            self.assertEqual(painted.data is None, number == 1)
        self.assertIn("3 workers died of it", found[1].error)
        self.assertFalse(ray.is_initialized())

    def test_mistakes_of_all_pictures_are_found_before_the_first(self):
        order = Order(Settings(style_layers="nothing"))
        with self.assertRaisesRegex(InputError, "style_layers=nothing: vgg19 has no such"):
            next(ray_cluster.paint(order, errands(1), workers=1, threads=1, address=""))
        self.assertFalse(ray.is_initialized())

    def test_more_cores_than_there_are(self):
        with self.assertRaisesRegex(InputError, "threads=1000: the largest node has"):
            next(ray_cluster.paint(ORDER, errands(1), workers=1, threads=1000, address=""))

    def test_a_cluster_that_is_not_there(self):
        with self.assertRaisesRegex(InputError, "ray_address=127.0.0.1:1: no cluster lets us in"):
            next(ray_cluster.paint(ORDER, errands(1), workers=1, threads=1, address="127.0.0.1:1"))


if __name__ == "__main__":
    absltest.main()
