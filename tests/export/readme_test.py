"""README's section on exports, word for word.

The exports run where this package cannot be imported, and give what it gives.
"""

import base64
import io
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from testing.networks import extractor
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, cut

from nst_tf import Settings, Style, digests, optimize, read
from nst_tf.images.pixels import to_uint
from nst_tf.losses.gram import gram_matrix
from nst_tf.networks import precision
from nst_tf.networks.stylization import StylizationNetwork, read_weights
from nst_tf.networks.weights import bundled_path


@pytest.mark.slow
class ReadmeTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        """Export and call the models."""
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        for name, path in (("photo", PHOTOGRAPH), ("painting", PAINTING)):
            Image.fromarray(to_uint(cut(path, 64, 80), np.uint8)).save(cls.folder / f"{name}.jpg")
        cls.content, cls.style = (read(cls.folder / f"{n}.jpg").rgb for n in ("photo", "painting"))
        shell, (python,), (request,) = cls.blocks()
        cls.request = json.loads(request)
        commands = [shlex.split(line) for line in shell.replace("\\\n", " ").splitlines()]
        exports = [words[2:] for words in commands if "scripts/export.py" in words]
        calls = [words[1:] for words in commands if ".venv/bin/saved_model_cli" in words]
        assert (len(exports), len(calls)) == (4, 6)
        for arguments in exports:
            cls.run_python(ROOT / "scripts" / "export.py", *arguments)
        cls.run_python("-c", python)
        (cls.folder / "calls.json").write_text(json.dumps(calls))
        cls.run_python(ROOT / "tests" / "testing" / "foreign.py", "calls.json")

    @staticmethod
    def blocks():
        """The section's shell commands, and its blocks of Python and of JSON."""
        section = (ROOT / "README.md").read_text().split("## On a server")[1].split("\n## ")[0]
        blocks = re.findall(r"```(\w*)\n(.*?)```", section, re.DOTALL)
        texts = {
            name: [text for language, text in blocks if language == name]
            for name in ("", "python", "json")
        }
        return "".join(texts[""]), texts["python"], texts["json"]

    @classmethod
    def run_python(cls, *arguments):
        command = [sys.executable, *arguments]
        found = subprocess.run(command, cwd=cls.folder, capture_output=True, text=True)
        assert found.returncode == 0, found.stderr

    def called(self, name):
        return np.load(self.folder / "called" / f"{name}.npy")

    def loaded(self, model):
        return tf.saved_model.load(str(self.folder / "exported" / model / "1"))

    def optimized(self, steps):
        settings = Settings(size=0, steps=steps, content_weight=0.085, tv_weight=0.03)
        return list(optimize(self.content, [Style(self.style)], settings))

    def test_the_optimizer_gives_what_the_library_gives(self):
        run = self.optimized(steps=10)
        self.assertAllClose(self.called("stylized")[0], run[-1].image(), atol=1 / 255)
        totals = [progress.losses.total for progress in run]
        self.assertAllClose(self.called("losses"), totals, rtol=1e-3, atol=0)

    def test_the_feed_forward_network_gives_what_the_library_gives(self):
        images = self.content[None], self.style[None]
        expected = StylizationNetwork(read_weights())(*images)[0]
        self.assertAllClose(self.called("output_0"), expected, atol=1 / 255)
        # The interface of TF-Hub's module.
        self.assertAllClose(self.loaded("fast")(*images)[0], expected, atol=1e-5)

    def test_the_extractor_gives_what_the_library_gives(self):
        resolved = precision.resolve("auto")
        features = extractor(Settings(), resolved)(self.content[None])
        expected = {f"{k}_gram": gram_matrix(layer) for k, layer in features["style"].items()}
        expected |= {f"{k}_features": layer for k, layer in features["content"].items()}
        for name, value in expected.items():
            value = np.float32(value)
            atol = (1e-6 if resolved == "float32" else 1e-2) * np.abs(value).max()
            self.assertAllClose(self.called(name), value, atol=atol, rtol=0)

    def test_the_request_of_files(self):
        inputs = self.request["inputs"] | {"steps": 2}
        function = self.loaded("optimizer").signatures[self.request["signature_name"]]
        specs = function.structured_input_signature[1]
        for name, file in (("content_bytes", "photo.jpg"), ("style_bytes", "painting.jpg")):
            text = base64.b64encode((self.folder / file).read_bytes()).decode()
            self.assertStartsWith(text, inputs[name]["b64"].removesuffix("..."))
            # As TensorFlow Serving decodes it.
            inputs[name] = base64.b64decode(text)
        found = function(**{k: tf.constant(v, specs[k].dtype) for k, v in inputs.items()})
        picture = Image.open(io.BytesIO(found["stylized_bytes"].numpy()))
        self.assertEqual((picture.format, picture.size), ("PNG", (80, 64)))
        self.assertAllClose(picture, 255 * self.optimized(steps=2)[-1].image(), atol=1)
        self.assertEqual(found["losses"].shape, (2,))

    def test_the_optimizer_is_small_and_holds_float16(self):
        folder = self.folder / "exported" / "optimizer"
        self.assertLess(sum(path.stat().st_size for path in folder.rglob("*")), 40e6)
        weights = self.loaded("optimizer")._vgg.weights
        self.assertEqual({weight.dtype for weight in weights}, {tf.float16})

    def test_manifests_say_what_the_exports_are(self):
        for name in ("optimizer", "fast", "extractor"):
            folder = self.folder / "exported" / name / "1"
            facts = json.loads((folder / "assets.extra" / "manifest.json").read_text())
            self.assertEqual(facts["model"], name)
            self.check_signatures(facts["signatures"], self.loaded(name).signatures)
            weights = facts["weights"]
            self.assertEqual(weights["sha256"], digests.file_sha256(bundled_path(weights["file"])))
            self.assertIn(weights["sha256"], (folder / "README.md").read_text())

    def check_signatures(self, described, loaded):
        self.assertEqual({*described}, {*loaded})
        for name, function in loaded.items():
            inputs, outputs = function.structured_input_signature[1], function.structured_outputs
            for side, specs in (("inputs", inputs), ("outputs", outputs)):
                found = {k: (v["dtype"], v["shape"]) for k, v in described[name][side].items()}
                expected = {k: (v.dtype.name, v.shape.as_list()) for k, v in specs.items()}
                self.assertEqual(found, expected)

    def test_tensorflow_lite_models_stylize_as_the_saved_model(self):
        folder = self.folder / "exported" / "lite"
        content, style = cut(PHOTOGRAPH, 384, 512)[None], cut(PAINTING, 256, 256)[None]
        expected = StylizationNetwork(read_weights())(content, style)[0]
        errors, num_int8 = {}, {}
        for name in ("float32", "int8"):
            interpreter = tf.lite.Interpreter(model_path=str(folder / f"fast_{name}.tflite"))
            stylize = interpreter.get_signature_runner()
            kernels = (t for t in interpreter.get_tensor_details() if len(t["shape"]) == 4)
            num_int8[name] = sum(tensor["dtype"] == np.int8 for tensor in kernels)
            found = stylize(content_image=content, style_image=style)["output_0"]
            errors[name] = 255 * np.abs(found - expected).mean()
        print("TensorFlow Lite, mean difference in 1/255:", errors)
        self.assertLess(errors["float32"], 0.5)
        # The content image itself is more than 30 off.
        self.assertLess(errors["int8"], 8)
        self.assertGreater(errors["int8"], errors["float32"])
        self.assertEqual(num_int8["float32"], 0)
        self.assertGreater(num_int8["int8"], 70)
        facts = json.loads((folder / "assets.extra" / "manifest.json").read_text())
        inputs = facts["signatures"]["serving_default"]["inputs"]
        self.assertEqual(inputs["content_image"]["shape"], [1, 384, 512, 3])


if __name__ == "__main__":
    tf.test.main()
