from absl.testing import absltest
from testing.runs import fake_run


class ProgressTest(absltest.TestCase):
    def test_done_counts_pixels(self):
        """A step at twice the size is four times the work."""
        run = list(fake_run([1.0] * 4, [1.0] * 2, size=(72, 96)))
        for progress, work in zip(run, (1, 2, 3, 4, 8, 12), strict=True):
            self.assertAlmostEqual(progress.done, work / 12)

    def test_repr_is_short(self):
        """That of a dataclass would show the whole picture."""
        *_, last = fake_run([1.0], [1.0, 1.0], size=(72, 96))
        self.assertEqual(repr(last), "Progress(scale 2/2, 96 x 72 px, step 2/2)")


if __name__ == "__main__":
    absltest.main()
