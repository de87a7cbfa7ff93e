"""What is exported gives, without this package, what this package gives."""

import io
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT, cut

from nst_tf import InputError, Settings, Style, optimize
from nst_tf.export import models, saving
from nst_tf.losses import terms
from nst_tf.networks import vgg
from nst_tf.networks.quantization import Stored
from nst_tf.networks.stylization import Arbitrary, read_weights

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
        saving.save(model, path)
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
        model = self.save(models.Extractor(settings))
        network = vgg.of(settings, "float32")
        for batch, height, width in ((1, 70, 90), (2, 64, 50)):
            images = np.stack([cut(path, height, width) for path in (PHOTOGRAPH, PAINTING)[:batch]])
            found = self.call_elsewhere(model, "serving_default", image=images)
            seen = network(images)
            self.assertEqual(len(found), len(seen["style"]) + len(seen["content"]))
            for name, layer in seen["style"].items():
                self.assertAllClose(found[f"{name}_gram"], terms.gram(layer), rtol=1e-5)
            for name, layer in seen["content"].items():
                self.assertAllClose(found[f"{name}_features"], layer, rtol=1e-5, atol=1e-2)


@pytest.mark.slow
class OptimizerTest(ExportTest):
    @parameterized.parameters(
        ({}, (96, 70), (64, 130)),
        ({"optimizer": "adam", "init": "noise", "seed": 3, "style_scale": 1.3}, (64, 130)),
        ({"precision": "bfloat16", "size": 128, "init_noise": 0.3}, (96, 70)),
        ({"recipe": "gatys"}, (64, 130)),
        ({"recipe": "tutorial"}, (96, 70)),
    )
    def test_paints_what_the_library_paints(self, knobs, *sizes):
        settings = Settings(**KNOBS | knobs)
        model = self.save(models.Optimizer(settings))
        for height, width in sizes:
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
        model = self.save(models.Optimizer(Settings(**KNOBS)))
        self.assertLess(sum(path.stat().st_size for path in model.rglob("*")), 40e6)
        weights = tf.saved_model.load(str(model))._stored.weights
        self.assertEqual({weight.dtype for weight in weights}, {tf.float16})

    def test_weights_that_float16_would_round_stay_float32(self):
        network = vgg.of(Settings(), "float32")
        last = network.layers[-1].kernel
        last.assign(last.value * 1.0001)
        stored = Stored(network).weights
        names = [variable.path for variable in network.variables]
        whole = [name for name, w in zip(names, stored, strict=True) if w.dtype == tf.float32]
        self.assertEqual(whole, [last.path])

    @parameterized.parameters(
        ({"init": "a.png"}, "init=a.png: an export starts from content"),
        ({"color": "match"}, "color=match: an export paints in the painting's colours"),
        ({"size": 20}, "size=20: the short side"),
        ({"size": 64, "scales": 3}, "scales=3: the coarsest would be 16 px"),
    )
    def test_what_no_picture_can_be_painted_with_is_refused(self, knobs, message):
        with self.assertRaisesRegex(InputError, message):
            models.Optimizer(Settings(**knobs))


@pytest.mark.slow
class OptimizerMistakesTest(ExportTest):
    def test_are_errors_with_a_message(self):
        model = models.Optimizer(Settings(**KNOBS))
        good = dict(
            content=tf.constant(cut(PHOTOGRAPH, 64, 70)[None]),
            style=tf.constant(cut(PAINTING, 64, 70)[None]),
            steps=tf.constant(1),
            content_weight=tf.constant(0.03),
            tv_weight=tf.constant(0.0),
        )
        self.assertEqual(model(**good)["stylized"].shape, (1, 64, 70, 3))
        with mock.patch.object(terms, "distance", lambda *_: tf.constant(float("nan"))):
            broken = models.Optimizer(Settings(**KNOBS))
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "losses: are not numbers"):
                broken(**good)
        for name, value, message in (
            ("steps", 0, "steps: expected 1 to 100000"),
            ("steps", 2**31 - 1, "steps: expected 1 to 100000"),
            ("content_weight", -1.0, "content_weight: expected a number from 0"),
            ("tv_weight", float("nan"), "tv_weight: expected a number from 0"),
            ("content", tf.fill([1, 64, 64, 3], 255.0), r"content: expected values in \[0, 1\]"),
            ("style", tf.fill([1, 64, 64, 3], float("nan")), r"style: expected values in"),
            ("style", tf.zeros([1, 10, 170, 3]), "style: expected sides from 1 px, at most 1 to"),
            ("content", tf.zeros([1, 0, 64, 3]), "content: expected sides from 32 px"),
            ("content", tf.zeros([1, 40, 64, 3]), "content: expected sides from 32 px at each sc"),
        ):
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
                model(**good | {name: tf.constant(value)})


