import base64
import html.parser
import io
import re

import numpy as np
import tensorflow as tf
from panel_test import entries
from PIL import Image

from nst_tf.reports import comparison_page


class Reader(html.parser.HTMLParser):
    """Collects tags, and complains of those that do not close."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text.append(data)


class PageTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.html = comparison_page.page(
            ["bridge, <i>village</i>", "second"], [entries(), entries()]
        )
        self.reader = Reader()
        self.reader.feed(self.html)

    def test_it_is_whole_and_needs_nothing_else(self):
        self.assertEqual(self.reader.open, [])
        self.assertNotIn("script", [tag for tag, _ in self.reader.tags])
        self.assertEmpty(
            re.findall(r"(?:src|href)=\"(?!data:)|url\((?!data:)|https?://", self.html)
        )

    def test_it_shows_the_pictures_themselves(self):
        sources = [attributes["src"] for tag, attributes in self.reader.tags if tag == "img"]
        self.assertLen(sources, 6)
        data = base64.b64decode(sources[2].removeprefix("data:image/png;base64,"))
        with Image.open(io.BytesIO(data)) as picture:
            self.assertAllEqual(np.asarray(picture) / 255, entries()[2].rgb)

    def test_painted_pictures_lie_over_their_photograph(self):
        kinds = [attributes.get("class") for _, attributes in self.reader.tags]
        self.assertEqual(kinds.count("after"), 2)
        self.assertIn("picture before photograph1", kinds)

    def test_the_table_has_what_was_measured(self):
        rows = re.findall(r"<tr><td>(.*?)</tr>", self.html)
        self.assertLen(rows, 4)
        cells = re.sub(r"(</td><td>|</td>)", "|", rows[1])
        self.assertEqual(cells, "optimised|12|10|0.0208|0.654|0.4|0.95|")

    def test_each_number_is_explained(self):
        columns = re.findall(r"<th>(.*?)</th>", self.html.split("</tr>")[0])
        self.assertEqual(columns[3:], ["style", "content", "SSIM", "grain"])
        explained = re.findall(r"<dt>(.*?)</dt>", self.html)
        self.assertEqual(explained, ["Seconds", "Style", "Content", "SSIM", "Grain"])

    def test_names_are_escaped(self):
        self.assertIn("bridge, <i>village</i>", "".join(self.reader.text))


if __name__ == "__main__":
    tf.test.main()
