import os
from unittest import mock

import pytest
from absl.testing import absltest
from testing.pictures import Deadly, requests

from nst_tf import InputError, Settings
from nst_tf.batch import ray_cluster
from nst_tf.batch.requests import RenderConfig, RenderResult

ray = pytest.importorskip("ray", reason="Ray is not installed: requirements-ray.txt")
cluster_utils = pytest.importorskip("ray.cluster_utils")
CONFIG = RenderConfig(Settings(size=48), "fast")


class SchedulerTest(absltest.TestCase):
    def test_an_error_on_the_way_is_that_of_its_request(self):
        error = ray.exceptions.RayTaskError("render", "trace", MemoryError("too large"))
        outcomes = {"ready": None, 0: error, 1: RenderResult(1)}

        def get(future):
            if isinstance(outcomes[future], Exception):
                raise outcomes[future]
            return outcomes[future]

        actor = mock.Mock()
        actor.prepare.options.return_value.remote.return_value = "ready"
        actor.render.remote = lambda config, request: request.number
        fake = mock.Mock(exceptions=ray.exceptions, get=get)
        fake.wait = lambda futures, num_returns: (futures[:1], futures[1:])
        results = ray_cluster._Scheduler(fake, CONFIG, requests(2)).render([actor])
        found = [(result.number, result.error) for result in results]
        self.assertEqual(found, [(0, "MemoryError: too large"), (1, None)])


class ActorsTest(absltest.TestCase):
    def test_each_node_has_the_environment_of_our_keras(self):
        nodes = [{"Alive": True, "Resources": {"CPU": 4}}]
        fake = mock.Mock(nodes=lambda: nodes, cluster_resources=dict)
        self.assertLen(ray_cluster._start_actors(fake, workers=0, threads=2), 2)
        environment = fake.remote.call_args.kwargs["runtime_env"]["env_vars"]
        expected = {"KERAS_BACKEND": "tensorflow", "TF_USE_LEGACY_KERAS": "0"}
        self.assertEqual(environment, expected)


@pytest.mark.slow
class RayClusterTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Other tests run at the same time.
        system = {"worker_niceness": 0}
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": system}
        # What the nodes have set is not ours.
        with mock.patch.dict(os.environ, KERAS_BACKEND="torch", TF_USE_LEGACY_KERAS="1"):
            cls.cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        cls.addClassCleanup(cls.cluster.shutdown)

    def tearDown(self):
        super().tearDown()
        self.assertFalse(ray.is_initialized())

    def render(self, given, *, config=CONFIG, workers=1, threads=1, address=None):
        address = self.cluster.address if address is None else address
        return ray_cluster.render(config, given, workers=workers, threads=threads, address=address)

    def test_requests_of_a_node_that_dies_are_rendered_elsewhere(self):
        second = self.cluster.add_node(num_cpus=1)
        self.cluster.wait_for_nodes()
        (request,) = requests(1)
        given, results, workers = [], {}, set()
        retry = ray_cluster._Scheduler._retry
        with mock.patch.object(
            ray_cluster._Scheduler, "_retry", autospec=True, side_effect=retry
        ) as lost:

            def until_one_is_lost():
                while not lost.called:
                    given.append(request._replace(number=len(given)))
                    yield given[-1]

            for result in self.render(until_one_is_lost(), workers=0):
                self.assertIsNone(result.error)
                results[result.number] = result.data
                workers.add(result.worker)
                if len(workers) == 2 and second is not None:
                    self.cluster.remove_node(second, allow_graceful=False)
                    second = None
        lost.assert_called_once()
        self.assertEqual(sorted(results), list(range(len(given))))
        self.assertLen({*results.values()}, 1)

    def test_a_request_that_kills_workers_fails_and_no_other(self):
        given = list(requests(3))
        given[1] = given[1]._replace(content=("deadly", Deadly()))
        with mock.patch.object(ray_cluster, "_MAX_ATTEMPTS", 2):
            results = {result.number: result for result in self.render(given)}
        self.assertEqual(
            {number: each.data is None for number, each in results.items()},
            {0: False, 1: True, 2: False},
        )
        self.assertIn("2 workers died", results[1].error)

    def test_errors_of_all_requests_are_raised_before_the_first(self):
        config = RenderConfig(Settings(style_layers="nothing"))
        with self.assertRaisesRegex(InputError, "style_layers=nothing: vgg19 has no such"):
            next(self.render(requests(1), config=config))

    def test_more_cores_than_there_are(self):
        with self.assertRaisesRegex(InputError, "threads=1000: the largest node has"):
            next(self.render(requests(1), threads=1000, address=""))

    def test_a_cluster_that_is_not_there(self):
        with self.assertRaisesRegex(InputError, "ray_address=127.0.0.1:1: cannot connect to the"):
            next(self.render(requests(1), address="127.0.0.1:1"))


if __name__ == "__main__":
    absltest.main()
