import math
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut

from nst_tf import InputError, Settings, Style, optimize, stylize
from nst_tf.images import color_transfer
from nst_tf.images.image_io import resize
from nst_tf.losses import terms
from nst_tf.networks import vgg
from nst_tf.run import memory
from nst_tf.run.memory import Plan
from nst_tf.run.problem import Task, enlarge

SMALL = dict(size=96, scales=2, steps=4, precision="float32")


def halves(height=96, width=128):
    left = np.zeros([height, width], np.float32)
    left[:, : width // 2] = 1
    return left, 1 - left


class PlacesTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 96, 128)
        self.one = cut(PAINTING, 90, 70)
        self.other = cut(SAMPLES / "style" / "hokusai_great_wave.jpg", 80, 110)

    @parameterized.parameters(1.0, 0.5)
    def test_an_even_mask_is_none_exactly(self, light):
        even = np.full([48, 64], light, np.float32)
        expected = stylize(self.content, [Style(self.one)], Settings(**SMALL))
        found = stylize(self.content, [Style(self.one, mask=even)], Settings(**SMALL))
        self.assertAllEqual(found, expected)
        both = [Style(self.one, 0.5), Style(self.other, 0.5)]
        masked = [Style(self.one, 0.5, mask=even), Style(self.other, 0.5)]
        self.assertAllEqual(*(stylize(self.content, s, Settings(**SMALL)) for s in (both, masked)))

    @pytest.mark.slow
    def test_a_blend_of_all_and_nothing_is_one_painting(self):
        expected = stylize(self.content, [Style(self.one)], Settings(**SMALL))
        blend = [Style(self.one, 1.0), Style(self.other, 0.0)]
        self.assertAllEqual(stylize(self.content, blend, Settings(**SMALL)), expected)

    @pytest.mark.slow
    def test_each_half_comes_nearer_to_its_own_painting(self):
        settings = Settings(size=128, scales=1, steps=25, precision="float32")
        network = vgg.of(settings, "float32")
        left, right = halves()
        styles = [Style(self.one, mask=left), Style(self.other, mask=right)]
        painted = stylize(self.content, styles, settings)

        def grams(picture):
            return {n: terms.gram(f) for n, f in network(picture[None])["style"].items()}

        asked = [grams(style.rgb) for style in styles]
        for half, own in ((painted[:, :56], 0), (painted[:, 72:], 1)):
            found = grams(half)
            far = [terms.distance(found, each, terms.energies(each)) for each in asked]
            self.assertLess(far[own], far[1 - own])

    @parameterized.parameters(
        ({"mask": np.ones([960, 1294], np.float32)}, "mask: a mask of 1294 x 960 px for a picture"),
        ({"mask": np.zeros([96, 128], np.float32)}, "mask: is all black; make it white where"),
        ({"mask": np.full([96, 128], 2 / 255, np.float32)}, "mask: is all black"),
        ({"mask": np.ones([96, 128], np.uint8)}, r"mask: expected .* uint8 \(96, 128\)"),
        ({"mask": np.full([96, 128], 2.0)}, "mask: expected a float array .* from 2.0 to 2.0"),
        ({"region": np.ones([90, 70, 3])}, r"region: expected .* float64 \(90, 70, 3\)"),
        ({"region": np.ones([70, 90])}, "region: a mask of 90 x 70 px for a picture of 70 x 90"),
    )
    def test_what_is_no_mask_is_refused(self, masks, message):
        with self.assertRaisesRegex(InputError, message):
            stylize(self.content, [Style(self.one, **masks)], Settings(**SMALL))

    def test_a_mask_may_be_off_by_less_than_a_hundredth(self):
        styles = [Style(self.one, mask=np.eye(960, 1291, dtype=np.float32))]
        optimize(self.content, styles, Settings(**SMALL))

    @parameterized.parameters(1.0, 0.5)
    def test_an_even_region_is_none_exactly(self, light):
        settings = Settings(size=96, scales=1, precision="float32")
        network = vgg.of(settings, "float32")
        even = np.full([45, 35], light, np.float32)
        found = []
        for region in (None, even):
            job = Task(self.content, [Style(self.one, region=region)], settings, None)
            found.append(job.objective(network, (72, 96), math.inf).targets.styles[0])
        for name, target in found[0].items():
            for part, other in zip(target, found[1][name], strict=True):
                self.assertAllEqual(part, other)

    @parameterized.parameters(1e-50, 1e39, 1e308)
    def test_shares_of_any_size_are_parts_of_a_whole(self, share):
        settings = Settings(size=64, scales=1, steps=1, precision="float32")
        expected, found = (
            stylize(self.content, [Style(self.one, each), Style(self.other, each)], settings)
            for each in (1.0, share)
        )
        self.assertAllEqual(found, expected)

    def test_a_mask_within_what_is_kept_is_refused(self):
        left, right = halves()
        styles = [Style(self.one, mask=left), Style(self.other, mask=right)]
        coarse = halves(48, 64)[0]
        for keep in (left, coarse):
            with self.assertRaisesRegex(
                InputError, "style_mask: all of one is to stay as it is; make"
            ):
                optimize(self.content, styles, Settings(**SMALL), keep=keep)
        with self.assertRaisesRegex(InputError, "content_mask: all of the picture is to stay as"):
            optimize(self.content, [Style(self.one)], Settings(**SMALL), keep=np.ones_like(left))

    def test_each_painting_is_learnt_from_its_layers(self):
        shallow, deep = ("block1_conv1", "block2_conv1"), ("block4_conv1",)
        settings = Settings(size=96, scales=1, style_layers=shallow + deep, precision="float32")
        network = vgg.of(settings, "float32")
        styles = [Style(self.one, layers=shallow), Style(self.other, layers=deep)]
        job = Task(self.content, styles, settings, None)
        (found,) = job.objective(network, (72, 96), math.inf).targets.styles
        pictures = [painting.picture for painting in job._paintings(tf.zeros([1, 72, 96, 3]))]
        for names, picture in zip((shallow, deep), pictures, strict=True):
            for name in names:
                moments = terms.moments(network(picture)["style"][name])
                self.assertAllClose(found[name].second, moments[..., :-1], rtol=1e-5)
                self.assertAllClose(found[name].mean, moments[..., -1], rtol=1e-5)
        with self.assertRaisesRegex(InputError, "layers=block5_conv1: expected some of"):
            stylize(self.content, [Style(self.one, layers=["block5_conv1"])], settings)


