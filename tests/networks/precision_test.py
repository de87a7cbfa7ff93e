from unittest import mock

import tensorflow as tf
from absl.testing import parameterized

from nst_tf.networks import precision


class PrecisionTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        precision.fastest.cache_clear()
        self.addCleanup(precision.fastest.cache_clear)

    @parameterized.parameters(
        ({"float32": 1.0, "bfloat16": 0.5}, "bfloat16"),
        ({"float32": 1.0, "bfloat16": 0.76}, "bfloat16"),
        ({"float32": 1.0, "bfloat16": 0.78}, "float32"),
        ({"float32": 1.0, "bfloat16": 1.0}, "float32"),
        ({"float32": 1.0, "bfloat16": 5.0}, "float32"),
        ({"float32": 1.0, "bfloat16": 5.0, "float16": 0.5}, "float16"),
        ({"float32": 1.0, "bfloat16": 0.5, "float16": 0.5}, "bfloat16"),
        ({"float32": 1.0, "bfloat16": 0.7, "float16": 0.3}, "float16"),
    )
    def test_auto_takes_a_shorter_type_only_where_it_pays(self, seconds, expected):
        devices = ["GPU"] if "float16" in seconds else []
        with mock.patch.object(precision, "_measure", side_effect=lambda types: seconds):
            with mock.patch.object(tf.config, "list_physical_devices", return_value=devices):
                self.assertEqual(precision.resolve("auto"), expected)

    def test_measures_once_a_process_and_float16_only_on_a_gpu(self):
        with mock.patch.object(precision, "_measure", wraps=precision._measure) as measure:
            first = precision.resolve("auto")
            self.assertEqual(precision.resolve("auto"), first)
        expected = ["float32", "bfloat16"]
        if tf.config.list_physical_devices("GPU"):
            expected.append("float16")
        measure.assert_called_once_with(expected)

    @parameterized.parameters("float32", "bfloat16", "float16")
    def test_what_is_asked_for_is_not_measured(self, name):
        with mock.patch.object(precision, "_measure", side_effect=AssertionError):
            self.assertEqual(precision.resolve(name), name)

    def test_the_measurement_knows_fast_from_slow(self):
        seconds = precision._measure(["float32", "float64"])
        self.assertLess(seconds["float32"], seconds["float64"])


if __name__ == "__main__":
    tf.test.main()