@pytest.mark.slow
class FastTest(ExportTest):
    def test_paints_what_the_network_paints(self):
        model = self.save(models.Fast())
        network = Arbitrary(read_weights())
        for batch, height, width in ((1, 70, 90), (2, 65, 51)):
            content = np.stack([cut(PHOTOGRAPH, height, width)] * batch)
            style = np.stack([cut(PAINTING, 300, 280), cut(PHOTOGRAPH, 300, 280)][:batch])
            inputs = dict(content_image=content, style_image=style)
            found = self.call_elsewhere(model, "serving_default", **inputs)["output_0"]
            self.assertAllClose(found, network(content, style)[0], atol=1 / 255)
            called = self.call_elsewhere(model, "__call__", **inputs)["0"]
            self.assertAllEqual(called, found)

    def test_what_is_wrong_is_an_error_with_a_message(self):
        model = models.Fast()
        good = dict.fromkeys(("content_image", "style_image"), tf.zeros([2, 64, 64, 3]))
        for name, value, message in (
            ("content_image", tf.fill([1, 64, 64, 3], 255.0), "content_image: expected values in"),
            ("content_image", tf.zeros([1, 31, 64, 3]), "content_image: expected sides from 32 px"),
            ("content_image", tf.zeros([0, 64, 64, 3]), "content_image: expected sides"),
            ("style_image", tf.zeros([3, 64, 64, 3]), "content_image, style_image: expected as"),
        ):
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
                model.signatures()["serving_default"](**good | {name: value})


@pytest.mark.slow
class BytesTest(ExportTest):
    def test_files_of_each_kind_are_painted_as_their_pictures(self):
        model, network = self.save(models.Fast()), Arbitrary(read_weights())
        style = cut(PAINTING, 80, 66)
        kinds = (("PNG", "RGB"), ("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("JPEG", "L"))
        for kind, mode in kinds:
            file = encoded(cut(PHOTOGRAPH, 64, 70), kind, mode)
            request = dict(content_bytes=file, style_bytes=encoded(style))
            found = self.call_elsewhere(model, "serving_bytes", **request)["stylized_bytes"]
            content = np.float32(Image.open(io.BytesIO(file)).convert("RGB")) / 255
            expected = network(content[None], np.float32(decoded(encoded(style)))[None])[0][0]
            off = 255 * np.abs(decoded(found.item()) - expected)
            self.assertLess(off.max(), 1)

    def test_the_optimizer_takes_them_elsewhere(self):
        content, style = cut(PHOTOGRAPH, 64, 70), cut(PAINTING, 80, 66)
        knobs = dict(steps=np.int32(2), content_weight=np.float32(0.03), tv_weight=np.float32(0))
        files = dict(content_bytes=encoded(content, "JPEG", "L"), style_bytes=encoded(style))
        found = self.call_elsewhere(
            self.save(models.Optimizer(Settings(**KNOBS))), "serving_bytes", **files, **knobs
        )
        content, style = (decoded(encoded(decoded(each))) for each in files.values())
        *_, last = optimize(content, [Style(style)], Settings(**KNOBS, steps=2))
        off = 255 * np.abs(decoded(found["stylized_bytes"].item()) - last.image())
        self.assertLess(off.max(), 1)
        self.assertEqual(found["losses"].shape, (3,))

    def test_what_is_no_picture_is_an_error_with_a_message(self):
        good = encoded(cut(PAINTING, 64, 64))
        unknown = "content_bytes: expected a JPEG or PNG file, got something else"
        wrong = {
            b"garbage": unknown,
            b"": unknown,
            b"GIF89a": unknown,
            b"\xff\xd8\xff\xe0 no JPEG": "(?i)invalid jpeg",
            good[: len(good) // 2]: "Invalid PNG",
        }
        exports = models.Fast(), models.Optimizer(Settings(**KNOBS))
        for model, rest in zip(exports, ([], [1, 0.03, 0.0]), strict=True):
            function = model.signatures()["serving_bytes"]
            for data, message in wrong.items():
                with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
                    function(*map(tf.constant, (data, good, *rest)))
                message = message.replace("content", "style")
                with self.assertRaisesRegex(tf.errors.InvalidArgumentError, message):
                    function(*map(tf.constant, (good, data, *rest)))


if __name__ == "__main__":
    tf.test.main()
