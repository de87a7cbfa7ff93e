import multiprocessing
from concurrent.futures import Future
from unittest import mock

import pytest
from absl.testing import absltest, parameterized
from testing.pictures import Deadly, requests

from nst_tf import InputError, Settings, limits
from nst_tf.batch import processes
from nst_tf.batch.requests import RenderConfig, RenderResult
from nst_tf.images import image_io

CONFIG = RenderConfig(Settings(size=48), "fast")


class ProcessesTest(parameterized.TestCase):
    def tearDown(self):
        super().tearDown()
        self.assertEmpty(multiprocessing.active_children())

    def test_one_worker_takes_a_request_when_it_has_rendered_the_last_one(self):
        taken = []
        stream = processes.render(
            CONFIG, map(lambda each: taken.append(each) or each, requests(3)), workers=1
        )
        self.assertEqual(next(stream).number, 0)
        self.assertLen(taken, 1)
        self.assertEqual([result.number for result in stream], [1, 2])

    def test_errors_of_all_requests_are_raised_before_the_first(self, workers=1):
        config = RenderConfig(Settings(style_layers="nothing"))
        with self.assertRaisesRegex(InputError, "style_layers=nothing"):
            next(processes.render(config, requests(1), workers=workers))

    @parameterized.parameters((2, 0, 3), (4, 0, 1), (8, 0, 1), (2, 5, 5))
    def test_workers_divide_the_cores_that_may_be_used(self, workers, threads, expected):
        with (
            mock.patch.object(limits, "num_cores", return_value=6),
            mock.patch.object(processes, "ProcessPoolExecutor") as pool,
            processes._pool(workers, threads),
        ):
            self.assertEqual(pool.call_args.kwargs["initargs"], (expected, 1 / workers))

    @pytest.mark.slow
    def test_errors_of_all_requests_come_from_the_processes(self):
        self.test_errors_of_all_requests_are_raised_before_the_first(workers=2)

    def test_a_result_that_gets_lost_is_an_error_of_its_request(self):
        lost, done = Future(), Future()
        lost.set_exception(MemoryError("too large"))
        done.set_result(RenderResult(1, b"data"))
        first, second = requests(2)
        running = {lost: first, done: second}
        results = sorted(processes._completed(running))
        self.assertEqual(
            [(x.number, x.error) for x in results], [(0, "MemoryError: too large"), (1, None)]
        )
        self.assertEmpty(running)

    @pytest.mark.slow
    def test_a_request_that_kills_workers_fails_and_no_other(self):
        given = list(requests(4))
        given[1] = given[1]._replace(content=("deadly", Deadly()))
        results = {each.number: each for each in processes.render(CONFIG, given, workers=2)}
        self.assertEqual(sorted(results), [0, 1, 2, 3])
        failed = results.pop(1)
        self.assertIn("its worker died", failed.error)
        self.assertIsNone(failed.data)
        for result in results.values():
            self.assertIsNone(result.error)
            self.assertEqual(image_io.read("rendered", result.data).rgb.shape[1], 48)

    @pytest.mark.slow
    def test_requests_of_a_killed_worker_are_rendered_by_others_and_leaving_ends_them(self):
        given = list(requests(6))
        stream = processes.render(CONFIG, given, workers=2)
        numbers = [next(stream).number]
        multiprocessing.active_children()[0].kill()
        results = [next(stream) for _ in range(4)]
        self.assertEqual([result.error for result in results], [None] * 4)
        self.assertLen({*numbers, *(result.number for result in results)}, 5)
        self.assertNotEmpty(multiprocessing.active_children())
        stream.close()


if __name__ == "__main__":
    absltest.main()
