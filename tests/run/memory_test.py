from pathlib import Path
from unittest import mock

import numpy as np
import psutil
import tensorflow as tf
from absl.testing import parameterized

from nst_tf import InputError, Settings
from nst_tf.networks import vgg
from nst_tf.run import memory

GIB = 2**30
LARGE = (2731, 4096)


def simd(avx512):
    return {"SIMD Extensions": {"found": ["X86_V3", "X86_V4"] if avx512 else ["X86_V3"]}}


def extractor():
    settings = Settings()
    return vgg.extractor(
        settings.style_layers,
        settings.content_layers,
        network="vgg19",
        weights="bundled",
        pooling="max",
        precision="float32",
    )


class PlanTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = extractor()

    def plan(self, *sizes, used=0.7 * GIB, free=20 * GIB, avx512=True, **knobs):
        settings = Settings(precision="float32", **knobs)
        with (
            mock.patch.object(memory, "used_and_free", return_value=(used, free)),
            mock.patch.object(np, "show_config", return_value=simd(avx512)),
        ):
            return memory.plan(sizes, self.network, settings)

    def test_whole_where_it_fits(self):
        for plan in self.plan((192, 256), (384, 512)):
            self.assertEqual((plan.tiles, plan.history), (1, 10))
            self.assertBetween(plan.total, 0.7 * GIB, 1.7 * GIB)

    @parameterized.parameters(2.0, 4.0, 5.5, 12.0)
    def test_keeps_within_the_limit(self, limit):
        for size in ((192, 256), (768, 1024), (1365, 2048)):
            (plan,) = self.plan(size, max_memory=limit)
            self.assertLessEqual(plan.total, limit * GIB)

    def test_a_measured_peak_is_within_the_estimate(self):
        """The whole bridge of samples/ at 512 px, where the process had 0.71 GiB before."""
        (plan,) = self.plan((375, 512), used=0.71 * GIB, avx512=False)
        self.assertBetween(plan.total, 1.62 * GIB, 1.15 * 1.62 * GIB)

    @parameterized.parameters(
        (simd(True), 1),
        ({"SIMD Extensions": {"found": ["AVX512F"]}}, 1),
        (simd(False), 2.3),
        ({"SIMD Extensions": {}}, 2.3),
        ({}, 2.3),
    )
    def test_convolutions_take_more_without_avx512(self, config, expected):
        with mock.patch.object(np, "show_config", return_value=config):
            self.assertEqual(memory._layout(), expected)

    def test_less_memory_gives_more_tiles_and_a_shorter_history(self):
        plans = [self.plan(LARGE, max_memory=limit)[0] for limit in (60, 14, 8, 5, 4.7)]
        tiles = [plan.tiles for plan in plans]
        histories = [plan.history for plan in plans]
        self.assertEqual(tiles[0], 1)
        self.assertGreater(tiles[-1], tiles[1])
        self.assertEqual(histories[:2], [10, 10])
        self.assertEqual(histories, sorted(histories, reverse=True))
        self.assertBetween(histories[-1], memory.LEAST_HISTORY, 9)

    def test_a_history_that_costs_little_is_kept(self):
        """At 512 px a pair takes 5 MB and the features hundreds."""
        least = self.plan((384, 512))[0].total / GIB
        for limit in (0.9 * least, 0.95 * least):
            (plan,) = self.plan((384, 512), max_memory=limit)
            self.assertGreater(plan.tiles, 1)
            self.assertGreaterEqual(plan.history, 8)

    def test_no_layer_has_more_values_than_32_bits_count(self):
        (plan,) = self.plan((8192, 8192), used=0, free=500 * GIB)
        self.assertGreater(plan.tiles, 1)
        self.assertLess(64 * plan.most, 2**31)

    def test_adam_has_no_history_to_shorten(self):
        (plan,) = self.plan(LARGE, max_memory=4, optimizer="adam")
        self.assertEqual(plan.history, 10)
        self.assertGreater(plan.tiles, 1)

    def test_takes_a_share_of_what_is_free(self):
        (plan,) = self.plan(LARGE, free=10 * GIB)
        self.assertLessEqual(plan.total, 6 * GIB)
        self.assertGreater(plan.total, 4 * GIB)

    def test_a_longer_history_than_asked_for_is_never_planned(self):
        for history in (1, 2):
            (plan,) = self.plan(LARGE, history=history, max_memory=5)
            self.assertEqual(plan.history, history)

    def test_too_little_says_how_much_it_takes(self):
        with self.assertRaisesRegex(
            InputError, r"^max_memory=1: 4096 x 2731 px take \S+ GiB at least; give --max_memory="
        ) as caught:
            self.plan(LARGE, max_memory=1.0)
        enough = float(str(caught.exception).split("--max_memory=")[1].split()[0])
        self.plan(LARGE, max_memory=enough)
        with self.assertRaisesRegex(InputError, "max_memory=0: 60% of what is free are 0.60 GiB: "):
            self.plan((384, 512), free=GIB)

    def test_the_line_about_it(self):
        settings = Settings(precision="float32")
        large = memory.Plan(10**5, 10, 2, 10**7, 5.5 * GIB)
        larger = memory.Plan(10**5, 4, 60, 10**8, 5.43 * GIB)
        self.assertEqual(
            memory.describe([large, larger], settings),
            "memory: about 5.5 GiB, the last scale in 60 tiles, "
            "4 moves remembered at the last scale instead of 10",
        )
        self.assertEqual(
            memory.describe([memory.Plan(10**5, 10, 1, 10**5, 1.04 * GIB)], settings),
            "memory: about 1.0 GiB",
        )

    def test_measures_the_process(self):
        used, free = memory.used_and_free()
        self.assertBetween(used, 0.1 * GIB, 50 * GIB)
        self.assertGreater(free, 0)

    def test_what_tensorflow_keeps_is_free(self):
        """It hands out up to 128 MiB more than is asked for."""
        tensor = tf.ones([400 * 2**20 // 4])
        used, free = memory.used_and_free()
        del tensor
        again = memory.used_and_free()
        self.assertBetween((used - again[0]) / 2**20, 390, 538)
        self.assertGreater(again[1] - free, 200 * 2**20)

    @parameterized.parameters(("600000000", 200_000_000), ("max", None))
    def test_what_a_container_may_take_is_less_than_what_the_machine_has(self, limit, expected):
        whole = psutil.virtual_memory().available
        folder = Path(self.create_tempdir().full_path)
        stat = "anon 300000000\ninactive_file 100000000\n"
        for name, text in (("max", limit), ("current", "500000000"), ("memory.stat", stat)):
            (folder / name).write_text(text)
        groups = (("no such folder", "", "", ""), (folder, "max", "current", "inactive_file"))
        with (
            mock.patch.object(memory, "_CONTAINERS", groups),
            mock.patch.object(memory, "_kept", return_value=0),
        ):
            _, free = memory.used_and_free()
        expected = expected or whole
        self.assertBetween(free, 0.8 * expected, 1.2 * expected)


if __name__ == "__main__":
    tf.test.main()
