from dataclasses import replace

import numpy as np
import tensorflow as tf
from testing.reports import BLACK, BLUE, CYAN, GREEN, RED, entries, table

from nst_tf.reports.contact_sheet import batch_sheet, comparison_sheet


def count(pixels, color):
    """How many pixels have a color."""
    return int((np.abs(pixels - color) < 0.001).all(-1).sum())


class ComparisonSheetTest(tf.test.TestCase):
    def test_the_images_stand_side_by_side_in_the_height_of_the_content_image(self):
        sheet = comparison_sheet([entries()])
        self.assertEqual(sheet.dtype, np.float32)
        # 80 of the content image, 120 of the style image, 80 of the result.
        self.assertEqual([count(sheet[30], each) for each in (RED, BLACK, GREEN)], [80, 120, 80])
        self.assertAllEqual(sheet[0], np.ones_like(sheet[0]))

    def test_there_is_writing_below_each_image_and_none_on_it(self):
        sheet = comparison_sheet([entries(120, 160)])
        dark = (sheet < 0.5).all(-1)
        self.assertTrue(all(part.any() for part in np.array_split(dark[130:], 3, axis=1)))
        self.assertFalse(dark[:124, :168].any())

    def test_names_that_are_no_text_or_more_than_a_line_are_captions(self):
        for name, shown in (("caf\udce9", r"caf\xe9"), ("a\nb", "a b")):
            found, expected = (
                comparison_sheet([[replace(each, name=text) for each in entries(120, 160)]])
                for text in (name, shown)
            )
            self.assertAllEqual(found, expected)

    def test_comparisons_of_different_widths_make_rows(self):
        first, second = entries(), entries(60, 40)
        sheet = comparison_sheet([first, second])
        heights, widths, _ = zip(
            *(comparison_sheet([each]).shape for each in (first, second)), strict=True
        )
        self.assertEqual(sheet.shape, (sum(heights), max(widths), 3))
        self.assertAllEqual(sheet[-30, -20:], np.ones([20, 3]))


class BatchSheetTest(tf.test.TestCase):
    def test_shows_each_image_undistorted_and_gray_where_one_failed(self):
        sheet = batch_sheet(table())
        for color, area in ((BLUE, 40 * 90), (RED, 60 * 80), (GREEN, 60 * 80), (CYAN, 90 * 30)):
            self.assertEqual(count(sheet, color), area)
        # The cell is as high as its row and as wide as its column.
        self.assertEqual(count(sheet, [0.9] * 3), 90 * 90)

    def test_an_original_that_is_missing_leaves_its_place_white(self):
        rows = table()
        rows[2][0] = rows[2][0]._replace(rgb=None)
        sheet = batch_sheet(rows)
        self.assertAllEqual(sheet[-40:, :80], np.ones([40, 80, 3]))


if __name__ == "__main__":
    tf.test.main()
