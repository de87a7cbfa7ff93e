import tensorflow as tf
from absl.testing import parameterized

from nst_tf.export import checks

NAN = float("nan")


class ChecksTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(
        (checks.images, (2, 32, 512, 3), 1.0),
        (checks.single_image, (1, 32, 40, 3), 0.0),
        (checks.weight, (), 0.0),
        (lambda _, value: checks.steps(value), (), checks.MAX_STEPS),
    )
    def test_gives_what_is_allowed(self, check, shape, value):
        tensor = tf.fill(shape, value)
        self.assertAllEqual(check("x", tensor), tensor)

    @parameterized.parameters(
        (checks.images, (0, 64, 64), 0.0, "x: expected sides from 32 px.* got the shape"),
        (checks.images, (1, 31, 64), 0.0, "x: expected sides from 32 px"),
        (checks.images, (1, 32, 513), 0.0, "x: expected sides .* at most 16 times the other"),
        (checks.images, (1, 64, 64), 1.01, r"x: expected values in \[0, 1\], got"),
        (checks.images, (1, 64, 64), -0.01, "x: expected values"),
        (checks.images, (1, 64, 64), NAN, "x: expected values"),
        (checks.single_image, (2, 64, 64), 0.0, "x: expected one image"),
        (checks.single_image, (1, 31, 64), 0.0, "x: expected sides from 32 px"),
    )
    def test_refuses_images(self, check, size, value, message):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            check("x", tf.fill([*size, 3], value))

    @parameterized.parameters(
        (lambda: checks.steps(tf.constant(0)), "steps: expected 1 to 100000"),
        (lambda: checks.steps(tf.constant(2**31 - 1)), "steps: expected 1 to 100000"),
        (lambda: checks.weight("x", tf.constant(-1.0)), "x: expected a number from 0"),
        (lambda: checks.weight("x", tf.constant(NAN)), "x: expected a number from 0"),
    )
    def test_refuses_numbers(self, check, message):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            check()

    def test_equal_batches(self):
        for counts in ((2, 2), (1, 2), (2, 1)):
            first, second = map(tf.zeros, counts)
            self.assertAllEqual(checks.equal_batches(("a", first), ("b", second)), first)
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "a, b: expected equal batches"):
            checks.equal_batches(("a", tf.zeros(2)), ("b", tf.zeros(3)))


if __name__ == "__main__":
    tf.test.main()
