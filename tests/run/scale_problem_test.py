import itertools
import math
from dataclasses import replace
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.networks import LAYERS, small_network
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut

from nst_tf import InputError, Settings, Style, optimize
from nst_tf.images import color_transfer
from nst_tf.images.pixels import resize
from nst_tf.losses.gram import gram_matrix
from nst_tf.run import memory_plan, scale_problem
from nst_tf.run.memory_plan import ScalePlan
from nst_tf.run.scale_problem import ScaleProblem, enlarge
from nst_tf.settings import RECIPES

SETTINGS = Settings(**LAYERS, style_loss="gram", size=64, precision="float32")
SIZE = (48, 64)
WAVE = SAMPLES / "style" / "hokusai_great_wave.jpg"


def halves(height=48, width=64):
    """Masks of the left and of the right half."""
    left = np.zeros([height, width], np.float32)
    left[:, : width // 2] = 1
    return left, 1 - left


def style_images(problem, size=SIZE):
    """The style images of a scale, as the objective gets them."""
    with mock.patch.object(scale_problem, "build_objective") as build:
        problem.objective(None, size, math.inf)
    return list(build.call_args.args[2])


class StyleTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 96, 128)
        self.one, self.other = cut(PAINTING, 90, 70), cut(WAVE, 80, 110)

    def targets(self, *styles, keep_mask=None, alpha=None, settings=SETTINGS):
        problem = ScaleProblem(self.content, styles, settings, keep_mask, alpha)
        objective = problem.objective(small_network(), SIZE, math.inf)
        # A masked objective has more beside them.
        return objective.targets[0] if hasattr(objective, "_objective") else objective.targets

    def assertSameTargets(self, one, other):
        tf.nest.assert_same_structure(one, other)
        for a, b in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
            self.assertAllEqual(a, b)

    @parameterized.parameters(1.0, 0.5)
    def test_uniform_masks_are_none_exactly(self, value):
        mask, region = np.full(SIZE, value, np.float32), np.full((45, 35), value, np.float32)
        expected = self.targets(Style(self.one), Style(self.other))
        found = self.targets(Style(self.one, mask=mask, region=region), Style(self.other))
        self.assertSameTargets(found, expected)
        self.assertEqual(expected.guides, (({},),))

    def test_masks_are_guides_of_their_own_style(self):
        left, right = halves(96, 128)
        targets = self.targets(Style(self.one, mask=left), Style(self.other, mask=right))
        for style, mask in zip((self.one, self.other), halves(), strict=True):
            expected = self.targets(Style(style)).styles[0]
            index = [
                np.array_equal(found["block1_conv1"][0], expected["block1_conv1"][0])
                for found in targets.styles
            ].index(True)
            self.assertAllEqual(targets.guides[0][index]["block1_conv1"][0, ..., 0], 2 * mask)
        self.assertAllEqual(targets.weights, [0.5, 0.5])

    @parameterized.parameters(1e-50, 1e39, 1e308)
    def test_weights_of_any_size_are_parts_of_a_whole(self, weight):
        expected = self.targets(Style(self.one), Style(self.other))
        found = self.targets(Style(self.one, weight), Style(self.other, weight))
        self.assertSameTargets(found, expected)

    def test_style_of_weight_0_is_none(self):
        found = self.targets(Style(self.one, 2.0), Style(self.other, 0.0, mask=halves()[0]))
        self.assertSameTargets(found, self.targets(Style(self.one)))

    def test_each_style_has_its_own_layers(self):
        names = ("block1_conv1", "block2_conv1")
        styles = [Style(self.one, layers=names[:1]), Style(self.other, layers=names[1:])]
        (found,) = self.targets(*styles).styles
        images = style_images(ScaleProblem(self.content, styles, SETTINGS, None))
        for name, style_image in zip(names, images, strict=True):
            expected = gram_matrix(small_network()(style_image.image)["style"][name])
            self.assertAllClose(found[name][0], expected, rtol=1e-5)

    def test_styles_apply_where_nothing_is_protected(self):
        left, right = halves()
        found = self.targets(Style(self.one), keep_mask=left)
        expected = self.targets(Style(self.one, mask=right), keep_mask=left)
        self.assertSameTargets(found, expected)
        self.assertAllEqual(found.guides[0][0]["block1_conv1"][0, ..., 0], 2 * right)

    def test_masks_within_the_protected_area_are_refused(self):
        left, right = halves()
        styles = [Style(self.one, mask=left), Style(self.other, mask=right)]
        for keep_mask in (left, halves(24, 32)[0]):
            with self.assertRaisesRegex(InputError, "keep_mask: covers all of a style_mask, so"):
                self.targets(*styles, keep_mask=keep_mask)
        with self.assertRaisesRegex(InputError, "keep_mask: covers the whole image, so"):
            self.targets(Style(self.one), keep_mask=np.ones_like(left))

    def test_what_is_hidden_does_not_count_and_stays(self):
        left, right = halves()
        found = self.targets(Style(self.one), alpha=right)
        self.assertSameTargets(found, self.targets(Style(self.one), keep_mask=left))
        # Of two, all that is in one of them is protected.
        top = halves(64, 48)[0].T
        found = self.targets(Style(self.one), keep_mask=top, alpha=right)
        guide = found.guides[0][0]["block1_conv1"][0, ..., 0]
        self.assertAllClose(guide, 4 * right * (1 - top), atol=1e-6)

    def test_opaque_images_are_as_without_alpha(self):
        expected = self.targets(Style(self.one))
        self.assertSameTargets(self.targets(Style(self.one), alpha=np.ones(SIZE)), expected)

    def test_content_of_what_is_left_counts_as_a_whole_image_would(self):
        expected = self.targets(Style(self.one)).content_norms
        found = self.targets(Style(self.one), keep_mask=halves()[0]).content_norms
        self.assertAllClose(found, {name: norm / 2 for name, norm in expected.items()})

    def test_squares_of_a_scroll_have_the_images_long_side(self):
        square = self.one[:60, :60]
        scroll = np.tile(square, (5, 1, 1))
        images = style_images(ScaleProblem(self.content, [Style(scroll)], SETTINGS, None))
        self.assertEqual([each.image.shape for each in images], [(1, 64, 64, 3)] * 5)
        expected = self.targets(Style(square))
        found = self.targets(Style(scroll))
        self.assertAllClose(found.styles, expected.styles, rtol=1e-5)

    @parameterized.parameters((0.25, (33, 42)), (1.0, (81, 104)), (2.5, (202, 260)))
    def test_style_images_are_a_multiple_of_the_image(self, style_scale, expected):
        settings = replace(SETTINGS, style_scale=style_scale)
        problem = ScaleProblem(self.content, [Style(cut(PAINTING, 70, 90))], settings, None)
        (found,) = style_images(problem, (78, 104))
        self.assertEqual(found.image.shape, (1, *expected, 3))

    @parameterized.parameters("match", "luminance")
    def test_style_images_get_the_content_images_colors(self, color):
        content = cut(SAMPLES / "content" / "astronaut.jpg", *SIZE)
        wave = cut(WAVE, *SIZE)
        problem = ScaleProblem(content, [Style(wave)], replace(SETTINGS, color=color), None)
        (found,) = style_images(problem)
        if color == "match":
            matched = color_transfer.match(wave, content)
            self.assertGreater(tf.reduce_max(matched), 1)
            self.assertAllClose(found.image[0], tf.clip_by_value(matched, 0, 1), atol=1e-6)
        else:
            self.assertAllClose(found.image[0], color_transfer.gray_like(wave, content), atol=1e-6)


