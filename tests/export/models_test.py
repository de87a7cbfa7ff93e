"""Exported models give what the library gives, and refuse what they cannot take."""

import io
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.networks import LAYERS, extractor
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, Settings, Style, optimize
from nst_tf.export import models
from nst_tf.images.pixels import to_uint
from nst_tf.losses.gram import gram_matrix
from nst_tf.networks.stylization import StylizationNetwork, read_weights
from nst_tf.settings import RECIPES

# With the first layers of the network, graphs are built soon.
SMALL = dict(size=0, scales=2, precision="float32", **LAYERS)
REQUEST = dict(steps=4, content_weight=0.05, tv_weight=0.1)


class ModelCase(parameterized.TestCase, tf.test.TestCase):
    def refused(self, function, inputs, *wrong):
        """That each (name, value, message) is refused among inputs that are not."""
        inputs = {name: tf.constant(value) for name, value in inputs.items()}
        function(**inputs)
        for name, value, message in wrong:
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, f"{name}: .*{message}"):
                function(**inputs | {name: tf.constant(value)})

    def refused_files(self, function, **request):
        file = tf.io.encode_png(np.ones([64, 64, 3], np.uint8))
        files = dict(content_bytes=file, style_bytes=file)
        cut_off = tf.io.encode_jpeg(np.ones([64, 64, 3], np.uint8)).numpy()[:400]
        wrong = [(name, "garbage", "expected a JPEG or PNG file") for name in files]
        wrong += [(name, cut_off, "is cut short") for name in files]
        self.refused(function, files | request, *wrong)


@pytest.mark.slow
class OptimizationTest(ModelCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = models.ExportedOptimization(Settings(**SMALL))

    def test_stylizes_as_the_library_does_in_any_size(self):
        for size in ((96, 70), (64, 130)):
            self.stylizes_as_the_library(self.model, Settings(**SMALL), size)

    @parameterized.parameters((40, 120), (181, 40), (40, 320))
    def test_learns_from_scrolls_as_the_library_does(self, *style_size):
        self.stylizes_as_the_library(self.model, Settings(**SMALL), (96, 70), style_size)

    @parameterized.parameters(
        ("gatys", dict(optimizer="adam", init="noise", style_scale=1.3), (64, 130)),
        ("default", dict(precision="bfloat16", size=80, init_noise=0.3), (70, 70)),
        ("tutorial", {}, (96, 70)),
    )
    def test_stylizes_as_the_library_does_with_settings(self, recipe, changes, size):
        settings = replace(RECIPES[recipe], **SMALL | changes)
        self.stylizes_as_the_library(models.ExportedOptimization(settings), settings, size)

    def stylizes_as_the_library(self, model, settings, size, style_size=(90, 60)):
        content, style = cut(PHOTOGRAPH, *size), cut(PAINTING, *style_size)
        run = list(optimize(content, [Style(style)], replace(settings, **REQUEST)))
        inputs = dict(content=content[None], style=style[None]) | REQUEST
        found = model(**{name: tf.constant(value) for name, value in inputs.items()})
        self.assertAllClose(found["stylized"][0], run[-1].image(), atol=1 / 255)
        totals = np.array([progress.losses.total for progress in run])
        self.assertAllClose(found["losses"], totals, rtol=1e-4, atol=0)
        # Both scales improve the image.
        self.assertLen(totals, 4 + 2)
        self.assertLess(totals[3], totals[0])
        self.assertLess(totals[5], totals[4])

    def test_refuses_inputs(self):
        image = np.zeros([1, 64, 70, 3], np.float32)
        request = REQUEST | dict(steps=1)
        self.refused(
            self.model,
            dict(content=image, style=image) | request,
            ("steps", 0, "expected 1 to"),
            ("content_weight", -1.0, "expected a number"),
            ("tv_weight", -1.0, "expected a number"),
            ("content", image + 255, "expected values"),
            ("content", image[:, :40], "expected sides from 32 px at each scale"),
            ("style", image[:, :7, :7], "expected sides from 8 px"),
        )
        self.refused_files(self.model.stylize_files, **request)


class SettingsTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"init": "a.png"}, "init=a.png: an export starts from content"),
        ({"color": "match"}, "color=match: expected style"),
        ({"size": 20}, "size=20: the short side"),
        ({"size": 64, "scales": 3}, "scales=3: the coarsest would be 16 px"),
    )
    def test_an_optimization_refuses(self, changes, message):
        with self.assertRaisesRegex(InputError, message):
            models.ExportedOptimization(Settings(**changes))


@pytest.mark.slow
class ExtractorTest(ModelCase):
    def test_gives_features_of_batches(self):
        settings = Settings(pooling="avg", precision="float32", **LAYERS)
        model = models.ExportedExtractor(settings)
        images = np.stack([cut(path, 64, 50) for path in (PHOTOGRAPH, PAINTING)])
        found, features = model(tf.constant(images)), extractor(settings)(images)
        self.assertLen(found, len(features["style"]) + len(features["content"]))
        for name, layer in features["style"].items():
            self.assertAllClose(found[f"{name}_gram"], gram_matrix(layer), rtol=1e-5)
        for name, layer in features["content"].items():
            self.assertAllClose(found[f"{name}_features"], layer, rtol=1e-5, atol=1e-2)
        self.refused(model, dict(image=images), ("image", images[:, :31], "expected sides"))


@pytest.mark.slow
class StylizationTest(ModelCase):
    def test_stylizes_batches_and_files(self):
        model, network = models.ExportedStylization(), StylizationNetwork(read_weights())
        content = np.stack([cut(path, 65, 51) for path in (PHOTOGRAPH, PAINTING)])
        style = np.stack([cut(path, 70, 80) for path in (PAINTING, PHOTOGRAPH)])
        expected = network(content, style)[0]
        found = model.stylize(tf.constant(content), tf.constant(style))["output_0"]
        self.assertAllClose(found, expected, atol=1e-5)
        files = (tf.io.encode_png(to_uint(images[0], np.uint8)) for images in (content, style))
        file = model.stylize_files(*files)["stylized_bytes"].numpy()
        self.assertAllClose(Image.open(io.BytesIO(file)), 255 * expected[0], atol=1)
        self.refused(
            model.stylize,
            dict(content_image=content, style_image=style),
            ("content_image", content + 255, "expected values"),
            ("style_image", style[:, :1, :1], "expected sides from 8 px"),
            ("style_image", np.concatenate([style] * 2), "expected equal batches"),
        )
        self.refused_files(model.stylize_files)
        self.keeps_gray_and_alpha(model, content, style)

    def keeps_gray_and_alpha(self, model, content, style):
        gray_content, gray_style = (np.repeat(x[..., :1], 3, -1) for x in (content, style))
        found = model.stylize(tf.constant(gray_content), tf.constant(gray_style))["output_0"]
        self.assertLess(np.ptp(found, axis=-1).max(), 1e-5)
        found = model.stylize(tf.constant(gray_content), tf.constant(style))["output_0"]
        self.assertGreater(np.ptp(found, axis=-1).max(), 0.1)
        cut_out = np.concatenate([content[0], content[0, ..., :1] > 0.5], axis=-1)
        files = (tf.io.encode_png(to_uint(image, np.uint8)) for image in (cut_out, style[0]))
        file = model.stylize_files(*files)["stylized_bytes"].numpy()
        alpha = np.asarray(Image.open(io.BytesIO(file)))[..., 3]
        self.assertAllEqual(alpha, 255 * (content[0, ..., 0] > 0.5))


if __name__ == "__main__":
    tf.test.main()
