from pathlib import Path
from unittest import mock

from absl.testing import absltest
from testing.reports import BLACK, BLUE, CYAN, GREEN, RED, filled

from nst_tf.batch.jobs import pair
from nst_tf.images import image_io
from nst_tf.reports import contact_sheet, thumbnails

COLORS = {"a": RED, "b": GREEN, "s": BLUE, "a__s": CYAN, "b__s": BLACK}


class ThumbnailsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        for name, color in COLORS.items():
            image_io.write(self.folder / f"{name}.png", filled(color, 300, 200))

    def tables(self, contents="ab", styles="s", entries=()):
        contents, styles = (
            [str(self.folder / f"{name}.png") for name in names] for names in (contents, styles)
        )
        jobs = pair(contents, styles)
        tables = list(thumbnails.tables(jobs, dict(entries), self.folder))
        self.assertLen(tables, thumbnails.num_tables(jobs))
        return tables

    def colors(self, table):
        return [
            [None if each.rgb is None else tuple(each.rgb.mean((0, 1)).round(1)) for each in row]
            for row in table
        ]

    def test_rows_are_content_images_and_columns_are_style_images(self):
        (table,) = self.tables()
        self.assertEqual(self.colors(table), [[None, BLUE], [RED, CYAN], [GREEN, BLACK]])
        self.assertEqual([each.name for each in table[1]], ["a.png", "a__s.png"])
        self.assertEqual(table[1][1].rgb.shape, (thumbnails.SIDE, thumbnails.SIDE * 2 // 3, 3))

    def test_large_images_are_reduced_while_they_are_decoded(self):
        image_io.write(self.folder / "a.png", filled(RED, 1600, 1200))
        with mock.patch.object(image_io, "read", wraps=image_io.read) as read:
            (table,) = self.tables()
        self.assertEqual(table[1][0].rgb.shape, (thumbnails.SIDE, thumbnails.SIDE * 3 // 4, 3))
        self.assertEqual({call.kwargs["long_side"] for call in read.mock_calls}, {thumbnails.SIDE})

    def test_what_failed_or_cannot_be_read_has_no_image(self):
        (self.folder / "a.png").write_bytes(b"none")
        entry = {"error": "is bad"}  # the output of an earlier run is there
        (table,) = self.tables(entries={"b__s.png": entry})
        self.assertEqual(self.colors(table), [[None, BLUE], [None, CYAN], [GREEN, None]])
        self.assertEqual(table[2][1].entry, entry)

    def test_whatever_goes_wrong_with_one_shows_the_others(self):
        read = image_io.read

        def out_of_memory(path, **options):
            if Path(path).name == "a.png":
                raise MemoryError
            return read(path, **options)

        with mock.patch.object(image_io, "read", out_of_memory):
            (table,) = self.tables()
        self.assertEqual(self.colors(table), [[None, BLUE], [None, CYAN], [GREEN, BLACK]])

    def test_many_content_images_make_several_tables(self):
        names = [f"none{number}" for number in range(150)]
        tables = self.tables(names)
        self.assertGreater(len(tables), 1)
        rows = [row[0].name for table in tables for row in table[1:]]
        self.assertEqual(rows, [f"{name}.png" for name in names])

    def test_a_wide_sheet_stays_within_what_a_jpeg_can_hold(self):
        image_io.write(self.folder / "s0.png", filled(BLUE, 8, 8))
        names = [f"s{number}" for number in range(900)]
        for name in names[1:]:
            (self.folder / f"{name}.png").symlink_to("s0.png")
        (table,) = self.tables("a", names)
        self.assertLess(max(contact_sheet.batch_sheet(table).shape), 65_500)


if __name__ == "__main__":
    absltest.main()
