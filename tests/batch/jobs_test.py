import errno
import os
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from nst_tf import InputError, atomic_files
from nst_tf.batch import jobs
from nst_tf.batch.jobs import Job, find_images, left_out, output_names, pair
from nst_tf.images import image_io


class FindImagesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        for name in ("b.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "within/c.tif", "[x].jpg"):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"")
        (self.folder / "folder.jpg").mkdir()

    def touch(self, *names):
        for name in names:
            (self.folder / name).touch()

    def find(self, *patterns):
        paths = find_images("contents", [str(self.folder / pattern) for pattern in patterns])
        return [os.path.relpath(path, self.folder) for path in paths]

    @parameterized.parameters(
        ([""], ["[x].jpg", "a.PNG", "b.jpg"]),  # of a folder, what is named like an image
        (["[ab].*"], ["a.PNG", "b.jpg"]),
        (["*.txt"], ["notes.txt"]),  # of a glob, any file
        (["**/*.tif"], ["within/c.tif"]),
        (["b.jpg", "[ab].*"], ["b.jpg", "a.PNG"]),
        (["[x].jpg"], ["[x].jpg"]),  # a file whose name looks like a glob
    )
    def test_finds(self, patterns, expected):
        self.assertEqual(self.find(*patterns), expected)

    def test_endings_of_pictures(self):
        names = [f"{number}{ending}" for number, ending in enumerate(image_io.READ_EXTENSIONS)]
        self.assertContainsSubset([".jfif", ".jpe", ".avif", ".tif"], image_io.READ_EXTENSIONS)
        self.touch(*names)
        with mock.patch.object(jobs, "_has_heif", lambda: True):
            self.assertContainsSubset(names, self.find(""))
        with mock.patch.object(jobs, "_has_heif", lambda: False):
            found = self.find("")
        self.assertEqual({*names} - {*found}, {n for n in names if n[-4:] in ("heic", "heif")})

    def test_what_is_left_out_is_counted_by_its_ending(self):
        self.touch("a.MOV", "b.mov", "c.heic", "Makefile", os.fsdecode(b"d.caf\xe9"))
        with mock.patch.object(jobs, "_has_heif", lambda: False):
            lines = left_out([str(self.folder), f"{self.folder}/*.txt", str(self.folder)])
            with self.assertRaisesRegex(
                InputError, r"no images found \(.*left out 1 .heic \(needs"
            ):
                (self.folder / "within" / "c.tif").rename(self.folder / "within" / "c.heic")
                self.find("within")
        self.assertLen(lines, 1)
        folder, counts = lines[0].split(": left out ")
        self.assertEqual(folder, str(self.folder))
        self.assertStartsWith(counts, "2 ")
        self.assertCountEqual(
            counts.split(", "),
            [
                *("2 .mov", "2 folder(s)", "1 .txt", "1 without ending", "1 .caf\\xe9"),
                "1 .heic (needs pip install pillow-heif)",
            ],
        )

    def test_many_endings_stay_one_line(self):
        self.touch(*(f"a.{number}" for number in range(30)))
        (line,) = left_out([str(self.folder)])
        self.assertEqual(line.count(", "), 8)
        self.assertEndsWith(line, " others")

    def test_where_all_are_pictures_nothing_is_said(self):
        self.assertEmpty(left_out([f"{self.folder}/within"]))

    @parameterized.parameters("empty", "*.webp", "missing")
    def test_none_are_refused(self, pattern):
        (self.folder / "empty").mkdir()
        with self.assertRaisesRegex(InputError, f"contents=.*{pattern[-5:]}: no images found"):
            self.find(pattern)


class PairTest(absltest.TestCase):
    def outputs(self, contents, styles):
        return [job.output for job in pair(contents, styles)]

    def test_style_by_style(self):
        self.assertEqual(
            pair(["p/a.jpg", "p/b.jpg"], ["q/s.png", "q/t.png"]),
            [
                Job("p/a.jpg", "q/s.png", "a__s.png"),
                Job("p/b.jpg", "q/s.png", "b__s.png"),
                Job("p/a.jpg", "q/t.png", "a__t.png"),
                Job("p/b.jpg", "q/t.png", "b__t.png"),
            ],
        )

    def test_files_of_one_stem_keep_their_extensions(self):
        outputs = self.outputs(["a.jpg", "A.png", "b.jpg"], ["s.jpg"])
        self.assertEqual(outputs, ["a.jpg__s.png", "A.png__s.png", "b__s.png"])

    def test_files_of_one_name_get_numbers(self):
        outputs = self.outputs(["p/a.jpg", "q/a.jpg"], ["s.jpg"])
        self.assertEqual(outputs, ["a.jpg__s.png", "a.jpg 2__s.png"])

    def test_other_pairs_that_would_have_the_same_name(self):
        outputs = self.outputs(["a__b.jpg", "a.jpg"], ["c.jpg", "b__c.jpg"])
        self.assertEqual(outputs, ["a__b__c.png", "a__c.png", "a__b__b__c.png", "a__b__c 2.png"])


class OutputNamesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path, "new", "out")

    def names(self, *names):
        """The output names, each of which can be written."""
        outputs = output_names(names, self.folder)
        self.assertEqual(output_names(names, self.folder), outputs)
        for output in outputs:
            atomic_files.replace(self.folder / output, b"")
        self.assertLen({*outputs}, len(names))
        self.assertEqual(output_names(names, self.folder), outputs)
        return outputs

    def test_names_that_fit_stay(self):
        self.assertEqual(self.names("a__s", "p" * 251), ["a__s.png", "p" * 251 + ".png"])

    def test_too_long_names_keep_start_and_end_and_stay_distinct(self):
        first, second = self.names("a" * 150 + "p" + "z" * 150, "a" * 150 + "q" + "z" * 150)
        for name in first, second:
            self.assertRegex(name, "^a{100,}~[0-9a-f]{8}~z{100,}[.]png$")

    def test_cut_at_a_character(self):
        for sign in ("画", "🎨", "é", "a画"):
            (name,) = self.names(sign * 200)
            self.assertGreater(len(os.fsencode(name)), 220)
            self.assertStartsWith(name, sign * 20)
            name.encode()

    def test_long_names_that_are_no_utf_8(self):
        (name,) = self.names(os.fsdecode(b"caf\xe9" * 100))
        self.assertStartsWith(os.fsencode(name), b"caf\xe9caf\xe9")

    def test_long_names_that_are_equal(self):
        self.names(*["a" * 300] * 3, "A" * 300)

    def test_names_that_some_file_systems_hold_to_be_equal(self):
        outputs = self.names("café", "café", "CAFÉ")
        self.assertEqual(outputs, ["café.png", "café 2.png", "CAFÉ 3.png"])

    def test_a_disk_that_encrypts_names_takes_shorter_ones(self):
        def limited(path, *arguments, **given):
            if len(os.fsencode(os.path.basename(path))) > 143:
                raise OSError(errno.ENAMETOOLONG, "File name too long")
            return opened(path, *arguments, **given)

        opened = os.open
        with mock.patch.object(os, "open", limited):
            longest, shortened = output_names(["p" * 139, "p" * 140], self.folder)
        self.assertEqual(longest, "p" * 139 + ".png")
        self.assertBetween(len(shortened), 130, 143)

    def test_another_error_of_the_disk_changes_no_name(self):
        with mock.patch.object(os, "open", side_effect=OSError(errno.ENOSPC, "full")):
            self.assertEqual(output_names(["p" * 251], self.folder), ["p" * 251 + ".png"])


if __name__ == "__main__":
    absltest.main()
