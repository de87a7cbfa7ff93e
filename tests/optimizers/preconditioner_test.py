import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from nst_tf.optimizers import preconditioner


class DampTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters((12, 16), (15, 9), (8, 8))
    def test_equals_numpy(self, height, width):
        image = np.random.default_rng(0).uniform(-1, 1, (2, height, width, 3)).astype(np.float32)
        down, across = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
        waves = np.maximum(np.hypot(down, across), 1 / max(height, width))
        spectrum = np.fft.fft2(image, axes=(1, 2)) * waves[..., np.newaxis] ** -0.7
        expected = np.fft.ifft2(spectrum, axes=(1, 2)).real
        self.assertAllClose(preconditioner.damp(image, 0.7), expected, rtol=1e-4, atol=1e-4)

    def test_a_wave_is_multiplied_by_its_frequency(self):
        wave = np.sin(2 * np.pi * 4 / 32 * np.arange(32), dtype=np.float32)
        image = np.ones((1, 16, 1, 3), np.float32) * wave[:, np.newaxis]
        self.assertAllClose(preconditioner.damp(image, 1.0), image * 8, rtol=1e-4, atol=1e-4)

    def test_exponent_0_changes_nothing(self):
        image = np.random.default_rng(0).uniform(-1, 1, (1, 7, 10, 3)).astype(np.float32)
        self.assertAllClose(preconditioner.damp(image, 0.0), image, atol=1e-5)

    def test_unknown_size_in_a_graph(self):
        image = np.random.default_rng(0).uniform(-1, 1, (1, 7, 10, 3)).astype(np.float32)
        graph = tf.function(
            lambda image: preconditioner.damp(image, 0.7),
            input_signature=[tf.TensorSpec([1, None, None, 3])],
        )
        self.assertAllClose(graph(image), preconditioner.damp(image, 0.7))

    def test_is_symmetric_and_positive(self):
        """What a first guess of an inverse Hessian must be."""
        a, b = np.random.default_rng(0).uniform(-1, 1, (2, 1, 9, 14, 3)).astype(np.float32)
        damped_a, damped_b = (preconditioner.damp(image, 0.7).numpy() for image in (a, b))
        self.assertAllClose((a * damped_b).sum(), (damped_a * b).sum(), rtol=1e-4)
        self.assertGreater((a * damped_a).sum(), 0)


if __name__ == "__main__":
    tf.test.main()
