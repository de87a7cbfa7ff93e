import functools
import gc
from dataclasses import replace
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.networks import LAYERS, small_network
from testing.pictures import PAINTING, PHOTOGRAPH, cut
from testing.quadratic import losses_of

from nst_tf import InputError, Settings, State, Style, coarse_to_fine, optimize, stylize
from nst_tf.callbacks.base import Callback
from nst_tf.images.pixels import resize
from nst_tf.losses.terms import Losses
from nst_tf.networks import vgg
from nst_tf.run import memory_plan
from nst_tf.run.session import Session
from nst_tf.settings import RECIPES

SMALL = Settings(**LAYERS, size=64, scales=1, steps=3, lbfgs_history=4, precision="float32")


class TransferTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.content = cut(PHOTOGRAPH, 72, 96)
        self.styles = [Style(cut(PAINTING, 70, 60))]

    def optimize(self, settings, **options):
        """The steps of a run."""
        return optimize(self.content, self.styles, settings, **options)

    def stylize(self, settings, **options):
        return stylize(self.content, self.styles, settings, **options)


class VggTest(TransferTest):
    # Each recipe with each optimizer, and each of them with each start.
    @parameterized.parameters(
        ("default", "lbfgs", "content"),
        ("default", "adam", "noise"),
        ("gatys", "lbfgs", "noise"),
        ("gatys", "adam", "content"),
        ("tutorial", "adam", "noise"),
        ("tutorial", "lbfgs", "content"),
    )
    def test_the_loss_falls(self, recipe, optimizer, init):
        changes = dict(optimizer=optimizer, init=init, precision="float32")
        settings = replace(RECIPES[recipe], **changes, size=64, steps=12, scales=1)
        run = list(self.optimize(settings))
        self.assertLess(run[-1].losses.total, 0.8 * run[0].losses.total)
        self.assertAllInRange(run[-1].image(), 0, 1)

    @parameterized.parameters(("wasserstein", "lbfgs"), ("gram", "adam"))
    def test_a_run_leaves_no_graph_behind(self, style_loss, optimizer):
        settings = replace(SMALL, steps=1, style_loss=style_loss, optimizer=optimizer)

        def graphs_after_a_run() -> int:
            self.stylize(settings)
            gc.collect()
            return sum(isinstance(each, tf.Graph) for each in gc.get_objects())

        first = graphs_after_a_run()
        self.assertEqual(graphs_after_a_run(), first)

    @parameterized.parameters(
        ({"size": 40}, "size=40"),
        ({"style_layers": "nowhere"}, "style_layers=nowhere"),
        ({"init": "start.png"}, "init=start.png: give the picture itself"),
        ({"vgg_weights": "missing.h5"}, "vgg_weights=missing.h5"),
        ({"max_memory": 1e-3}, "max_memory=0.001"),
    )
    def test_refusals_come_with_the_call(self, changes, message):
        with self.assertRaisesRegex(InputError, message):
            self.optimize(replace(SMALL, **changes))


class SmallNetworkTest(TransferTest):
    """With a network of three layers for VGG."""

    def setUp(self):
        super().setUp()
        small = mock.patch.object(
            vgg, "extractor_from_settings", lambda settings, precision: small_network(precision)
        )
        self.enter_context(small)


