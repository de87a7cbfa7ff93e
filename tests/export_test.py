"""What is exported gives, without this package, what this package gives."""

import base64
import hashlib
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized
from pictures import PAINTING, PHOTOGRAPH, ROOT, cut
from PIL import Image

from nst_tf import InputError, Settings, Style, export, features, load, losses, optimize, served

KNOBS = dict(size=0, precision="float32", scales=2)
STEPS = 10


def encoded(rgb, kind="PNG", mode="RGB"):
    file = io.BytesIO()
    Image.fromarray(np.uint8(rgb * 255 + 0.5)).convert(mode).save(file, kind)
    return file.getvalue()


def decoded(data):
    return np.float32(Image.open(io.BytesIO(data))) / 255


class ExportTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def save(self, model):
        path = self.folder / "model"
        export.save(model, path)
        return path

    def call_elsewhere(self, model, signature, **inputs):
        """What a signature gives in a fresh process that cannot import nst_tf."""
        np.savez(self.folder / "inputs.npz", **inputs)
        paths = [model, signature, self.folder / "inputs.npz", self.folder / "outputs.npz"]
        command = [sys.executable, ROOT / "tests" / "foreign.py", *paths]
        found = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(found.returncode, 0, found.stderr)
        with np.load(self.folder / "outputs.npz") as file:
            return dict(file)


@pytest.mark.slow
class ExtractorTest(ExportTest):
    def test_gives_what_the_network_gives(self):
        settings = Settings(precision="float32", pooling="avg")
        model = self.save(served.Extractor(settings))
        network = features.of(settings, "float32")
        for batch, height, width in ((1, 70, 90), (2, 64, 50)):
            images = np.stack([cut(path, height, width) for path in (PHOTOGRAPH, PAINTING)[:batch]])
            found = self.call_elsewhere(model, "serving_default", image=images)
            seen = network(images)
            self.assertEqual(len(found), len(seen["style"]) + len(seen["content"]))
            for name, layer in seen["style"].items():
                self.assertAllClose(found[f"{name}_gram"], losses.gram(layer), rtol=1e-5)
            for name, layer in seen["content"].items():
                self.assertAllClose(found[f"{name}_features"], layer, rtol=1e-5, atol=1e-2)


@pytest.mark.slow
class OptimizerTest(ExportTest):
    @parameterized.parameters(
        ({},),
        ({"optimizer": "adam", "init": "noise", "seed": 3},),
        ({"precision": "bfloat16", "size": 128, "pooling": "avg"},),
        ({"recipe": "tutorial"},),
    )
    def test_paints_what_the_library_paints(self, knobs):
        settings = Settings(**KNOBS | knobs)
        model = self.save(served.Optimizer(settings))
        for height, width in ((96, 70), (64, 130)):
            content, style = cut(PHOTOGRAPH, height, width), cut(PAINTING, 90, 60)
            run = Settings(**KNOBS | knobs | dict(steps=STEPS, content_weight=0.05, tv_weight=0.1))
            progress = list(optimize(content, [Style(style)], run))
            found = self.call_elsewhere(
                model,
                "serving_default",
                content=content[None],
                style=style[None],
                steps=np.int32(STEPS),
                content_weight=np.float32(0.05),
                tv_weight=np.float32(0.1),
            )
            self.assertAllClose(found["stylized"][0], progress[-1].image(), atol=1 / 255)
            totals = [step.losses.total for step in progress]
            self.assertAllClose(found["losses"], totals, rtol=1e-4, atol=0)
            self.assertGreater(len(totals), STEPS)
            self.assertLess(totals[-1], totals[0])

    def test_is_small_and_holds_float16(self):
        model = self.save(served.Optimizer(Settings(**KNOBS)))
        self.assertLess(sum(path.stat().st_size for path in model.rglob("*")), 40e6)
        weights = tf.saved_model.load(str(model))._stored.weights
        self.assertEqual({weight.dtype for weight in weights}, {tf.float16})

    def test_a_picture_to_start_from_is_refused(self):
        with self.assertRaisesRegex(InputError, "init=a.png: an export starts from content"):
            served.Optimizer(Settings(init="a.png"))


