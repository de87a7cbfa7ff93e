import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from nst_tf.optimizers.preconditioner import fourier_precondition


def random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


class FourierPreconditionTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters((12, 16, 0.7), (15, 9, 0.7), (8, 8, 0.0))
    def test_equals_numpy(self, height, width, exponent):
        image = random(2, height, width, 3)
        down, across = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
        frequency = np.maximum(np.hypot(down, across), 1 / max(height, width))
        spectrum = np.fft.fft2(image, axes=(1, 2)) * frequency[..., np.newaxis] ** -exponent
        expected = np.fft.ifft2(spectrum, axes=(1, 2)).real
        self.assertAllClose(fourier_precondition(image, exponent), expected, rtol=1e-4, atol=1e-4)

    def test_unknown_size_in_a_graph(self):
        image = random(1, 7, 10, 3)
        graph = tf.function(
            lambda image: fourier_precondition(image, 0.7),
            input_signature=[tf.TensorSpec([1, None, None, 3])],
        )
        self.assertAllClose(graph(image), fourier_precondition(image, 0.7))

    def test_is_symmetric_and_positive(self):
        """As a first guess of an inverse Hessian must be."""
        a, b = random(1, 9, 14, 3), random(1, 9, 14, 3, seed=1)
        filtered_a, filtered_b = (fourier_precondition(image, 0.7).numpy() for image in (a, b))
        self.assertAllClose((a * filtered_b).sum(), (filtered_a * b).sum(), rtol=1e-4)
        self.assertGreater((a * filtered_a).sum(), 0)


if __name__ == "__main__":
    tf.test.main()
