import json
import os
from pathlib import Path

from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings
from nst_tf.batch.jobs import pair
from nst_tf.batch.requests import Order, Painted
from nst_tf.batch.runner import LOG, Batch, digest


def runner(order, errands):
    """Paints nothing, but puts the names' bytes together."""
    for errand in errands:
        (_, content), (_, style) = errand.content, errand.style
        if content == b"bad":
            yield Painted(errand.number, seconds=0.5, worker="me", error="is bad", trace="here")
        else:
            yield Painted(errand.number, content + style, {"total": 0.5}, 1.5, "me")


class BatchTest(parameterized.TestCase):
    def setUp(self):
        self.folder = Path(self.create_tempdir().full_path)
        self.contents = [str(self.folder / name) for name in ("a.jpg", "b.jpg")]
        self.styles = [str(self.folder / name) for name in ("s.jpg", "t.jpg")]
        for path in self.contents + self.styles:
            Path(path).write_bytes(Path(path).stem.encode())
        self.out = self.folder / "new" / "out"

    def batch(self, order=None):
        return Batch(pair(self.contents, self.styles), order or Order(Settings()), self.out)

    def painted(self, order=None):
        """Paint what is missing; the names of what was."""
        return sorted(entry["output"] for entry in self.batch(order).paint(runner))

    def test_everything_is_painted_and_told_of(self):
        self.assertEqual(self.painted(), ["a__s.png", "a__t.png", "b__s.png", "b__t.png"])
        self.assertEqual((self.out / "b__t.png").read_bytes(), b"bt")
        lines = (self.out / LOG).read_text().splitlines()
        self.assertLen(lines, 4)
        entry = json.loads(lines[0])
        self.assertEqual(entry["content"], self.contents[0])
        self.assertEqual(entry["style"], self.styles[0])
        self.assertEqual(entry["losses"], {"total": 0.5})
        self.assertEqual((entry["seconds"], entry["worker"], entry["error"]), (1.5, "me", None))

    def test_what_is_done_is_not_done_again(self):
        self.painted()
        for path in self.contents:
            os.utime(path, (1, 1))
        self.assertEmpty(self.painted())
        self.assertEmpty(self.batch().failed())

    def test_what_has_changed_is_done_again(self):
        self.painted()
        times = os.stat(self.contents[0])
        Path(self.contents[0]).write_bytes(b"c")
        os.utime(self.contents[0], ns=(times.st_atime_ns, times.st_mtime_ns))
        self.assertEqual(self.painted(), ["a__s.png", "a__t.png"])
        Path(self.styles[1]).write_bytes(b"u")
        self.assertEqual(self.painted(), ["a__t.png", "b__t.png"])
        self.assertEqual((self.out / "a__t.png").read_bytes(), b"cu")
        (self.out / "a__s.png").unlink()
        (self.out / "b__s.png").write_bytes(b"cut")
        self.assertEqual(self.painted(), ["a__s.png", "b__s.png"])

    def test_other_settings_paint_all_again(self):
        self.painted()
        self.assertLen(self.painted(Order(Settings(steps=7))), 4)
        self.assertEmpty(self.painted(Order(Settings(steps=7))))
        self.assertLen(self.painted(Order(Settings(steps=7), method="fast")), 4)
        self.assertEmpty(self.painted(Order(Settings(steps=8), method="fast")))
        self.assertLen(self.painted(Order(Settings(size=99), method="fast")), 4)

    def test_of_weights_and_models_the_content_counts(self):
        weights = self.folder / "w.h5"
        weights.write_bytes(b"1")
        moved = weights.rename(self.folder / "x.h5").with_name("w.h5")
        one = digest(Order(Settings(vgg_weights=str(self.folder / "x.h5"))))
        moved.write_bytes(b"1")
        self.assertEqual(digest(Order(Settings(vgg_weights=str(moved)))), one)
        moved.write_bytes(b"2")
        self.assertNotEqual(digest(Order(Settings(vgg_weights=str(moved)))), one)
        model = self.folder / "model"
        (model / "variables").mkdir(parents=True)
        (model / "variables" / "data").write_bytes(b"1")
        order = Order(Settings(), "fast", str(model))
        one = digest(order)
        (model / "variables" / "data").write_bytes(b"2")
        self.assertNotEqual(digest(order), one)

    def test_goes_on_in_the_precision_of_before(self):
        seen = []

        def settling(order, errands):
            seen.append(order.precision)
            for errand in errands:
                yield Painted(errand.number, b"picture", kind="bfloat16")

        for _ in range(2):
            next(self.batch().paint(settling))
        next(self.batch(Order(Settings(steps=7))).paint(settling))
        self.assertEqual(seen, ["", "bfloat16", ""])

    def test_one_that_cannot_be_read_is_told_of_at_once(self):
        os.unlink(self.contents[0])
        outputs = [entry["output"] for entry in self.batch().paint(runner)]
        self.assertEqual(outputs, ["b__s.png", "a__s.png", "b__t.png", "a__t.png"])

    def test_nothing_missing_needs_no_worker(self):
        self.painted()
        self.assertEmpty(list(self.batch().paint(None)))

    def test_one_that_fails_is_told_of_and_tried_again(self):
        Path(self.contents[0]).write_bytes(b"bad")
        batch = self.batch()
        self.assertLen(list(batch.paint(runner)), 4)
        self.assertEqual([each["output"] for each in batch.failed()], ["a__s.png", "a__t.png"])
        self.assertEqual(batch.failed()[0]["error"], "is bad")
        self.assertEqual(batch.failed()[0]["trace"], "here")
        self.assertTrue((self.out / "b__s.png").exists())
        self.assertEqual([job.output for job in self.batch().missing], ["a__s.png", "a__t.png"])
        Path(self.contents[0]).write_bytes(b"a")
        self.assertLen(self.painted(), 2)
        self.assertEmpty(self.batch().failed())

    def test_a_file_that_is_gone_fails_and_no_other(self):
        batch = self.batch()
        os.unlink(self.contents[1])
        self.assertLen(list(batch.paint(runner)), 4)
        self.assertLen(batch.failed(), 2)
        self.assertIn("b.jpg: no such file", batch.failed()[0]["error"])

    def test_a_picture_that_cannot_be_written_fails_and_no_other(self):
        (self.out / "a__s.png").mkdir(parents=True)
        batch = self.batch()
        self.assertLen(list(batch.paint(runner)), 4)
        self.assertEqual([each["output"] for each in batch.failed()], ["a__s.png"])
        self.assertIn("a__s.png", batch.failed()[0]["error"])

    @parameterized.parameters(1, 30, 200)
    def test_a_log_that_was_cut_short_loses_its_last_line_only(self, missing):
        self.painted()
        log = self.out / LOG
        log.write_bytes(log.read_bytes()[:-missing])
        self.assertLen(self.painted(), 0 if missing == 1 else 1)
        self.assertEmpty(self.painted())

    def test_a_log_that_is_none(self):
        self.out.mkdir(parents=True)
        (self.out / LOG).write_bytes(b'\xff{"output": 3}\n[]\n{"output": "a__s.png"}\nnull')
        self.assertLen(self.painted(), 4)
        self.assertEmpty(self.painted())

    def test_what_was_done_before_it_was_left_is_kept(self):
        stream = self.batch().paint(runner)
        next(stream)
        next(stream)
        stream.close()
        self.assertLen(self.painted(), 2)

    def test_files_are_read_when_they_are_wanted(self):
        stream = self.batch().paint(runner)
        next(stream)
        Path(self.contents[1]).write_bytes(b"later")
        self.assertEqual([next(stream)["output"] for _ in range(3)][0], "b__s.png")
        self.assertEqual((self.out / "b__s.png").read_bytes(), b"laters")
        self.assertEmpty(self.painted())

    def test_a_folder_that_cannot_be(self):
        self.out = Path(self.contents[0]) / "out"
        with self.assertRaisesRegex(InputError, "is a file; expected a folder"):
            self.batch()
        self.out = Path("/proc/nothing")
        with self.assertRaisesRegex(InputError, "cannot be written"):
            self.batch()


if __name__ == "__main__":
    absltest.main()