class OptimizeTest(SmallNetworkTest):
    def test_yields_a_progress_after_each_step(self):
        run = self.optimize(replace(SMALL, size=96, scales=2, steps=4))
        shapes, progress_of_steps = [], []
        for progress in run:
            progress_of_steps.append(progress)
            picture = progress.image()
            self.assertEqual(picture.dtype, np.float32)
            self.assertAllInRange(picture, 0, 1)
            shapes.append(picture.shape)
        self.assertEqual(
            [(progress.scale, progress.step) for progress in progress_of_steps],
            [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)],
        )
        self.assertEqual(progress.steps, [4, 2])
        self.assertEqual(progress.scales, [(36, 48), (72, 96)])
        self.assertEqual(shapes, [(36, 48, 3)] * 4 + [(72, 96, 3)] * 2)
        # Each state has all pairs of L-BFGS, so only the last is kept.
        self.assertLen({id(progress.state()) for progress in progress_of_steps}, 1)

    def test_the_device_is_named_before_each_run(self):
        with self.assertLogs("nst_tf", "INFO") as planned:
            *_, last = self.optimize(SMALL)
        plan = last.state().plan
        with self.assertLogs("nst_tf", "INFO") as known:
            next(self.optimize(SMALL, resume=State(0, 0, plan, plan)))
        for logs in planned, known:
            self.assertIn("float32 on the CPU", logs.output[0])

    def test_losses_are_of_the_image_before_the_step(self):
        settings = replace(SMALL, tv_weight=0.1, optimizer="adam")
        run = [(progress, progress.image()) for progress in self.optimize(settings)]
        self.assertAllClose(run[0][0].losses.content, 0, atol=1e-6)
        for progress, _ in run:
            total, *terms = map(float, progress.losses)
            self.assertAllClose(total, sum(terms), rtol=1e-6)
        first = next(self.optimize(replace(settings, steps=1), start=run[0][1]))
        self.assertAllClose(first.losses.total, run[1][0].losses.total, rtol=1e-5)

    def test_finer_scale_has_detail_of_the_content_image_unless_the_run_began_elsewhere(self):
        """By the loss of its first image, without an optimizer's step at that scale."""
        settings = replace(SMALL, size=96, optimizer="adam")
        for start, same in ((None, False), (np.full_like(self.content, 0.5), True)):
            _, coarse, fine = self.optimize(replace(settings, scales=2, steps=2), start=start)
            enlarged = resize(coarse.image(), 72, 96).numpy()
            first = next(self.optimize(replace(settings, steps=1), start=enlarged))
            error = abs(float(first.losses.total) / float(fine.losses.total) - 1)
            (self.assertLess if same else self.assertGreater)(error, 1e-3)

    def test_lbfgs_shows_the_best_image_it_has_evaluated(self):
        settings, session = replace(SMALL, steps=25), Session()
        run = list(self.optimize(settings, session=session))
        accepted = [float(progress.losses.total) for progress in run if progress.accepted]
        self.assertBetween(len(accepted), 10, 24)
        self.assertEqual(accepted, sorted(accepted, reverse=True))
        first = next(self.optimize(settings, session=session, start=run[-1].image()))
        self.assertAllClose(first.losses.total, accepted[-1], rtol=1e-5)

    def test_sessions_reuse_traces_for_other_images(self):
        settings, session = replace(SMALL, optimizer="adam"), Session()
        first = self.stylize(settings)
        *_, last = self.optimize(settings, session=session)
        self.assertAllEqual(last.image(), first)
        (graph,) = session.graphs.values()
        self.content = self.content[:, 20:]
        *_, last = self.optimize(settings, session=session)
        self.assertAllEqual(last.image(), self.stylize(settings))
        self.assertEqual([*session.graphs.values()], [graph])


class StylizeTest(SmallNetworkTest):
    def test_is_the_last_picture_and_calls_callbacks(self):
        class Pictures(Callback):
            def __init__(self):
                self.pictures, self.closed = [], False

            def on_step(self, progress):
                self.pictures.append(progress.image())

            def close(self):
                self.closed = True

        callback = Pictures()
        picture = self.stylize(replace(SMALL, optimizer="adam"), callbacks=[callback])
        self.assertLen(callback.pictures, 3)
        self.assertAllEqual(picture, callback.pictures[-1])
        self.assertTrue(callback.closed)

    def test_jit_compile_reaches_the_graph_and_gives_the_same_picture(self):
        pictures = []
        for jit_compile, expected in ((False, None), (True, True)):
            with mock.patch.object(tf, "function", wraps=tf.function) as function:
                pictures.append(self.stylize(replace(SMALL, jit_compile=jit_compile)))
            compiled = [
                call.kwargs["jit_compile"]
                for call in function.call_args_list
                if call.args and call.args[0].__qualname__.startswith("Step.")
            ]
            self.assertEqual(compiled, [expected])
        self.assertAllClose(*pictures, atol=1 / 255)

    def test_tiles_give_the_same_picture(self):
        """For a few steps: a last digit decides which pixel is the maximum; L-BFGS amplifies it."""
        settings = replace(SMALL, size=96)
        whole = self.stylize(settings)
        in_tiles = functools.partial(memory_plan.plan, max_tile_pixels=4500)
        with (
            mock.patch.object(memory_plan, "plan", in_tiles),
            self.assertLogs("nst_tf", "INFO") as logs,
        ):
            tiled = self.stylize(settings)
        self.assertIn("the last scale in 2 tiles", logs.output[0])
        self.assertAllClose(tiled, whole, atol=1e-4)

    def test_protected_pixels_stay(self):
        keep_mask = np.zeros(self.content.shape[:2], np.float32)
        keep_mask[:, :48] = 1
        for settings in (
            replace(SMALL, size=96, scales=2, init="noise"),
            replace(RECIPES["tutorial"], **LAYERS, size=96, steps=3),
        ):
            picture = self.stylize(settings, keep_mask=keep_mask)
            self.assertAllEqual(picture[:, :48], self.content[:, :48])
            self.assertGreater(np.abs(picture[:, 48:] - self.content[:, 48:]).mean(), 0.005)

    @parameterized.parameters("content", "noise")
    def test_gray_images_give_a_gray_one(self, init):
        self.content, style = (
            np.repeat(image[..., :1], 3, axis=-1) for image in (self.content, self.styles[0].rgb)
        )
        self.styles = [Style(style)]
        self.assertGray(replace(SMALL, init=init, scales=2, size=96))

    def test_gray_images_matched_to_gray_give_a_gray_one(self):
        self.content = np.repeat(self.content[..., :1], 3, axis=-1)
        self.assertGray(replace(SMALL, init="noise", color="match"))

    def assertGray(self, settings):
        picture = self.stylize(settings)
        self.assertAllEqual(picture[..., 0], picture[..., 1])
        self.assertAllEqual(picture[..., 0], picture[..., 2])
        self.assertNotAllClose(picture, self.content, atol=0.02)

    def test_hidden_pixels_stay_and_do_not_count(self):
        alpha = np.zeros([72, 96], np.float32)
        alpha[:, :48] = 1

        def visible_part(color, **options):
            self.content[:, 48:] = color
            picture = self.stylize(SMALL, **options)
            if options:
                hidden = resize(self.content, 48, 64)[:, 32:]
                self.assertAllEqual(picture[:, 32:], hidden)
            return picture[:, :20]

        self.content = self.content.copy()
        gray, green = 0.5, (0.0, 1.0, 0.0)
        influence = np.abs(visible_part(gray) - visible_part(green)).mean()
        hidden = visible_part(gray, alpha=alpha) - visible_part(green, alpha=alpha)
        # What is left of it comes through the features near the edge.
        self.assertLess(np.abs(hidden).mean(), 0.1 * influence)

    def test_luminance_optimizes_a_gray_image(self):
        *_, last = self.optimize(replace(SMALL, color="luminance", init_noise=0.2))
        self.assertLess(np.ptp(last._image, axis=-1).max(), 1e-5)
        self.assertGreater(np.ptp(last.image(), axis=-1).max(), 0.1)

    def test_narrow_style_images_are_enlarged(self):
        """At the size of the content image, its short side would vanish in the network."""
        styles = [Style(cut(PAINTING, 30, 450))]
        picture = stylize(self.content, styles, replace(SMALL, steps=1))
        self.assertEqual(picture.shape, (48, 64, 3))


