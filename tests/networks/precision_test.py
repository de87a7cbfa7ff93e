from pathlib import Path
from unittest import mock

import tensorflow as tf
from absl.testing import parameterized

from nst_tf.networks import precision


def devices(**details):
    """One GPU with these details; none without."""
    return mock.patch.multiple(
        tf.config,
        get_visible_devices=lambda kind: ["gpu"] if details else [],
        experimental=mock.Mock(get_device_details=lambda gpu: details),
    )


class PrecisionTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(
        (set(), "float32"),
        ({"fma", "avx2", "f16c"}, "float32"),
        ({"avx512f", "avx512_vnni", "avx512_fp16"}, "float32"),
        ({"avx2", "avx512_bf16"}, "bfloat16"),
        ({"amx_tile", "amx_bf16"}, "bfloat16"),
    )
    def test_cpus(self, flags, expected):
        self.assertEqual(precision.cpu_precision(flags), expected)

    @parameterized.parameters(
        (None, "float32"),
        ((6, 1), "float32"),
        ((7, 0), "float16"),
        ((7, 5), "float16"),
        ((8, 0), "bfloat16"),
        ((12, 0), "bfloat16"),
    )
    def test_gpus(self, compute_capability, expected):
        self.assertEqual(precision.gpu_precision(compute_capability), expected)

    @parameterized.parameters(
        ("processor\t: 0\nflags\t\t: fpu avx512_bf16\nbugs\t\t:\n", "bfloat16"),
        ("processor\t: 0\nflags\t\t: fpu avx2\nmodel name\t: avx512_bf16\n", "float32"),
        ("processor\t: 0\nFeatures\t: fp asimd\n", "float32"),
        (None, "float32"),
    )
    def test_auto_reads_the_instruction_sets(self, cpuinfo, expected):
        path = Path(self.create_tempdir().full_path, "cpuinfo")
        if cpuinfo is not None:
            path.write_text(cpuinfo)
        with mock.patch.object(precision, "_CPUINFO", path), devices():
            self.assertEqual(precision.resolve("auto"), expected)

    def test_auto_asks_the_gpu_where_there_is_one(self):
        with devices(device_name="NVIDIA", compute_capability=(7, 5)):
            self.assertEqual(precision.resolve("auto"), "float16")
        with devices(device_name="another"):
            self.assertEqual(precision.resolve("auto"), "float32")

    @parameterized.parameters("auto", "float32", "bfloat16", "float16")
    def test_keeps_a_given_type_and_switches_tensor_float_32_off(self, given):
        tf.config.experimental.enable_tensor_float_32_execution(True)
        found = precision.resolve(given)
        self.assertFalse(tf.config.experimental.tensor_float_32_execution_enabled())
        if given != "auto":
            self.assertEqual(found, given)


if __name__ == "__main__":
    tf.test.main()
