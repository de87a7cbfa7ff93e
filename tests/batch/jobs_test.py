import os
from pathlib import Path

from absl.testing import absltest, parameterized

from nst_tf import InputError
from nst_tf.batch.jobs import Job, find_images, pair


class FindImagesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        for name in ("b.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "within/c.tif", "[x].jpg"):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"")
        (self.folder / "folder.jpg").mkdir()

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


if __name__ == "__main__":
    absltest.main()
