import shutil
import tempfile
from pathlib import Path

from absl.testing import absltest
from PIL import Image
from testing.pictures import PAINTING

from nst_tf.app import paintings


class PaintingsTest(absltest.TestCase):
    def test_those_that_can_be_read_are_offered_small(self):
        folder = Path(self.enter_context(tempfile.TemporaryDirectory()))
        scratch = Path(self.enter_context(tempfile.TemporaryDirectory()))
        shutil.copy(PAINTING, folder / "b_c.jpg")
        Image.new("RGBA", (600, 30), (9, 9, 9, 99)).save(folder / "a.tif")
        (folder / "broken.png").write_bytes(b"no picture")
        (folder / "notes.txt").write_text("no picture")
        (folder / "folder.png").mkdir()
        with self.assertLogs("nst_tf", "WARNING") as logged:
            found = paintings.read([folder], scratch)
        self.assertEqual([each.name for each in found], ["a", "b c"])
        self.assertEqual([each.path for each in found], [folder / "a.tif", folder / "b_c.jpg"])
        for each in found:
            with Image.open(each.preview) as preview:
                self.assertEqual((preview.format, max(preview.size)), ("JPEG", 320))
        self.assertLen(logged.output, 2)
        self.assertIn("broken.png", logged.output[0])

    def test_samples(self):
        self.assertIn(PAINTING, [*paintings.SAMPLES.iterdir()])


if __name__ == "__main__":
    absltest.main()