class KeepTest(tf.test.TestCase):
    @pytest.mark.slow
    def test_the_photograph_stays_and_the_rest_is_painted(self):
        content, keep = cut(PHOTOGRAPH, 96, 128), halves()[0]
        knobs = Settings(size=128, scales=2, steps=6, init="noise", precision="float32")
        styles = [Style(cut(PAINTING, 90, 70))]
        for settings in (knobs, Settings(recipe="tutorial", size=128, steps=6)):
            painted = stylize(content, styles, settings, keep=keep)
            self.assertAllEqual(painted[:, :64], content[:, :64])
            self.assertGreater(np.abs(painted[:, 64:] - content[:, 64:]).mean(), 0.02)

    @pytest.mark.slow
    def test_what_is_kept_does_not_count_as_painted(self):
        content, keep = cut(PHOTOGRAPH, 96, 128), halves()[0]
        styles = [Style(cut(PAINTING, 90, 70))]
        rest = [Style(cut(PAINTING, 90, 70), mask=halves()[1])]
        settings = Settings(size=128, scales=1, steps=3, precision="float32")
        kept = [stylize(content, each, settings, keep=keep) for each in (styles, rest)]
        self.assertAllClose(*kept, atol=1e-5)


class ColorTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters("adam", "lbfgs")
    def test_luminance_paints_grey_and_keeps_the_photographs_hues(self, optimizer):
        content = cut(PHOTOGRAPH, 96, 128)
        knobs = dict(size=128, scales=2, steps=5, color="luminance", init_noise=0.2)
        settings = Settings(**knobs, optimizer=optimizer)
        *_, last = optimize(content, [Style(cut(PAINTING, 90, 70))], settings)
        # What is optimised is what is shown, but for the colours.
        self.assertLess(np.ptp(last._image, axis=-1).max(), 1e-5)
        found, theirs = color_transfer.to_oklab(last.image()), color_transfer.to_oklab(content)
        cross = found[..., 1] * theirs[..., 2] - found[..., 2] * theirs[..., 1]
        self.assertAllClose(cross, tf.zeros_like(cross), atol=1e-4)
        self.assertGreater(tf.reduce_mean(tf.abs(found[..., 0] - theirs[..., 0])), 0.02)
        self.assertAllClose(color_transfer.grey(last.image()), last._image[0], atol=2e-3)

    def test_a_matched_painting_is_a_picture(self):
        content = cut(SAMPLES / "content" / "astronaut.jpg", 96, 128)
        styles = [Style(cut(SAMPLES / "style" / "hokusai_great_wave.jpg", 96, 128))]
        job = Task(content, styles, Settings(color="match", precision="float32"), None)
        (painting,) = job._paintings(tf.constant(content[None]))
        self.assertAllInRange(painting.picture, 0, 1)
        self.assertAllClose(
            painting.picture[0], np.clip(color_transfer.match(styles[0].rgb, content), 0, 1)
        )

    @pytest.mark.slow
    def test_match_paints_in_the_photographs_colours(self):
        content = cut(SAMPLES / "content" / "honey_bee.jpg", 96, 128)
        styles = [Style(cut(SAMPLES / "style" / "hokusai_great_wave.jpg", 96, 128))]

        def off(name):
            settings = Settings(size=128, scales=1, steps=12, color=name, content_weight=0.001)
            painted = stylize(content, styles, settings)
            return np.abs(painted.mean((0, 1)) - content.mean((0, 1))).max()

        self.assertLess(off("match"), 0.5 * off("style"))


class StrokesTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters((0.25, (33, 42)), (1.0, (81, 104)), (2.5, (202, 260)))
    def test_the_painting_is_brought_to_so_many_times_the_picture(self, scale, expected):
        settings = Settings(style_scale=scale, precision="float32")
        styles = [Style(cut(PAINTING, 70, 90))]
        job = Task(cut(PHOTOGRAPH, 78, 104), styles, settings, None)
        (painting,) = job._paintings(tf.zeros([1, 78, 104, 3]))
        self.assertEqual(painting.picture.shape, (1, *expected, 3))


