import base64
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, cut

from nst_tf import InputError, files
from nst_tf.export import models, saving


class FolderCase(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)


class FolderTest(FolderCase):
    def interrupted(self, overwrite=False):
        path = self.folder / "model"

        def half(model, folder, signatures):
            (Path(folder) / "variables").mkdir()
            raise KeyboardInterrupt

        with mock.patch.object(tf.saved_model, "save", half):
            with self.assertRaises(KeyboardInterrupt):
                saving.save(mock.Mock(), path, overwrite=overwrite)
        return path

    def test_an_interrupted_export_leaves_nothing(self):
        self.assertFalse(self.interrupted().exists())
        self.assertEqual(list(self.folder.iterdir()), [])

    def exported(self):
        path = self.folder / "model"
        (path / "assets.extra").mkdir(parents=True)
        (path / "assets.extra" / "manifest.json").touch()
        return path

    def test_an_interrupted_export_leaves_the_old_one(self):
        path = self.exported()
        self.interrupted(overwrite=True)
        self.assertEqual([each.name for each in path.iterdir()], ["assets.extra"])
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_an_interrupted_swap_leaves_the_old_one(self):
        path, rename = self.exported(), os.rename

        def interrupt(old, new):
            rename(old, new)
            if Path(old) == path:
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt), mock.patch.object(os, "rename", interrupt):
            with files.folder(path) as folder:
                (folder / "new").touch()
        self.assertEqual([each.name for each in path.iterdir()], ["assets.extra"])
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_a_full_disk_is_one_line(self):
        full = tf.errors.OutOfRangeError(None, None, "File too large")
        with mock.patch.object(tf.saved_model, "save", side_effect=full):
            with self.assertRaisesRegex(InputError, "model: cannot be written .File too large"):
                saving.save(mock.Mock(), self.folder / "model")

    def test_a_folder_of_somebody_elses_is_not_replaced(self):
        path = self.folder / "model"
        path.mkdir()
        (path / "mine").touch()
        with self.assertRaisesRegex(InputError, "model: is there and is no export"):
            saving.save(mock.Mock(), path, overwrite=True)
        self.assertEqual([each.name for each in path.iterdir()], ["mine"])

    def test_only_an_export_is_overwritten(self):
        path = self.folder / "model"
        saving.check(path, overwrite=False)
        path.mkdir()
        saving.check(path, overwrite=False)
        (path / "mine").touch()
        with self.assertRaisesRegex(InputError, "model: is there and is no export"):
            saving.check(path, overwrite=True)
        (path / "assets.extra").mkdir()
        (path / "assets.extra" / "manifest.json").touch()
        saving.check(path, overwrite=True)
        with self.assertRaisesRegex(InputError, "model: exists; give --overwrite"):
            saving.check(path, overwrite=False)
        with self.assertRaisesRegex(InputError, "mine: is there and is no export"):
            saving.check(path / "mine", overwrite=True)


@pytest.mark.slow
class LiteTest(FolderCase):
    def test_paints_what_the_saved_model_paints(self):
        model = models.Fast()
        saving.save_lite(model, self.folder / "lite", 96, 128)
        content = cut(PHOTOGRAPH, 96, 128)[None]
        style = cut(PAINTING, 256, 256)[None]
        expected = model(content, style)[0].numpy()
        off, short = {}, {}
        for kind in ("float32", "int8"):
            file = self.folder / "lite" / f"fast_{kind}.tflite"
            interpreter = tf.lite.Interpreter(model_path=str(file))
            runner = interpreter.get_signature_runner()
            short[kind] = sum(
                tensor["dtype"] == np.int8 and len(tensor["shape"]) == 4
                for tensor in interpreter.get_tensor_details()
            )
            found = runner(content_image=content, style_image=style)["output_0"]
            off[kind] = 255 * np.abs(found - expected).mean()
        print("TensorFlow Lite, mean difference in 1/255:", off)
        self.assertLess(off["float32"], 2)
        # The photograph itself is more than 30 off.
        self.assertLess(off["int8"], 8)
        self.assertGreater(off["int8"], off["float32"])
        self.assertEqual(short["float32"], 0)
        self.assertGreater(short["int8"], 70)
        facts = json.loads((self.folder / "lite" / "assets.extra" / "manifest.json").read_text())
        shape = facts["signatures"]["serving_default"]["inputs"]["content_image"]["shape"]
        self.assertEqual(shape, [1, 96, 128, 3])


def from_json(value, spec):
    """A tensor as TensorFlow Serving's REST interface makes it."""
    if isinstance(value, dict):
        value = base64.b64decode(value["b64"], validate=True)
    return tf.constant(value, spec.dtype, spec.shape)


@pytest.mark.slow
class ReadmeTest(FolderCase):
    """The section of the README, word for word."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = (ROOT / "README.md").read_text()
        section = text.split("## On a server")[1].split("\n## ")[0]
        cls.blocks = re.findall(r"```(\w*)\n(.*?)```", section, re.DOTALL)

    def test_commands_and_request(self):
        for name, path in (("photo", PHOTOGRAPH), ("painting", PAINTING)):
            Image.fromarray(np.uint8(255 * cut(path, 64, 80))).save(self.folder / f"{name}.jpg")
        ran = requests = 0
        for kind, text in self.blocks:
            if kind == "python":
                subprocess.run([sys.executable, "-c", text], cwd=self.folder, check=True)
            elif kind == "json" and '"inputs"' in text:
                self.request(json.loads(text))
                requests += 1
            elif not kind:
                for line in text.replace("\\\n", " ").splitlines():
                    ran += self.command(line)
        self.assertEqual(ran, 10)
        self.assertEqual(requests, 1)

    def command(self, line):
        words = shlex.split(line)
        if not words[0].startswith(".venv/bin/"):
            return False
        words[0] = str(Path(sys.executable).parent / Path(words[0]).name)
        words[1] = words[1].replace("scripts/", f"{ROOT}/scripts/")
        found = subprocess.run(words, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(found.returncode, 0, f"{line}\n{found.stderr}")
        return True

    def request(self, body):
        model = tf.saved_model.load(str(self.folder / "exported" / "optimizer" / "1"))
        function = model.signatures[body["signature_name"]]
        specs = function.structured_input_signature[1]
        self.assertEqual(set(body["inputs"]), set(specs))
        for name, file in (("content_bytes", "photo.jpg"), ("style_bytes", "painting.jpg")):
            data = (self.folder / file).read_bytes()
            start = body["inputs"][name]["b64"].removesuffix("...")
            text = base64.b64encode(data).decode()
            self.assertTrue(text.startswith(start))
            body["inputs"][name]["b64"] = text
        body["inputs"]["steps"] = 2
        sent = json.loads(json.dumps(body))
        inputs = {name: from_json(value, specs[name]) for name, value in sent["inputs"].items()}
        found = function(**inputs)
        picture = Image.open(io.BytesIO(found["stylized_bytes"].numpy()))
        self.assertEqual((picture.format, picture.size), ("PNG", (80, 64)))


if __name__ == "__main__":
    tf.test.main()
