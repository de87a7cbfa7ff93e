import os

import pytest
from absl.testing import absltest
from pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, Settings, cluster, image, local
from nst_tf.errands import Errand, Order

ray = pytest.importorskip("ray", reason="Ray is not installed: requirements-ray.txt")
cluster_utils = pytest.importorskip("ray.cluster_utils")
ORDER = Order(Settings(size=48, steps=3))


class Deadly:
    """Ends the process that it comes to."""

    def __reduce__(self):
        return os._exit, (1,)


def errands(count):
    style = ("style", image.encode(cut(PAINTING, 48, 60)))
    for number in range(count):
        content = image.encode(cut(PHOTOGRAPH, 48 + number, 60))
        yield Errand(number, (f"content {number}", content), style)


@pytest.mark.slow
class ClusterTest(absltest.TestCase):
    def test_a_node_that_dies_has_its_pictures_painted_elsewhere(self):
        # Other tests run at the same time.
        system = {"worker_niceness": 0}
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": system}
        nodes = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        second = nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        try:
            workers, found = set(), {}
            stream = cluster.paint(ORDER, errands(8), workers=0, threads=1, address=nodes.address)
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
        self.assertEqual(sorted(found), list(range(8)))
        alone = local.paint(ORDER, errands(8), workers=2, threads=1)
        expected = {each.number: each.data for each in alone}
        self.assertEqual(found, expected)

    def test_the_deadly_one_fails_and_no_other(self):
        wanted = list(errands(4))
        wanted[1] = wanted[1]._replace(content=("deadly", Deadly()))
        stream = cluster.paint(ORDER, wanted, workers=2, threads=1, address="")
        found = {painted.number: painted for painted in stream}
        self.assertEqual(sorted(found), list(range(4)))
        for number, painted in found.items():
            self.assertEqual(painted.data is None, number == 1)
        self.assertIn("3 workers died of it", found[1].error)
        self.assertFalse(ray.is_initialized())

    def test_mistakes_of_all_pictures_are_found_before_the_first(self):
        order = Order(Settings(style_layers="nothing"))
        with self.assertRaisesRegex(InputError, "style_layers=nothing: vgg19 has no such"):
            next(cluster.paint(order, errands(1), workers=1, threads=1, address=""))
        self.assertFalse(ray.is_initialized())

    def test_more_cores_than_there_are(self):
        with self.assertRaisesRegex(InputError, "threads=1000: the cluster has"):
            next(cluster.paint(ORDER, errands(1), workers=1, threads=1000, address=""))

    def test_a_cluster_that_is_not_there(self):
        with self.assertRaisesRegex(InputError, "ray_address=127.0.0.1:1: no cluster answers"):
            next(cluster.paint(ORDER, errands(1), workers=1, threads=1, address="127.0.0.1:1"))


if __name__ == "__main__":
    absltest.main()