class OptimizerTest(tf.test.TestCase):
    def accepted(self, precision):
        """Which of 100 steps on a quadratic are accepted; totals are off by up to a thousandth."""
        random = np.random.default_rng(0)
        curvature = random.permutation(np.geomspace(0.01, 100, 16 * 16 * 3)).reshape(1, 16, 16, 3)
        curvature = tf.constant(curvature, tf.float32)
        errors = tf.constant(random.uniform(-1e-3, 1e-3, 100), tf.float32)
        lbfgs = coarse_to_fine.optimizer_from_settings(replace(SMALL, precision=precision), 3)

        @tf.function
        def step(state, error):
            def value_and_grad(x):
                total = tf.reduce_sum(curvature * tf.square(x)) + 100
                return losses_of(total * (1 + error)), 2 * curvature * x

            return lbfgs.step(state, value_and_grad)

        state, accepted = (
            lbfgs.init(tf.constant(random.normal(size=(1, 16, 16, 3)), tf.float32)),
            [],
        )
        for error in errors:
            state, evaluation = step(state, error)
            accepted.append(bool(evaluation.accepted))
        return accepted

    def test_lbfgs_does_not_stall_on_the_noise_of_low_precision(self):
        """A total that came out too low refuses no later trials, as it does without allowance."""
        self.assertGreater(np.mean(self.accepted("bfloat16")[50:]), 0.5)
        self.assertFalse(any(self.accepted("float32")[50:]))

    def test_lbfgs_evens_out_gradients(self):
        """Where they are small the step is larger than frequencies alone would make it."""
        gradient = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype(np.float32)
        gradient[:, :32] /= 100
        evaluation = Losses(*[tf.constant(1.0)] * len(Losses._fields)), tf.constant(gradient)

        def ratio():
            lbfgs = coarse_to_fine.optimizer_from_settings(SMALL, lbfgs_history=1)
            state, _ = lbfgs.step(lbfgs.init(tf.zeros_like(gradient)), lambda _: evaluation)
            squares = np.square(state.direction[0])
            return np.sqrt(squares[8:24].mean() / squares[40:56].mean())

        evened = ratio()
        with mock.patch.object(coarse_to_fine, "DIAGONAL_EXPONENT", 0.0):
            self.assertGreater(evened, 2 * ratio())


if __name__ == "__main__":
    tf.test.main()
