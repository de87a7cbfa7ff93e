import os
import shutil
from pathlib import Path
from unittest import mock

import tensorflow as tf
from absl.testing import absltest, parameterized

from nst_tf import limits
from nst_tf.networks import device


class DeviceTest(parameterized.TestCase):
    """A machine of two cores; a test adds its cards."""

    def setUp(self):
        super().setUp()
        self.cards = Path(self.create_tempdir().full_path, "gpus")
        self.cards.mkdir()
        self.enter_context(mock.patch.object(device, "_NVIDIA_CARDS", self.cards))
        self.cores = self.enter_context(mock.patch.object(limits, "num_cores", return_value=2))
        self.program = self.enter_context(mock.patch.object(shutil, "which", return_value=None))
        self.enter_context(mock.patch.dict(os.environ))
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)

    def gpus(self, *visible, physical=None):
        return mock.patch.multiple(
            tf.config,
            get_visible_devices=lambda kind: [*visible],
            list_physical_devices=lambda kind: [*(physical or visible)],
        )

    def test_cpu(self):
        with self.gpus():
            self.assertIsNone(device.gpu())
            self.assertEqual(device.describe(), "the CPU, 2 cores")
            self.cores.return_value = 1
            self.assertEqual(device.describe(), "the CPU, 1 core")

    @parameterized.parameters(
        ({"device_name": "NVIDIA H100 80GB HBM3"}, "NVIDIA H100 80GB HBM3"), ({}, "a GPU")
    )
    def test_first_gpu(self, details, expected):
        with (
            self.gpus("first", "second"),
            mock.patch.object(tf.config.experimental, "get_device_details") as described,
        ):
            described.side_effect = {"first": details}.get
            self.assertEqual(device.gpu(), "first")
            self.assertEqual(device.describe(), expected)

    def test_gpu_that_the_program_does_not_use(self):
        (self.cards / "0000:01:00.0").mkdir()
        with self.gpus(physical=["first"]):
            self.assertIsNone(device.gpu())
            self.assertEqual(device.describe(), "the CPU, 2 cores")

    @parameterized.parameters(
        (True, None, r"cannot use it, .* pip install -r requirements-gpu\.txt"),
        (True, "7", r"cannot use it, .*\.txt; or CUDA_VISIBLE_DEVICES=7 hides it"),
        (False, None, "this TensorFlow is built without CUDA"),
        (True, "-1", "CUDA_VISIBLE_DEVICES=-1 hides it"),
        (True, "", "CUDA_VISIBLE_DEVICES= hides it"),
    )
    def test_card_that_is_not_used(self, cuda, visible, expected):
        if visible is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
        (self.cards / "0000:01:00.0").mkdir()
        with self.gpus(), mock.patch.object(tf.test, "is_built_with_cuda", return_value=cuda):
            line = device.describe()
        self.assertRegex(line, rf"^the CPU, 2 cores \(an NVIDIA card is there, but .*{expected}\)$")

    @parameterized.parameters(
        ("/usr/lib/wsl/lib/nvidia-smi", True, True),
        ("/usr/bin/nvidia-smi", False, False),  # where one logs in to a cluster
        (None, True, False),  # a card of another maker
    )
    def test_card_in_the_linux_of_windows(self, program, has_card, expected):
        self.program.return_value = program
        card = self.cards.parent / "dxg"
        if has_card:
            card.touch()
        with mock.patch.object(device, "_WINDOWS_CARD", card), self.gpus():
            self.assertEqual("an NVIDIA card is there" in device.describe(), expected)


if __name__ == "__main__":
    absltest.main()
