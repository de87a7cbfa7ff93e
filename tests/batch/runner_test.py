import contextlib
import errno
import json
import os
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings, atomic_files
from nst_tf.batch.jobs import pair
from nst_tf.batch.requests import RenderConfig, RenderResult
from nst_tf.batch.runner import LOG_NAME, Batch, config_sha256
from nst_tf.images import image_io


def join(config, requests):
    """A runner whose images are the bytes of the content image and of the style image."""
    for number, (_, content), (_, style) in requests:
        if content == b"bad":
            yield RenderResult(number, seconds=0.5, worker="me", error="is bad", trace="here")
        else:
            yield RenderResult(number, content + style, {"total": 0.5}, 1.5, "me")


class BatchTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.contents = [str(self.folder / name) for name in ("a.jpg", "b.jpg")]
        self.styles = [str(self.folder / name) for name in ("s.jpg", "t.jpg")]
        for path in self.contents + self.styles:
            Path(path).write_bytes(Path(path).stem.encode())
        self.out = self.folder / "new" / "out"

    def open(self, **config):
        config = RenderConfig(**{"settings": Settings(), **config})
        return contextlib.closing(Batch(pair(self.contents, self.styles), config, self.out))

    def batch(self, **config):
        """The batch as it is found."""
        with self.open(**config) as batch:
            return batch

    def rendered(self, **config):
        """Render what is missing; the names of what was."""
        with self.open(**config) as batch:
            return sorted(entry["output"] for entry in batch.render(join))

    def test_everything_is_rendered_and_logged(self):
        self.assertEqual(self.rendered(), ["a__s.png", "a__t.png", "b__s.png", "b__t.png"])
        self.assertEqual((self.out / "b__t.png").read_bytes(), b"bt")
        lines = (self.out / LOG_NAME).read_text().splitlines()
        self.assertLen(lines, 4)
        entry = json.loads(lines[0])
        self.assertEqual(entry["content"], self.contents[0])
        self.assertEqual(entry["style"], self.styles[0])
        self.assertEqual(entry["losses"], {"total": 0.5})
        self.assertEqual((entry["seconds"], entry["worker"], entry["error"]), (1.5, "me", None))

    def test_what_is_done_is_not_done_again(self):
        self.rendered()
        for path in self.contents:
            os.utime(path, (1, 1))
        batch = self.batch()
        self.assertEmpty(list(batch.render(None)))
        self.assertEmpty(batch.failed())

    def test_what_has_changed_is_done_again(self):
        self.rendered()
        times = os.stat(self.contents[0])
        Path(self.contents[0]).write_bytes(b"c")
        os.utime(self.contents[0], ns=(times.st_atime_ns, times.st_mtime_ns))
        self.assertEqual(self.rendered(), ["a__s.png", "a__t.png"])
        Path(self.styles[1]).write_bytes(b"u")
        self.assertEqual(self.rendered(), ["a__t.png", "b__t.png"])
        self.assertEqual((self.out / "a__t.png").read_bytes(), b"cu")
        (self.out / "a__s.png").unlink()
        (self.out / "b__s.png").write_bytes(b"cut")
        self.assertEqual(self.rendered(), ["a__s.png", "b__s.png"])

    def test_another_config_renders_all_again(self):
        for config, count in (
            ({}, 4),
            ({"settings": Settings(steps=7)}, 4),
            ({"settings": Settings(steps=7)}, 0),
            ({"settings": Settings(steps=7), "method": "fast"}, 4),
            ({"settings": Settings(steps=8), "method": "fast"}, 0),
            ({"settings": Settings(size=99), "method": "fast"}, 4),
        ):
            self.assertLen(self.rendered(**config), count)

    def test_of_weights_and_models_the_content_counts_and_not_the_path_of_weights(self):
        first, second, model = (self.folder / name for name in ("w.h5", "x.h5", "model"))
        model.mkdir()

        def sha256s(path, data):
            path.write_bytes(data)
            (model / "data").write_bytes(data)
            return [
                config_sha256(RenderConfig(Settings(vgg_weights=str(path)))),
                config_sha256(RenderConfig(Settings(), "fast", str(model))),
            ]

        expected = sha256s(first, b"1")
        self.assertEqual(sha256s(second, b"1"), expected)
        for found, other in zip(sha256s(second, b"2"), expected, strict=True):
            self.assertNotEqual(found, other)

    def test_one_that_fails_is_logged_and_tried_again(self):
        Path(self.contents[0]).write_bytes(b"bad")
        with self.open() as batch:
            self.assertLen(list(batch.render(join)), 4)
        self.assertEqual([each["output"] for each in batch.failed()], ["a__s.png", "a__t.png"])
        self.assertEqual(batch.failed()[0]["error"], "is bad")
        self.assertEqual(batch.failed()[0]["trace"], "here")
        self.assertEqual([job.output for job in self.batch().missing], ["a__s.png", "a__t.png"])
        Path(self.contents[0]).write_bytes(b"a")
        self.assertLen(self.rendered(), 2)
        self.assertEmpty(self.batch().failed())

    def test_a_file_that_is_gone_fails_at_once_and_no_other(self):
        batch = self.batch()
        os.unlink(self.contents[0])
        outputs = [entry["output"] for entry in batch.render(join)]
        self.assertEqual(outputs, ["b__s.png", "a__s.png", "b__t.png", "a__t.png"])
        self.assertEqual([each["output"] for each in batch.failed()], ["a__s.png", "a__t.png"])
        self.assertIn("a.jpg: no such file", batch.failed()[0]["error"])

    def test_an_image_that_cannot_be_written_fails_and_no_other(self):
        (self.out / "a__s.png").mkdir(parents=True)
        batch = self.batch()
        self.assertLen(list(batch.render(join)), 4)
        self.assertEqual([each["output"] for each in batch.failed()], ["a__s.png"])
        self.assertIn("a__s.png", batch.failed()[0]["error"])

    def test_whatever_goes_wrong_with_one_fails_and_no_other(self):
        load, replace = image_io.load, atomic_files.replace

        def out_of_memory(path):
            if path == self.contents[0]:
                raise MemoryError
            return load(path)

        def failing(path, data):
            if Path(path).name == "b__t.png":
                raise UnicodeEncodeError("utf-8", "\udce9", 0, 1, "surrogates")
            replace(path, data)

        with (
            self.open() as batch,
            mock.patch.object(image_io, "load", out_of_memory),
            mock.patch.object(atomic_files, "replace", failing),
        ):
            self.assertLen(list(batch.render(join)), 4)
        failed = {entry["output"]: entry for entry in batch.failed()}
        self.assertEqual({*failed}, {"a__s.png", "a__t.png", "b__t.png"})
        self.assertEqual(failed["a__s.png"]["error"], "MemoryError:")
        self.assertStartsWith(failed["b__t.png"]["error"], "UnicodeEncodeError: 'utf-8' codec")
        for entry in failed.values():
            self.assertIn("Traceback", entry["trace"])
        self.assertLen(self.rendered(), 3)

    def test_names_that_are_no_utf_8_come_back_from_the_log(self):
        self.contents.append(os.fsdecode(os.fsencode(self.folder) + b"/caf\xe9.jpg"))
        Path(self.contents[-1]).write_bytes(b"c")
        self.assertLen(self.rendered(), 6)
        self.assertIn(b"caf\xe9__s.png", os.listdir(os.fsencode(self.out)))
        batch = self.batch()
        self.assertEmpty(batch.missing)
        self.assertEqual(batch.entries["caf\udce9__s.png"]["content"], self.contents[-1])

    def test_pictures_of_this_config_and_these_files_may_be_replaced(self):
        self.rendered()
        Path(self.contents[0]).write_bytes(b"c")
        self.assertEqual((len(self.batch().missing), self.batch().lost), (2, {}))
        Path(self.contents[0]).write_bytes(b"bad")
        self.rendered()
        Path(self.contents[0]).write_bytes(b"d")
        self.assertEqual((len(self.batch().missing), self.batch().lost), (2, {}))

    def test_pictures_of_another_config_would_be_lost(self):
        self.rendered()
        (self.out / "a__s.png").unlink()
        lost = self.batch(method="fast").lost
        self.assertEqual([job.output for job in lost], ["b__s.png", "a__t.png", "b__t.png"])
        self.assertEqual({*lost.values()}, {"made with another method or settings"})

    def test_pictures_of_other_files_of_the_same_names_would_be_lost(self):
        self.rendered()
        other = self.folder / "other" / "a.jpg"
        other.parent.mkdir()
        other.write_bytes(b"another")
        self.contents[0] = str(other)
        lost = {job.output: why for job, why in self.batch().lost.items()}
        self.assertEqual(lost, dict.fromkeys(["a__s.png", "a__t.png"], "made from other files"))
        other.write_bytes(b"a")  # the same picture, which has moved
        self.assertEmpty(self.batch().missing)

    def test_files_that_no_batch_has_written_would_be_lost(self):
        self.rendered()
        (self.out / "a__s.png").write_bytes(b"retouched")
        (self.out / "b__s.png").unlink()
        (self.out / "b__s.png").symlink_to("nowhere")
        log = self.out / LOG_NAME
        lines = [line for line in log.read_text().splitlines() if "a__t" not in line]
        log.write_text("\n".join(lines))
        lost = {job.output: why for job, why in self.batch().lost.items()}
        expected = ["a__s.png", "b__s.png", "a__t.png"]
        self.assertEqual(lost, dict.fromkeys(expected, "not made by a batch, or changed since"))

    def test_a_failed_attempt_gives_no_right_to_what_no_batch_has_made(self):
        self.out.mkdir(parents=True)
        mine = self.out / "a__s.png"
        mine.write_bytes(b"mine")
        Path(self.contents[0]).write_bytes(b"bad")
        self.rendered()  # as with --overwrite
        Path(self.contents[0]).write_bytes(b"a")
        lost = {job.output: why for job, why in self.batch().lost.items()}
        self.assertEqual(lost, {"a__s.png": "not made by a batch, or changed since"})

    def test_after_a_failed_attempt_a_retouched_picture_would_be_lost(self):
        self.rendered()
        Path(self.contents[0]).write_bytes(b"bad")
        self.rendered()
        (self.out / "a__t.png").write_bytes(b"retouched")
        lost = {job.output: why for job, why in self.batch().lost.items()}
        self.assertEqual(lost, {"a__t.png": "not made by a batch, or changed since"})

    def test_a_second_batch_of_the_folder_is_refused_until_the_first_ends(self):
        with self.open() as first:
            results = first.render(join)
            next(results)
            with self.assertRaisesRegex(InputError, "another batch is painting into it"):
                self.open()
            self.assertLen(list(results), 3)
        self.assertEmpty(self.rendered())

    def test_of_two_batches_that_begin_a_folder_one_is_refused(self):
        """Also when the other has ended: it has painted what this one takes for missing."""
        with self.open() as first, self.open() as second:
            self.assertLen(list(first.render(join)), 4)
            first.close()
            with self.assertRaisesRegex(InputError, "another batch is painting into it"):
                list(second.render(join))

    def test_a_disk_without_locks(self):
        with mock.patch("fcntl.flock", side_effect=OSError(errno.ENOLCK, "no locks")):
            self.assertLen(self.rendered(), 4)

    @parameterized.parameters(1, 30, 200)
    def test_a_log_that_was_cut_short_loses_its_last_line_only(self, cut):
        self.rendered()
        log = self.out / LOG_NAME
        log.write_bytes(log.read_bytes()[:-cut])
        self.assertLen(self.rendered(), 0 if cut == 1 else 1)
        self.assertEmpty(self.rendered())

    def test_a_log_that_is_none(self):
        self.out.mkdir(parents=True)
        (self.out / LOG_NAME).write_bytes(b'\xff{"output": 3}\n[]\n{"output": "a__s.png"}\nnull')
        self.assertLen(self.rendered(), 4)
        self.assertEmpty(self.rendered())

    def test_files_are_read_when_they_are_wanted_and_what_is_done_stays_done(self):
        stream = self.batch().render(join)
        next(stream)
        Path(self.contents[1]).write_bytes(b"later")
        self.assertEqual(next(stream)["output"], "b__s.png")
        stream.close()
        self.assertEqual((self.out / "b__s.png").read_bytes(), b"laters")
        self.assertLen(self.rendered(), 2)

    @parameterized.parameters(
        ("a.jpg/out", "is a file; expected a folder"), ("/proc/nothing", "cannot be written")
    )
    def test_a_folder_that_cannot_be(self, path, words):
        self.out = self.folder / path
        with self.assertRaisesRegex(InputError, words):
            self.batch()


if __name__ == "__main__":
    absltest.main()
