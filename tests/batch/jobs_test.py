import os
from pathlib import Path

from absl.testing import absltest

from nst_tf import InputError
from nst_tf.batch.jobs import Job, pair, pictures


class PicturesTest(absltest.TestCase):
    def setUp(self):
        self.folder = Path(self.create_tempdir().full_path)
        for name in ("b.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "within/c.tif", "[x].jpg"):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"")
        (self.folder / "folder.jpg").mkdir()

    def names(self, *places):
        found = pictures("contents", [str(self.folder / place) for place in places])
        return [os.path.relpath(path, self.folder) for path in found]

    def test_of_a_folder_what_is_named_like_a_picture(self):
        self.assertEqual(self.names(""), ["[x].jpg", "a.PNG", "b.jpg"])

    def test_of_a_glob_all_files(self):
        self.assertEqual(self.names("[ab].*"), ["a.PNG", "b.jpg"])
        self.assertEqual(self.names("*.txt"), ["notes.txt"])
        self.assertEqual(self.names("**/*.tif"), ["within/c.tif"])

    def test_each_once_and_in_the_order_of_the_places(self):
        self.assertEqual(self.names("b.jpg", "[ab].*"), ["b.jpg", "a.PNG"])

    def test_a_file_whose_name_looks_like_a_glob(self):
        self.assertEqual(self.names("[x].jpg"), ["[x].jpg"])

    def test_none_are_refused(self):
        (self.folder / "empty").mkdir()
        for place in ("empty", "*.webp", "missing"):
            with self.assertRaisesRegex(InputError, f"contents=.*{place[-5:]}: no pictures are"):
                self.names(place)


class PairTest(absltest.TestCase):
    def outputs(self, contents, styles):
        return [job.output for job in pair(contents, styles)]

    def test_painting_after_painting(self):
        self.assertEqual(
            pair(["p/a.jpg", "p/b.jpg"], ["q/s.png", "q/t.png"]),
            [
                Job("p/a.jpg", "q/s.png", "a__s.png"),
                Job("p/b.jpg", "q/s.png", "b__s.png"),
                Job("p/a.jpg", "q/t.png", "a__t.png"),
                Job("p/b.jpg", "q/t.png", "b__t.png"),
            ],
        )

    def test_files_of_one_stem_keep_their_endings(self):
        outputs = self.outputs(["a.jpg", "A.png", "b.jpg"], ["s.jpg"])
        self.assertEqual(outputs, ["a.jpg__s.png", "A.png__s.png", "b__s.png"])

    def test_files_of_one_name_get_numbers(self):
        outputs = self.outputs(["p/a.jpg", "q/a.jpg"], ["s.jpg"])
        self.assertEqual(outputs, ["a.jpg__s.png", "a.jpg 2__s.png"])

    def test_other_pairs_that_would_have_the_same_name(self):
        outputs = self.outputs(["a__b.jpg", "a.jpg"], ["c.jpg", "b__c.jpg"])
        self.assertEqual(len({output.casefold() for output in outputs}), 4)
        self.assertEqual(outputs[0], "a__b__c.png")
        self.assertEqual(outputs[3], "a__b__c 2.png")


if __name__ == "__main__":
    absltest.main()
