import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, Settings, Style, optimize
from nst_tf.images import image_io, png_text
from nst_tf.run import checkpoint, record


class RecordTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 64, 64)
        self.styles = [Style(cut(PAINTING, 64, 64), layers=("block1_conv1",))]
        self.settings = Settings(size=64, scales=1, steps=2, max_memory=1000.0, jit=False)

    def task(self, **changes):
        given = dict(content=self.content, styles=self.styles, settings=self.settings) | changes
        return record.task(**given, weights="known")

    def test_equal_tasks_have_equal_records_and_others_differ(self):
        run = optimize(self.content, self.styles, self.settings)
        records = [record.of(self.task(), next(run).state()) for _ in range(2)]
        self.assertEqual(json.dumps(records[0]), json.dumps(records[1]))
        self.assertEmpty(record.differences(self.task(), self.task()))
        mask = np.eye(64, dtype=np.float32)
        for changes, words in (
            (dict(content=self.content[::-1]), ["another content"]),
            (dict(start=self.content), ["another start"]),
            (dict(keep=mask), ["another keep"]),
            (dict(styles=[Style(self.styles[0].rgb)]), ["another style 1"]),
            (dict(styles=self.styles * 2), ["another style 2"]),
            (
                dict(settings=Settings(size=64, scales=1, steps=2)),
                ["max_memory=0.0 instead of 1000.0"],
            ),
        ):
            self.assertEqual(record.differences(self.task(), self.task(**changes)), words)

    def test_the_text_in_a_png_gives_the_settings_back(self):
        state = next(optimize(self.content, self.styles, self.settings)).state()
        told = record.of(self.task(), state) | {"flags": {}}
        for bits in (8, 16):
            path = Path(self.create_tempdir().full_path) / "picture.png"
            image_io.write(path, self.content, bits=bits, note=json.dumps(told))
            found = record.read(str(path))
            again = {
                k: tuple(v) if isinstance(v, list) else v for k, v in found["settings"].items()
            }
            self.assertEqual(Settings(**again), self.settings)
            self.assertEqual(found, told)
            # Others read it, too, and the picture is the same.
            with Image.open(path) as opened:
                self.assertEqual(json.loads(opened.text["nst_tf"]), told)
            self.assertAllClose(image_io.read(path).rgb, self.content, atol=0.003)

    def test_a_run_begins_as_its_record_says(self):
        state = next(optimize(self.content, self.styles, self.settings)).state()
        told = json.loads(json.dumps(record.of(self.task(), state)))
        begun = checkpoint.begun(told)
        self.assertEqual((begun.scale, begun.step, begun.tensors), (0, 0, ()))
        self.assertEqual(begun.decided.precision, state.begun.precision)
        self.assertEqual(begun.decided.plans[0].most, 64 * 64)

    def test_where_pictures_lie_does_not_matter(self):
        one = self.task(start=self.content, settings=Settings(init="a.png", vgg_weights="a.h5"))
        other = self.task(start=self.content, settings=Settings(init="./a.png", vgg_weights="b.h5"))
        self.assertEmpty(record.differences(one, other))

    def test_what_is_no_record(self):
        folder = Path(self.create_tempdir().full_path)
        half = b'{"settings": {"size": 64}}'
        for name, data in (("a.json", b"{}"), ("b.json", b"[1"), ("c.json", b"\xff\xfe\0")):
            (folder / name).write_bytes(data)
        (folder / "half.json").write_bytes(half)
        image_io.write(folder / "plain.png", self.content)
        for name in ("a.json", "b.json", "c.json", "half.json", "plain.png"):
            with self.assertRaisesRegex(InputError, f"settings=.*{name}: is no whole record"):
                record.read(str(folder / name))
        with self.assertRaisesRegex(InputError, "cannot be read .No such file"):
            record.read(str(folder / "missing.json"))
        self.assertIsNone(png_text.find((folder / "plain.png").read_bytes()))


if __name__ == "__main__":
    tf.test.main()