class StartTest(parameterized.TestCase, tf.test.TestCase):
    def test_noise_is_added_and_repeats(self):
        content = cut(PHOTOGRAPH, 64, 96)
        knobs = dict(size=96, precision="float32")

        def first(**more):
            return Task(content, [], Settings(**knobs, **more), None).first(None, (64, 96))[0]

        noise, half = first(init="noise"), first(init_noise=0.5)
        self.assertAllClose(half, (content + noise) / 2, atol=1e-6)
        self.assertAllEqual(first(init_noise=1.0), noise)
        self.assertNotAllClose(first(init="noise", seed=1), noise)
        start = Task(content, [], Settings(**knobs, init_noise=0.5), None).first(content, (64, 96))
        self.assertAllEqual(start[0], half)

    @parameterized.parameters({"init_noise": 1.5}, {"style_scale": 5}, {"style_scale": 0.1})
    def test_what_is_out_of_range_is_refused(self, **knobs):
        with self.assertRaisesRegex(InputError, "expected a number of at least .* of at most"):
            Settings(**knobs)


class TogetherTest(parameterized.TestCase, tf.test.TestCase):
    # Each recipe, optimizer and color, and each pair of the last two.
    @parameterized.parameters(
        ("default", "lbfgs", "luminance"),
        ("default", "adam", "match"),
        ("gatys", "lbfgs", "match"),
        ("tutorial", "adam", "luminance"),
    )
    @pytest.mark.slow
    def test_all_controls_at_several_scales_in_tiles(self, recipe, optimizer, color):
        content = cut(PHOTOGRAPH, 144, 192)
        left, right = halves(72, 96)
        corner = np.zeros([144, 192], np.float32)
        corner[:40, :40] = 1
        styles = [
            Style(cut(PAINTING, 90, 70), 2.0, mask=left, region=halves(90, 70)[0]),
            Style(cut(SAMPLES / "style" / "hokusai_great_wave.jpg", 80, 110), mask=right),
        ]
        settings = Settings(
            recipe=recipe,
            optimizer=optimizer,
            color=color,
            size=192,
            scales=2,
            steps=6,
            precision="float32",
        )
        runs = {}
        for name, most in (("whole", math.inf), ("tiled", 20_000)):

            def plan(sizes, network, settings, room, most=most):
                return [Plan(most, settings.history) for h, w in sizes]

            with mock.patch.object(memory, "plan", plan):
                runs[name] = list(optimize(content, styles, settings, keep=corner))
        totals = {name: [float(p.losses.total) for p in run] for name, run in runs.items()}
        # The first steps: L-BFGS then makes another picture of the last digit.
        self.assertAllClose(totals["tiled"][:2], totals["whole"][:2], rtol=1e-3)
        for name, run in runs.items():
            last_scale = [t for t, p in zip(totals[name], run, strict=True) if p.scale == 1]
            self.assertLess(min(last_scale), last_scale[0])
            self.assertAllClose(run[-1].image()[:40, :40], content[:40, :40], atol=1e-6)


class EnlargeTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        fine = cut(PHOTOGRAPH, 64, 96)
        self.fine = tf.constant(fine)[tf.newaxis]
        self.coarse = resize(self.fine, 32, 48)
        self.grey = tf.fill([1, 32, 48, 3], 0.5)

    def test_half_of_the_detail_comes_with_the_finer_scale(self):
        found = enlarge(self.grey, self.coarse, self.fine, Settings())
        detail = self.fine - resize(self.coarse, 64, 96)
        self.assertGreater(tf.norm(detail), 1)
        self.assertAllClose(found, tf.clip_by_value(0.5 + detail / 2, 0.0, 1.0), atol=1e-6)

    def test_the_photograph_itself_loses_less_than_by_resizing(self):
        found = enlarge(self.coarse, self.coarse, self.fine, Settings())
        plain = resize(self.coarse, 64, 96)
        ratio = tf.norm(found - self.fine) / tf.norm(plain - self.fine)
        self.assertAllClose(ratio, 0.5, atol=0.02)

    @parameterized.parameters({"init": "noise"}, {"init_noise": 1.0}, {"init": "other.png"})
    def test_a_run_that_began_elsewhere_gets_none(self, **knobs):
        found = enlarge(self.grey, self.coarse, self.fine, Settings(**knobs))
        self.assertAllClose(found, tf.fill([1, 64, 96, 3], 0.5), atol=1e-6)

    def test_a_grey_picture_stays_grey(self):
        job = Task(
            self.fine[0].numpy(), [Style(cut(PAINTING, 48, 64))], Settings(color="luminance"), None
        )
        found = job.enlarge(self.grey, (64, 96))
        self.assertAllClose(found[..., 0], found[..., 1], atol=1e-6)
        self.assertGreater(tf.math.reduce_std(found), 0.01)


if __name__ == "__main__":
    tf.test.main()
