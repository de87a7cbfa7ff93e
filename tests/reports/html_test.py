import base64
import html.parser
import io
import re
from dataclasses import replace

import numpy as np
import tensorflow as tf
from PIL import Image
from testing.reports import entries, table

from nst_tf.reports.html import batch_page, comparison_page


class Reader(html.parser.HTMLParser):
    """Collects tags and text, and asserts that elements close."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(page)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data

    def attributes(self, tag, name):
        return [attributes.get(name) for each, attributes in self.tags if each == tag]


def decoded(url):
    with Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) as image:
        return np.asarray(image) / 255


class ComparisonPageTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.html = comparison_page(["bridge, <i>village</i>", "second"], [entries(), entries()])
        self.page = Reader(self.html)

    def test_it_needs_nothing_else(self):
        self.assertNotIn("script", [tag for tag, _ in self.page.tags])
        self.assertEmpty(
            re.findall(r"(?:src|href)=\"(?!data:)|url\((?!data:)|https?://", self.html)
        )

    def test_it_shows_the_images_and_results_over_their_content_image(self):
        sources = self.page.attributes("img", "src")
        self.assertLen(sources, 6)
        self.assertAllEqual(decoded(sources[2]), entries()[2].rgb)
        classes = self.page.attributes("div", "class")
        self.assertEqual(classes.count("after"), 2)
        self.assertIn("picture before photograph1", classes)
        self.assertIn("bridge, <i>village</i>", self.page.text)

    def test_titles_and_handles_that_are_no_utf_8(self):
        pictures = [*entries(), replace(entries()[2], name="fast (caf\udce9)")]
        page = Reader(comparison_page(["caf\udce9, <b>"], [pictures]).encode().decode())
        self.assertIn("caf\\xe9, <b>", page.text)
        self.assertEqual(page.text.count("fast (caf\\xe9)"), 2)
        self.assertIn("fast (caf\\xe9)", page.attributes("img", "alt"))

    def test_the_table_has_what_was_measured_and_each_number_is_explained(self):
        rows = re.findall(r"<tr><td>(.*?)</tr>", self.html)
        self.assertLen(rows, 4)
        cells = re.sub(r"(</td><td>|</td>)", "|", rows[1])
        self.assertEqual(cells, "optimised|12|10|0.0208|0.654|0.4|0.95|")
        columns = re.findall(r"<th>(.*?)</th>", self.html.split("</tr>")[0])
        self.assertEqual(columns[3:], ["style", "content", "SSIM", "grain"])
        explained = re.findall(r"<dt>(.*?)</dt>", self.html)
        self.assertEqual(explained, ["Seconds", "Style", "Content", "SSIM", "Grain"])


class BatchPageTest(tf.test.TestCase):
    def test_it_links_to_the_outputs_and_holds_thumbnails(self):
        page = Reader(batch_page(table(), ["index.html"]))
        self.assertEqual(page.attributes("a", "href"), ["a__s.png"])
        self.assertIn("1.2 s, loss 0.5", page.text)
        sources = page.attributes("img", "src")
        self.assertEqual([decoded(each).shape[:2] for each in sources][1:3], [(60, 80)] * 2)

    def test_it_tells_why_one_failed(self):
        self.assertIn("b__s.png: <no> image", Reader(batch_page(table(), ["index.html"])).text)

    def test_it_links_to_the_other_pages(self):
        page = Reader(batch_page(table(), ["index.html", "index_2.html"]))
        self.assertEqual(page.attributes("a", "href")[:2], ["index.html", "index_2.html"])

    def test_names_that_are_no_utf_8_are_shown_escaped_and_their_links_lead_there(self):
        html = batch_page(table("caf\udce9.png"), ["index.html"])
        page = Reader(html.encode().decode())
        self.assertEqual(page.attributes("a", "href"), ["caf%E9__s.png"])
        self.assertIn("caf\\xe9.png", page.text)
        self.assertIn("caf\\xe9__s.png", page.attributes("img", "alt"))

    def test_errors_with_such_names(self):
        rows = table()
        rows[2][1].entry["error"] = "/caf\udce9.png: is <no> picture"
        html = batch_page(rows, ["index.html"])
        self.assertIn("/caf\\xe9.png: is <no> picture", Reader(html.encode().decode()).text)

    def test_marks_that_turn_the_direction_end_with_the_name(self):
        html = batch_page(table("\u202egpj.png"), ["index.html"])
        self.assertIn("<bdi>\u202egpj.png</bdi>", html)
        self.assertIn("<bdi>b__s.png</bdi>: &lt;no&gt; image", html)

    def test_a_name_with_a_new_line_and_markup(self):
        name = "a\n</p><script>&amp;'.png"
        page = Reader(batch_page(table(name), ["index.html"]))
        self.assertNotIn("script", [tag for tag, _ in page.tags])
        self.assertIn(name, page.text)
        link = "a%0A%3C/p%3E%3Cscript%3E%26amp%3B%27__s.png"
        self.assertEqual(page.attributes("a", "href"), [link])

    def test_odd_names(self):
        name = 'a #1 "50%" <ü>.png'
        page = Reader(batch_page(table(name), ["index.html"]))
        self.assertEqual(
            page.attributes("a", "href"), ["a%20%231%20%2250%25%22%20%3C%C3%BC%3E__s.png"]
        )
        self.assertIn(name, page.attributes("img", "alt"))
        self.assertIn(name, page.text)


if __name__ == "__main__":
    tf.test.main()