@pytest.mark.slow
class OptimizerMistakesTest(ExportTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = served.Optimizer(Settings(**KNOBS))
        cls.good = dict(
            content=tf.constant(cut(PHOTOGRAPH, 64, 70)[None]),
            style=tf.constant(cut(PAINTING, 64, 70)[None]),
            steps=tf.constant(1),
            content_weight=tf.constant(0.03),
            tv_weight=tf.constant(0.0),
        )

    @parameterized.parameters(
        ("steps", 0, "steps: expected 1 or more"),
        ("content_weight", -1.0, "content_weight: expected a number from 0"),
        ("tv_weight", float("nan"), "tv_weight: expected a number from 0"),
        ("content", tf.fill([1, 64, 64, 3], 255.0), r"content: expected values in \[0, 1\]"),
        ("style", tf.fill([1, 64, 64, 3], float("nan")), r"style: expected values in \[0, 1\]"),
        ("style", tf.zeros([1, 10, 170, 3]), "style: expected sides that are at most 1 to 16"),
        ("content", tf.zeros([1, 0, 64, 3]), "content: expected sides"),
        ("content", tf.zeros([1, 40, 64, 3]), "content: expected sides of 32 px or more"),
    )
    def test_are_errors_with_a_message(self, name, value, message):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
            self.model(**self.good | {name: tf.constant(value)})

    def test_what_is_right_is_none(self):
        self.assertEqual(self.model(**self.good)["stylized"].shape, (1, 64, 70, 3))


@pytest.mark.slow
class FastTest(ExportTest):
    def test_paints_what_the_library_paints(self):
        model = self.save(served.Fast())
        paint = load("bundled")
        for batch, height, width in ((1, 70, 90), (2, 65, 51)):
            content = np.stack([cut(PHOTOGRAPH, height, width)] * batch)
            style = np.stack([cut(PAINTING, 300, 280), cut(PHOTOGRAPH, 300, 280)][:batch])
            inputs = dict(content_image=content, style_image=style)
            found = self.call_elsewhere(model, "serving_default", **inputs)["output_0"]
            self.assertAllClose(found, paint(content, style), atol=1 / 255)
            called = tf.saved_model.load(str(model))(tf.constant(content), tf.constant(style))
            self.assertAllClose(called[0], found, atol=1e-5)


@pytest.mark.slow
class BytesTest(ExportTest):
    @parameterized.parameters(
        ("PNG", "RGB"), ("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("JPEG", "L")
    )
    def test_files_are_painted_as_their_pictures(self, kind, mode):
        content, style = cut(PHOTOGRAPH, 64, 70), cut(PAINTING, 80, 66)
        files = [encoded(each, kind, mode) for each in (content, style)]
        pictures = [tf.io.decode_image(file, channels=3, expand_animations=False) for file in files]
        pictures = [tf.cast(each, tf.float32)[None] / 255 for each in pictures]
        request = dict(content_bytes=tf.constant(files[0]), style_bytes=tf.constant(files[1]))
        fast = served.Fast()
        expected = fast(*pictures)[0][0]
        found = decoded(fast.signatures()["serving_bytes"](**request)["stylized_bytes"].numpy())
        self.assertAllClose(found, expected, atol=0.51 / 255)

    def test_the_optimizer_takes_them_elsewhere(self):
        settings = Settings(**KNOBS)
        content, style = cut(PHOTOGRAPH, 64, 70), cut(PAINTING, 80, 66)
        knobs = dict(steps=np.int32(2), content_weight=np.float32(0.03), tv_weight=np.float32(0))
        found = self.call_elsewhere(
            self.save(served.Optimizer(settings)),
            "serving_bytes",
            content_bytes=encoded(content),
            style_bytes=encoded(style),
            **knobs,
        )
        run = Settings(**KNOBS, steps=2)
        *_, last = optimize(content, [Style(style)], run)
        picture = decoded(found["stylized_bytes"].item())
        self.assertAllClose(picture, last.image(), atol=0.51 / 255 + 1e-4)
        self.assertEqual(found["losses"].shape, (3,))

    @parameterized.parameters((b"garbage",), (b"",), (b"\xff\xd8\xff\xe0 no JPEG",))
    def test_what_is_no_picture_is_an_error_with_a_message(self, data):
        model = served.Fast()
        fast = model.signatures()["serving_bytes"]
        good = encoded(cut(PAINTING, 64, 64))
        for request in ((data, good), (good, data)):
            with self.assertRaises(tf.errors.InvalidArgumentError) as caught:
                fast(*map(tf.constant, request))
            self.assertRegex(str(caught.exception), "(?i)image|input|jpeg")

    def test_half_a_picture_is_an_error_with_a_message(self):
        model = served.Fast()
        fast = model.signatures()["serving_bytes"]
        good = encoded(cut(PAINTING, 64, 64))
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "(?i)png|image"):
            fast(tf.constant(good[: len(good) // 2]), tf.constant(good))


@pytest.mark.slow
class ManifestTest(ExportTest):
    def test_says_what_the_export_is(self):
        settings = Settings(precision="float32", recipe="tutorial")
        path = self.save(served.Optimizer(settings))
        model = tf.saved_model.load(str(path))
        facts = json.loads((path / "assets.extra" / "manifest.json").read_text())
        signatures = facts["signatures"]
        self.assertEqual(set(signatures), {"serving_default", "serving_bytes"})
        for name, signature in signatures.items():
            function = model.signatures[name]
            sides = dict(
                inputs=function.structured_input_signature[1], outputs=function.structured_outputs
            )
            for side, specs in sides.items():
                said = {k: (each["dtype"], each["shape"]) for k, each in signature[side].items()}
                found = {k: (each.dtype.name, each.shape.as_list()) for k, each in specs.items()}
                self.assertEqual(said, found)
        self.assertEqual(signatures["serving_default"]["inputs"]["steps"]["range"], [1, None])
        self.assertEqual(facts["settings"]["precision"], "float32")
        self.assertEqual(facts["settings"]["beta_1"], 0.99)
        self.assertNotIn("steps", facts["settings"])
        weights = b"".join(each.numpy().tobytes() for each in model._stored.weights)
        self.assertEqual(facts["weights_sha256"], hashlib.sha256(weights).hexdigest())
        readme = (path / "README.md").read_text()
        self.assertIn(facts["weights_sha256"], readme)
        self.assertIn("| input | `steps` | int32 | [] | 1 to  |", readme)


class FolderTest(ExportTest):
    def interrupted(self):
        path = self.folder / "model"
        with mock.patch.object(tf.saved_model, "save", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                export.save(mock.Mock(), path)
        return path

    def test_an_interrupted_export_leaves_nothing(self):
        self.assertFalse(self.interrupted().exists())
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_an_interrupted_export_leaves_the_old_one(self):
        (self.folder / "model").mkdir()
        (self.folder / "model" / "old").touch()
        path = self.interrupted()
        self.assertEqual([each.name for each in path.iterdir()], ["old"])
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_only_an_export_is_overwritten(self):
        path = self.folder / "model"
        export.check(path, overwrite=False)
        path.mkdir()
        with self.assertRaisesRegex(InputError, "model: exists; give --overwrite"):
            export.check(path, overwrite=False)
        export.check(path, overwrite=True)
        (path / "mine").touch()
        with self.assertRaisesRegex(InputError, "model: is no export"):
            export.check(path, overwrite=True)
        (path / "assets.extra").mkdir()
        (path / "assets.extra" / "manifest.json").touch()
        export.check(path, overwrite=True)
        with self.assertRaisesRegex(InputError, "mine: is no export"):
            export.check(path / "mine", overwrite=True)


@pytest.mark.slow
class LiteTest(ExportTest):
    def test_paints_what_the_saved_model_paints(self):
        model = served.Fast()
        export.save_lite(model, self.folder / "lite", 96, 128)
        content = cut(PHOTOGRAPH, 96, 128)[None]
        style = cut(PAINTING, 256, 256)[None]
        expected = model(content, style)[0].numpy()
        off = {}
        for kind in ("float32", "int8"):
            file = self.folder / "lite" / f"fast_{kind}.tflite"
            runner = tf.lite.Interpreter(model_path=str(file)).get_signature_runner()
            found = runner(content_image=content, style_image=style)["output_0"]
            off[kind] = 255 * np.abs(found - expected).mean()
        print("TensorFlow Lite, mean difference in 1/255:", off)
        self.assertLess(off["float32"], 2)
        # A wrong picture, the photograph itself, is 30 off.
        self.assertLess(off["int8"], 4)
        facts = json.loads((self.folder / "lite" / "assets.extra" / "manifest.json").read_text())
        shape = facts["signatures"]["serving_default"]["inputs"]["content_image"]["shape"]
        self.assertEqual(shape, [1, 96, 128, 3])


def from_json(value):
    """A tensor as TensorFlow Serving's REST interface makes it."""
    if isinstance(value, dict):
        return tf.constant(base64.b64decode(value["b64"], validate=True))
    return tf.constant(value)


@pytest.mark.slow
class ReadmeTest(ExportTest):
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
        self.assertGreater(ran, 6)
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
        self.assertEqual(set(body["inputs"]), set(function.structured_input_signature[1]))
        for name, file in (("content_bytes", "photo.jpg"), ("style_bytes", "painting.jpg")):
            data = (self.folder / file).read_bytes()
            start = body["inputs"][name]["b64"].removesuffix("...")
            text = base64.b64encode(data).decode()
            self.assertTrue(text.startswith(start))
            body["inputs"][name]["b64"] = text
        body["inputs"]["steps"] = 2
        sent = json.loads(json.dumps(body))
        found = function(**{name: from_json(value) for name, value in sent["inputs"].items()})
        self.assertEqual(decoded(found["stylized_bytes"].numpy()).shape, (64, 80, 3))


if __name__ == "__main__":
    absltest.main()
