import numpy as np
import tensorflow as tf

from nst_tf.reports import comparison_sheet
from nst_tf.reports.comparison import Entry, Scores

SCORES = Scores(style=0.0208, content=0.654, ssim=0.4, grain=0.95)


def entries(height=60, width=80):
    red, green = (np.zeros([height, width, 3], np.float32) for _ in range(2))
    red[..., 0], green[..., 1] = 1, 1
    painting = np.zeros([20, 40, 3], np.float32)
    return [
        Entry("photograph", red, SCORES),
        Entry("painting", painting),
        Entry("optimised", green, SCORES, seconds_cold=12.0, seconds_warm=10.04),
    ]


class PanelTest(tf.test.TestCase):
    def test_captions_say_what_is_known(self):
        photograph, painting, optimised = entries()
        scores = "style 0.021, content 0.65, SSIM 0.40, grain 0.95"
        self.assertEqual(comparison_sheet.caption(photograph), ["photograph", scores])
        self.assertEqual(comparison_sheet.caption(painting), ["painting"])
        seconds = "12 s cold, 10 s warm"
        self.assertEqual(comparison_sheet.caption(optimised), ["optimised", seconds, scores])

    def test_the_pictures_stand_side_by_side_in_the_height_of_the_photograph(self):
        laid = comparison_sheet.panel([entries()])
        self.assertEqual(laid.dtype, np.float32)
        line = laid[30]
        # 80 of the photograph, 120 of the painting, 80 of the optimised picture.
        count = [int((line == color).all(-1).sum()) for color in ([1, 0, 0], [0, 0, 0], [0, 1, 0])]
        self.assertEqual(count, [80, 120, 80])
        self.assertAllEqual(laid[0], np.ones_like(laid[0]))

    def test_there_is_writing_below_each_picture_and_none_on_it(self):
        laid = comparison_sheet.panel([entries(120, 160)])
        dark = (laid < 0.5).all(-1)
        below = dark[130:]
        self.assertTrue(all(part.any() for part in np.array_split(below, 3, axis=1)))
        self.assertFalse(dark[:124, :168].any())

    def test_pairs_of_different_widths_make_rows(self):
        first, second = entries(), entries(60, 40)
        laid = comparison_sheet.panel([first, second])
        self.assertEqual(laid.shape[1], comparison_sheet.panel([first]).shape[1])
        heights = [comparison_sheet.panel([each]).shape[0] for each in (first, second)]
        self.assertEqual(laid.shape[0], sum(heights))
        self.assertAllEqual(laid[-30, -20:], np.ones([20, 3]))


if __name__ == "__main__":
    tf.test.main()
