"""Tests of nst_tf.run.canvas, and that a picture's borders are alike."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import SAMPLES

from nst_tf.images import image_io
from nst_tf.images.pixels import Size, resize
from nst_tf.networks import vgg
from nst_tf.run import canvas
from nst_tf.run.scale_problem import ScaleProblem
from nst_tf.settings import RECIPES, Settings
from nst_tf.style import Style

SETTINGS = Settings(precision="float32", tv_weight=0.0)
STRIP = 16
PAIRS = [
    (SAMPLES / "content" / content, SAMPLES / "style" / style)
    for content, style in (
        ("raccoon.jpg", "vangogh_village_street_in_auvers.jpg"),
        ("cincinnati_bridge.jpg", "hokusai_great_wave.jpg"),
        ("honey_bee.jpg", "kandinsky_composition_viii.jpg"),
    )
]


def whole_at(path: Path, size: Size) -> np.ndarray:
    """A sample in another size, float32 [height, width, 3]."""
    return resize(image_io.read(path).rgb, *size).numpy()


class CanvasTest(parameterized.TestCase, tf.test.TestCase):
    def test_margin_is_a_reflection_half_on_either_side(self):
        image = np.arange(10, dtype=np.float32).reshape(1, 2, 5, 1)
        found = canvas.pad(tf.constant(image), 4)
        self.assertEqual(canvas.canvas_size((2, 5), 4), found.shape[1:3])
        self.assertAllEqual(found[0, 1, :, 0], [1, 0, 1, 2, 3, 4, 3, 2])
        self.assertAllEqual(found[0, :, 1, 0], [5, 0, 5, 0])
        self.assertAllEqual(canvas.crop(found, (2, 5), 4), image)

    def test_graphs_of_unknown_size_have_the_same_margin(self):
        image = tf.random.stateless_uniform([1, 33, 47, 3], seed=(0, 0))
        pad = tf.function(
            lambda image: canvas.pad(image, 8), input_signature=[tf.TensorSpec([1, None, None, 3])]
        )
        self.assertAllEqual(pad(image), canvas.pad(image, 8))

    def test_cell_is_that_of_the_deepest_layer(self):
        self.assertEqual(canvas.cell_side(Settings()), 8)
        self.assertEqual(canvas.cell_side(RECIPES["gatys"]), 16)
        self.assertEqual(canvas.cell_side(Settings(content_layers=("block5_pool",))), 32)
        # Its pictures are to be the tutorial's own.
        self.assertEqual(canvas.cell_side(RECIPES["tutorial"]), 1)

    # A multiple of the cell, and others from which poolings drop up to 7 rows and columns.
    @parameterized.parameters([(96, 128)], [(99, 133)], [(103, 131)], [(102, 134)])
    def test_opposite_borders_have_equal_gradients(self, size):
        top, bottom, left, right, whole = self.gradients(SETTINGS, size)
        self.assertAllClose([bottom / top, right / left], [1.0, 1.0], rtol=0, atol=0.1)
        found = np.array([top, bottom, left, right]) / whole
        self.assertAllClose(found, np.ones(4), rtol=0, atol=0.15)

    @pytest.mark.slow
    def test_borders_are_as_alike_at_any_size_with_the_papers_layers(self):
        settings = replace(RECIPES["gatys"], precision="float32")
        ratios = []
        for size in (96, 128), (107, 139), (111, 143):
            top, bottom, left, right, _ = self.gradients(settings, size)
            ratios.append([bottom / top, right / left])
        for found in ratios[1:]:
            self.assertAllClose(found, ratios[0], rtol=0, atol=0.1)

    def gradients(self, settings, size):
        """The mean size of the gradient in the strips at top, bottom, left, right, and in all."""
        network = vgg.extractor_from_settings(settings, "float32")
        totals = np.zeros(5)
        # One pair of images alone is off by as much as a tenth, by chance.
        for pair, turn in itertools.product(PAIRS, (1, -1)):
            content, style = (whole_at(path, size)[::turn, ::turn] for path in pair)
            problem = ScaleProblem(content, [Style(style)], settings, None)
            objective = problem.objective(network, size, np.inf)
            _, gradient = objective.value_and_grad(problem.start(None, size))
            change = np.abs(canvas.crop(gradient, size, canvas.cell_side(settings))[0])
            strips = change[:STRIP], change[-STRIP:], change[:, :STRIP], change[:, -STRIP:], change
            totals += [strip.mean() / change.mean() for strip in strips]
        return totals


if __name__ == "__main__":
    tf.test.main()
