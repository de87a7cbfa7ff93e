from unittest import mock

import numpy as np
import psutil
import tensorflow as tf
from absl.testing import parameterized
from tensorflow.python.client import device_lib
from testing.networks import extractor

from nst_tf import InputError, Settings, limits
from nst_tf.networks import device
from nst_tf.run import memory_plan

GIB = 2**30
LARGE = (1365, 2048)


def simd(avx512):
    return {"SIMD Extensions": {"found": ["X86_V3", "X86_V4"] if avx512 else ["X86_V3"]}}


class PlanTest(parameterized.TestCase):
    def plan(self, size, used=0.7 * GIB, free=20 * GIB, avx512=True, styles=(), **changes):
        (plan,) = self.plans([size], used, free, avx512, styles, **changes)
        return plan

    def plans(self, sizes, used=0.7 * GIB, free=20 * GIB, avx512=True, styles=(), **changes):
        settings = Settings(precision="float32", **changes)
        with (
            mock.patch.object(memory_plan, "used_and_free", return_value=(used, free)),
            mock.patch.object(np, "show_config", return_value=simd(avx512)),
        ):
            network = extractor(Settings())
            return memory_plan.plan(sizes, network, settings, style_sizes=styles)

    def test_whole_where_it_fits(self):
        plan = self.plan((384, 512))
        self.assertEqual((plan.num_tiles, plan.lbfgs_history), (1, 10))
        self.assertBetween(plan.total_bytes, 0.7 * GIB, 1.7 * GIB)

    def test_measured_peak_is_within_the_estimate(self):
        """The whole bridge of samples/ at 512 px, where the process had 0.71 GiB before."""
        plan = self.plan((375, 512), used=0.71 * GIB, avx512=False)
        self.assertBetween(plan.total_bytes, 1.62 * GIB, 1.15 * 1.62 * GIB)

    @parameterized.parameters(
        (simd(True), 1),
        ({"SIMD Extensions": {"found": ["AVX512F"]}}, 1),
        (simd(False), 2.3),
        ({"SIMD Extensions": {}}, 2.3),
        ({}, 2.3),
    )
    def test_convolutions_take_more_without_avx512(self, config, expected):
        with mock.patch.object(np, "show_config", return_value=config):
            self.assertEqual(memory_plan._layout_factor(), expected)

    def test_less_memory_gives_more_tiles_and_a_shorter_history(self):
        limits = (20, 4, 2.5, 2)
        plans = [self.plan(LARGE, max_memory=limit) for limit in limits]
        for plan, limit in zip(plans, limits, strict=True):
            self.assertLessEqual(plan.total_bytes, limit * GIB)
        num_tiles = [plan.num_tiles for plan in plans]
        histories = [plan.lbfgs_history for plan in plans]
        self.assertEqual(num_tiles[0], 1)
        self.assertEqual(num_tiles, sorted({*num_tiles}))
        self.assertEqual(histories[:2], [10, 10])
        self.assertEqual(histories, sorted(histories, reverse=True))
        self.assertBetween(histories[-1], memory_plan._MIN_HISTORY, 9)

    def test_history_that_takes_little_is_kept(self):
        """At 512 px a pair takes 5 MB and the features hundreds."""
        whole = self.plan((384, 512)).total_bytes / GIB
        for limit in (0.9 * whole, 0.95 * whole):
            plan = self.plan((384, 512), max_memory=limit)
            self.assertGreater(plan.num_tiles, 1)
            self.assertGreaterEqual(plan.lbfgs_history, 8)

    def test_no_layer_has_more_values_than_32_bits_count(self):
        plan = self.plan((8192, 8192), used=0, free=500 * GIB, optimizer="adam")
        self.assertGreater(plan.num_tiles, 1)
        self.assertLess(64 * plan.max_tile_pixels, 2**31)

    def test_adam_has_no_history_to_shorten(self):
        plan = self.plan(LARGE, max_memory=2, optimizer="adam")
        self.assertEqual(plan.lbfgs_history, 10)
        self.assertGreater(plan.num_tiles, 1)

    def test_history_is_never_longer_than_in_the_settings(self):
        self.assertEqual(self.plan(LARGE, lbfgs_history=2, max_memory=4).lbfgs_history, 2)

    def test_takes_a_fraction_of_the_free_memory(self):
        plan = self.plan(LARGE, free=4 * GIB)
        self.assertBetween(plan.total_bytes, 2.7 * GIB, (0.7 + 0.6 * 4) * GIB)

    def test_little_is_left_beside_what_the_process_has(self):
        """As within a container's 2 GiB."""
        self.assertLess(self.plan((48, 64), used=0.9 * GIB, free=1.1 * GIB).total_bytes, 1.5 * GIB)

    def test_too_little_says_how_much_is_enough(self):
        with self.assertRaisesRegex(
            InputError, r"^max_memory=1: 2048 x 1365 px take \S+ GiB at least; give --max_memory="
        ) as caught:
            self.plan(LARGE, max_memory=1)
        enough = float(str(caught.exception).split("--max_memory=")[1].split()[0])
        self.plan(LARGE, max_memory=enough)
        with self.assertRaisesRegex(
            InputError, "max_memory=0: with 60% of what is free 1.30 GiB: .* or a smaller --size"
        ):
            self.plan(LARGE, free=GIB)

    def test_advice_is_that_of_the_scale_that_takes_most_and_holds(self):
        sizes = [(1000, 1500), (2000, 3000), (4000, 6000)]
        with self.assertRaisesRegex(InputError, "6000 x 4000 px take") as caught:
            self.plans(sizes, max_memory=2)
        enough = float(str(caught.exception).split("--max_memory=")[1].split()[0])
        self.assertLessEqual(self.plans(sizes, max_memory=enough)[-1].total_bytes, enough * GIB)

    def test_advice_names_the_cause(self):
        whole = dict(used=3 * GIB, max_memory=2)
        with self.assertRaisesRegex(InputError, "; 3.00 GiB of it are taken before the run"):
            self.plan((48, 64), **whole)
        large_strokes = dict(styles=[(9000, 9000)], style_scale=4.0, max_memory=3)
        with self.assertRaisesRegex(InputError, r"=\S+ or a smaller --style_scale$"):
            self.plan(LARGE, **large_strokes)
        self.plan(LARGE, max_memory=3)

    def test_style_images_are_in_the_estimate(self):
        """Whole in the size of the scale, their features in tiles."""
        size, styles = (192, 256), [(300, 200), (3000, 3000)]
        alone = self.plan(size, style_scale=4.0).total_bytes
        found = self.plan(size, styles=styles, style_scale=4.0).total_bytes
        self.assertEqual(found - alone, 36 * 1024**2)
        # Of a small photograph, the least that a tile has counts.
        tiny = self.plan((64, 64), styles=styles, style_scale=4.0).total_bytes
        whole = self.plan((128, 256)).total_bytes
        self.assertBetween(tiny, whole - 0.02 * GIB, whole + 0.02 * GIB)

    @mock.patch.object(device, "describe", lambda: "the CPU, 2 cores")
    def test_description(self):
        settings = Settings(precision="float32")
        large = memory_plan.ScalePlan(10**5, 10, 2, 10**7, 5.5 * GIB)
        larger = memory_plan.ScalePlan(10**5, 4, 60, 10**8, 5.43 * GIB)
        self.assertEqual(
            memory_plan.describe([large, larger], settings),
            "float32 on the CPU, 2 cores, memory: about 5.5 GiB, the last scale in 60 tiles, "
            "--lbfgs_history=4 there to save memory",
        )
        small = memory_plan.ScalePlan(10**5, 10, 1, 10**5, 1.04 * GIB)
        self.assertEndsWith(memory_plan.describe([small], settings), "memory: about 1.0 GiB")


class UsedAndFreeTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        # Of the machine, where other programs take and free memory, too.
        self.enter_context(mock.patch.object(limits, "free_memory", return_value=50 * GIB))

    def test_what_tensorflow_keeps_is_free(self):
        """Its allocator takes up to 128 MiB more than a tensor has."""
        tensor = tf.ones([400 * 2**20 // 4])
        used, free = memory_plan.used_and_free()
        del tensor
        used_after, free_after = memory_plan.used_and_free()
        self.assertBetween(used, 0.1 * GIB, 50 * GIB)
        self.assertBetween((used - used_after) / 2**20, 390, 538)
        self.assertBetween((free_after - free) / 2**20, 390, 538)

    @parameterized.parameters(
        (80 * GIB, {"current": 3 * GIB}, (3 * GIB, 77 * GIB)),
        # Apple's plug-in.
        (0, {"current": 0}, None),
        (80 * GIB, ValueError("Allocator stats not available"), None),
    )
    def test_memory_of_a_gpu(self, whole, info, expected):
        devices = [
            mock.Mock(device_type="CPU", memory_limit=2**28),
            mock.Mock(device_type="GPU", memory_limit=whole),
        ]
        read = mock.Mock(side_effect=[info])
        with (
            mock.patch.object(device, "gpu", return_value="a GPU"),
            mock.patch.object(tf.config, "list_logical_devices", return_value=["a GPU"]) as set_up,
            mock.patch.object(device_lib, "list_local_devices", return_value=devices),
            mock.patch.object(tf.config.experimental, "get_memory_info", read),
            mock.patch.object(memory_plan, "_freed_by_tensorflow", return_value=0),
        ):
            used, free = memory_plan.used_and_free()
        set_up.assert_called_once_with("GPU")
        machine = (psutil.Process().memory_info().rss, 50 * GIB)
        self.assertEqual(free, (expected or machine)[1])
        self.assertBetween(used / (expected or machine)[0], 0.9, 1.1)


if __name__ == "__main__":
    tf.test.main()