class StartTest(parameterized.TestCase, tf.test.TestCase):
    def start(self, image=None, **settings):
        problem = ScaleProblem(self.content, [], Settings(**settings), None)
        return problem.start(image, (64, 96))[0]

    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 64, 96)

    def test_noise_is_added_and_repeats(self):
        self.assertAllEqual(self.start(), self.content)
        noise, half = self.start(init="noise"), self.start(init_noise=0.5)
        self.assertAllClose(half, (self.content + noise) / 2, atol=1e-6)
        self.assertAllEqual(self.start(init_noise=1.0), noise)
        self.assertAllEqual(self.start(self.content, init_noise=0.5), half)
        self.assertNotAllClose(self.start(init="noise", seed=1), noise)

    def test_start_image_is_resized(self):
        image = cut(PAINTING, 80, 80)
        self.assertAllEqual(self.start(image), resize(image, 64, 96))

    def test_gray_images_start_gray(self):
        self.content = np.repeat(self.content[..., :1], 3, axis=-1)
        noise = self.start(init="noise")
        self.assertAllEqual(noise[..., 0], noise[..., 1])
        self.assertAllEqual(noise[..., 0], noise[..., 2])

    def test_luminance_starts_gray(self):
        self.assertAllEqual(self.start(color="luminance"), color_transfer.gray(self.content))


class EnlargeTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.fine = tf.constant(cut(PHOTOGRAPH, 64, 96))[tf.newaxis]
        self.coarse = resize(self.fine, 32, 48)
        self.gray = tf.fill([1, 32, 48, 3], 0.5)

    def test_half_of_the_detail_comes_with_the_finer_scale(self):
        found = enlarge(self.gray, self.coarse, self.fine, Settings())
        detail = self.fine - resize(self.coarse, 64, 96)
        self.assertGreater(tf.norm(detail), 1)
        self.assertAllClose(found, tf.clip_by_value(0.5 + detail / 2, 0.0, 1.0), atol=1e-6)

    @parameterized.parameters({"init": "noise"}, {"init_noise": 1.0}, {"init": "other.png"})
    def test_no_detail_comes_to_a_run_that_began_elsewhere(self, **changes):
        found = enlarge(self.gray, self.coarse, self.fine, Settings(**changes))
        self.assertAllClose(found, tf.fill([1, 64, 96, 3], 0.5), atol=1e-6)

    def test_gray_image_stays_gray(self):
        settings = Settings(color="luminance")
        problem = ScaleProblem(self.fine[0].numpy(), [], settings, None)
        found = problem.enlarge(self.gray, (32, 48), (64, 96), detail=True)
        self.assertAllClose(found[..., 0], found[..., 1], atol=1e-6)
        self.assertGreater(tf.math.reduce_std(found), 0.01)


class FinishTest(tf.test.TestCase):
    def test_luminance_gets_the_content_images_hues(self):
        content = cut(PHOTOGRAPH, *SIZE)
        gray = color_transfer.gray(cut(WAVE, *SIZE))
        problem = ScaleProblem(content, [], replace(SETTINGS, color="luminance"), None)
        picture = problem.finish(gray[tf.newaxis], SIZE)[0]
        self.assertAllClose(color_transfer.gray(picture), gray, atol=2e-3)
        found, expected = color_transfer.to_oklab(picture), color_transfer.to_oklab(content)
        cross = found[..., 1] * expected[..., 2] - found[..., 2] * expected[..., 1]
        self.assertAllClose(cross, tf.zeros_like(cross), atol=1e-4)
        self.assertGreater(tf.math.reduce_std(found[..., 1]), 0.005)

    def test_protected_pixels_are_the_content_images(self):
        content, image = cut(PHOTOGRAPH, *SIZE), cut(WAVE, *SIZE)
        problem = ScaleProblem(content, [Style(image)], SETTINGS, halves(12, 16)[0])
        picture = problem.finish(image[np.newaxis], SIZE)[0]
        self.assertAllEqual(picture[:, :32], content[:, :32])
        self.assertAllEqual(picture[:, 32:], image[:, 32:])


class TogetherTest(parameterized.TestCase, tf.test.TestCase):
    # Each recipe, optimizer and color, and each pair of the last two.
    @parameterized.parameters(
        ("default", "lbfgs", "luminance"),
        ("default", "adam", "match"),
        ("gatys", "lbfgs", "match"),
        ("tutorial", "adam", "luminance"),
    )
    def test_all_controls_at_several_scales_in_tiles(self, recipe, optimizer, color):
        content = cut(PHOTOGRAPH, 72, 96)
        left, right = halves(36, 48)
        corner = np.zeros([72, 96], np.float32)
        corner[:20, :20] = 1
        styles = [
            Style(cut(PAINTING, 90, 70), 2.0, mask=left, region=halves(90, 70)[0]),
            Style(cut(WAVE, 80, 110), mask=right),
        ]
        changes = dict(**LAYERS, optimizer=optimizer, color=color, precision="float32")
        settings = replace(RECIPES[recipe], **changes, size=96, scales=2, steps=4)

        def run(max_tile_pixels):
            plans = [ScalePlan(max_tile_pixels, settings.lbfgs_history)] * 2
            with mock.patch.object(memory_plan, "plan", return_value=plans):
                return optimize(content, styles, settings, keep_mask=corner)

        tiled = list(run(max_tile_pixels=1700))
        totals = [float(progress.losses.total) for progress in tiled]
        for progress in itertools.islice(run(max_tile_pixels=10**6), 2):
            # Of the coarse scale, which is in tiles, too; L-BFGS then amplifies the last digit.
            self.assertAllClose(progress.losses.total, totals[progress.step], rtol=1e-3)
        self.assertLess(totals[5], totals[4])
        self.assertAllClose(tiled[-1].image()[:20, :20], content[:20, :20], atol=1e-6)


if __name__ == "__main__":
    tf.test.main()
