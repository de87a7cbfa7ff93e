import base64
import io
import re
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image

from nst_tf.batch.jobs import pair
from nst_tf.images import image_io
from nst_tf.reports import batch_page, thumbnails
from nst_tf.reports.contact_sheet import sheet

# Each picture in a colour of its own.
COLORS = {
    "a": (1, 0, 0),
    "b": (0, 1, 0),
    "s": (0, 0, 1),
    "t": (1, 1, 0),
    "a__s": (0, 1, 1),
    "a__t": (1, 0, 1),
    "b__s": (0.5, 0, 0),
    "b__t": (0, 0.5, 0),
}


class GalleryTest(parameterized.TestCase):
    def setUp(self):
        self.folder = Path(self.create_tempdir().full_path)
        for name, color in COLORS.items():
            height = 300 if name.startswith("b") else 150
            image_io.write(
                self.folder / f"{name}.png", np.full((height, 200, 3), color, np.float32)
            )
        self.jobs = pair(self.paths("a", "b"), self.paths("s", "t"))
        self.entries = {
            job.output: {"error": None, "seconds": 1.25, "losses": {"total": 0.5}}
            for job in self.jobs
        }

    def paths(self, *names):
        return [str(self.folder / f"{name}.png") for name in names]

    def fail(self, output):
        self.entries[output] = {"error": "<no> picture", "seconds": 0.0, "losses": {}}

    def tables(self):
        return list(thumbnails.tables(self.jobs, self.entries, self.folder))

    def test_rows_are_photographs_and_columns_are_paintings(self):
        (table,) = self.tables()
        found = [
            [None if each.rgb is None else tuple(each.rgb.mean((0, 1)).round(1)) for each in row]
            for row in table
        ]
        names = [[None, "s", "t"], ["a", "a__s", "a__t"], ["b", "b__s", "b__t"]]
        expected = [[COLORS.get(name) for name in row] for row in names]
        self.assertEqual(found, expected)
        for row in table:
            for each in row:
                if each.rgb is not None:
                    self.assertEqual(max(each.rgb.shape), thumbnails.SIDE)

    def test_a_sheet_shows_each_picture_undistorted(self):
        (table,) = self.tables()
        shown = sheet(table)
        for row in table:
            for each in row:
                if each.rgb is None:
                    continue
                there = (np.abs(shown - each.rgb[0, 0]) < 0.01).all(-1)
                self.assertEqual(there.sum(), each.rgb.shape[0] * each.rgb.shape[1])

    def test_a_failed_one_is_grey_though_an_old_picture_is_there(self):
        self.fail("a__s.png")
        (table,) = self.tables()
        self.assertIsNone(table[1][1].rgb)
        shown = sheet(table)
        self.assertFalse((np.abs(shown - COLORS["a__s"]) < 0.01).all(-1).any())
        self.assertTrue((np.abs(shown - 0.9) < 0.001).all(-1).any())

    def test_a_page_links_to_the_pictures_and_holds_their_thumbnails(self):
        (table,) = self.tables()
        page = batch_page.page(table, ["index.html"])
        for job in self.jobs:
            self.assertIn(f'<a href="{job.output}"><img', page)
        self.assertIn("1.2 s, loss 0.5", page)
        sources = re.findall(r'src="([^"]*)"', page)
        self.assertLen(sources, len(COLORS))
        for source in sources:
            data = base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))
            with Image.open(io.BytesIO(data)) as picture:
                self.assertEqual(max(picture.size), thumbnails.SIDE)

    def test_a_page_tells_why_one_failed(self):
        self.fail("a__s.png")
        (table,) = self.tables()
        page = batch_page.page(table, ["index.html"])
        self.assertIn("a__s.png: &lt;no&gt; picture", page)
        self.assertNotIn('href="a__s.png"', page)

    def test_odd_names(self):
        odd = self.folder / 'a #1 "50%" <ü>.png'
        (self.folder / "a.png").rename(odd)
        self.jobs = pair([str(odd)], self.paths("s"))
        (self.folder / "a__s.png").rename(self.folder / self.jobs[0].output)
        (table,) = self.tables()
        page = batch_page.page(table, ["index.html"])
        self.assertIn('href="a%20%231%20%2250%25%22%20%3C%C3%BC%3E__s.png"', page)
        self.assertIn("a #1 &quot;50%&quot; &lt;ü&gt;.png", page)

    def test_an_unreadable_original_leaves_its_place_empty(self):
        (self.folder / "a.png").write_bytes(b"none")
        (table,) = self.tables()
        self.assertIsNone(table[1][0].rgb)
        sheet(table)
        self.assertIn("a.png", batch_page.page(table, ["index.html"]))

    def test_many_photographs_make_several_tables(self):
        contents = [f"{self.folder / 'none'}{number}.png" for number in range(150)]
        self.jobs, self.entries = pair(contents, self.paths("s", "t")), {}
        tables = self.tables()
        self.assertLen(tables, thumbnails.count(self.jobs))
        self.assertGreater(len(tables), 1)
        rows = [row[0].name for table in tables for row in table[1:]]
        self.assertEqual(rows, [Path(path).name for path in contents])
        page = batch_page.page(tables[1], ["index.html", "index_2.html", "index_3.html"])
        self.assertIn('<a href="index_3.html">', page)

    def test_wide_tables_stay_within_what_a_jpeg_can_hold(self):
        none = [f"none{number}" for number in range(999)]
        self.jobs, self.entries = pair(self.paths("a"), self.paths("s") + none), {}
        (table,) = self.tables()
        self.assertLess(max(sheet(table).shape), 65_500)


if __name__ == "__main__":
    absltest.main()
