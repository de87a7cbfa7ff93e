from dataclasses import fields, replace
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest, parameterized
from testing.networks import LAYERS, extractor
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import Settings, Style, optimize
from nst_tf.digests import sha256
from nst_tf.networks import vgg
from nst_tf.run import memory_plan
from nst_tf.run.session import Session


class SessionTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.session = Session()
        self.style, self.other = (Style(np.full((2, 2, 3), x, np.float32)) for x in (0, 1))
        networks = mock.patch.object(vgg, "extractor_from_settings", side_effect=[*"abc"])
        self.load = self.enter_context(networks)

    def begin(self, *styles, **settings):
        """The network, and how many traces and style targets are left of the run before."""
        network = self.session.begin(Settings(**settings), styles)
        left = len(self.session.graphs), len(self.session.style_target_cache)
        self.session.graphs["step"] = None
        self.session.style_target_cache[len(styles), 64] = {}
        return network, *left

    def test_each_is_kept_until_a_setting_changes_that_it_depends_on(self):
        self.assertEqual(self.begin(self.style), ("a", 0, 0))
        self.assertEqual(self.begin(self.style), ("a", 1, 1))
        self.assertEqual(self.begin(self.style, size=64, seed=1), ("a", 1, 1))
        self.assertEqual(self.begin(self.style, content_weight=1), ("a", 0, 1))
        self.assertEqual(self.begin(self.style, content_weight=1, style_scale=2), ("a", 1, 0))
        self.assertEqual(self.begin(self.style, style_loss="gram"), ("a", 0, 0))
        self.assertEqual(self.begin(self.style, pooling="avg"), ("b", 0, 0))
        self.assertEqual(self.load.call_args.args, (Settings(pooling="avg"), "auto"))

    def test_style_targets_belong_to_the_style_images(self):
        self.begin(self.style)
        self.assertEqual(self.begin(self.other), ("a", 1, 0))
        self.assertEqual(self.begin(self.other, self.style), ("a", 1, 0))
        self.assertEqual(self.begin(self.other, self.style), ("a", 1, 1))

    def test_equal_style_images_in_other_arrays_keep_the_style_targets(self):
        region = np.eye(2, dtype=np.float32)
        self.begin(self.style)
        self.assertEqual(self.begin(Style(self.style.rgb.copy(), weight=3)), ("a", 1, 1))
        self.assertEqual(self.begin(replace(self.style, region=region)), ("a", 1, 0))
        self.assertEqual(self.begin(replace(self.style, region=region.copy())), ("a", 1, 1))
        self.assertEqual(self.begin(replace(self.style, region=1 - region)), ("a", 1, 0))

    def test_style_targets_of_very_many_sizes_are_dropped(self):
        self.begin(self.style)
        self.session.style_target_cache |= {(0, size): {} for size in range(100)}
        self.assertEqual(self.begin(self.style), ("a", 1, 0))

    def test_network_that_cannot_be_loaded(self):
        self.begin(self.style)
        self.load.side_effect = [ValueError(), "d"]
        with self.assertRaises(ValueError):
            self.begin(self.style, pooling="avg")
        self.assertEqual(self.begin(self.style), ("d", 0, 0))

    def test_each_run_plans_with_the_memory_that_the_first_found(self):
        content = np.zeros((10, 10, 3), np.float32)
        with mock.patch.object(
            memory_plan, "used_and_free", side_effect=[(5000, 900), (9000, 500)]
        ):
            self.assertEqual(self.session.memory_budget(content), (5000, 900))
            self.assertEqual(self.session.memory_budget(content[:5]), (4400, 900))


BASE = Settings(**LAYERS, size=40, scales=1, steps=4, precision="float32")
# Another value of each setting that leaves the traced steps.
NOT_TRACED = dict(
    size=48,
    steps=7,
    scales=2,
    color="luminance",
    init="noise",
    init_noise=0.5,
    style_scale=2.0,
    seed=1,
    lbfgs_history=1,
    max_memory=64.0,
)
# And of the others; a network of other weights is not at hand.
TRACED = dict(
    content_weight=1.0,
    style_weight=3.0,
    tv_weight=0.0,
    content_layers=("block2_conv1",),
    style_loss="gram",
    style_layers=("block1_conv1",),
    style_layer_weights=(3.0, 1.0),
    loss_normalization="tutorial",
    optimizer="adam",
    learning_rate=0.1,
    beta_1=0.5,
    beta_2=0.5,
    epsilon=0.1,
    precision="bfloat16",
    jit_compile=True,
    pooling="avg",
)
# Those that count only besides another.
BESIDES = dict(
    scales=dict(size=80),
    seed=dict(init="noise"),
    lbfgs_history=dict(steps=9),
    learning_rate=dict(optimizer="adam"),
    beta_1=dict(optimizer="adam"),
    beta_2=dict(optimizer="adam"),
    epsilon=dict(optimizer="adam"),
)


class ReuseTest(parameterized.TestCase):
    """What a session keeps does not change the next picture."""

    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(vgg, "extractor_from_settings", extractor))
        self.content = cut(PHOTOGRAPH, 40, 32)
        self.styles = [Style(cut(PAINTING, 48, 40))]

    def paint(self, settings, session, content=None, styles=()):
        content = self.content if content is None else content
        run = optimize(content, styles or self.styles, settings, session=session)
        *_, last = (progress.image() for progress in run)
        return sha256(last.tobytes())

    def assert_session_changes_nothing(self, name, value):
        base = replace(BASE, **BESIDES.get(name, {}))
        changed = replace(base, **{name: value})
        session = Session()
        before = self.paint(base, session)
        after = self.paint(changed, session)
        self.assertEqual(after, self.paint(changed, Session()))
        if name not in ("max_memory", "jit_compile"):
            self.assertNotEqual(after, before)

    @parameterized.parameters(*NOT_TRACED.items())
    def test_traced_steps_after_a_run_with_another(self, name, value):
        self.assert_session_changes_nothing(name, value)

    @parameterized.parameters(*TRACED.items())
    @pytest.mark.slow
    def test_style_targets_after_a_run_with_another(self, name, value):
        self.assert_session_changes_nothing(name, value)

    def test_every_setting_has_another_value(self):
        names = {each.name for each in fields(Settings)}
        self.assertEqual({*NOT_TRACED, *TRACED}, names - {"network", "vgg_weights"})

    def test_gray_after_color(self):
        gray = [Style(each.rgb.mean(-1, keepdims=True).repeat(3, -1)) for each in self.styles]
        content = self.content.mean(-1, keepdims=True).repeat(3, -1)
        session = Session()
        self.paint(BASE, session, styles=gray)
        after = self.paint(BASE, session, content, gray)
        self.assertEqual(after, self.paint(BASE, Session(), content, gray))

    def test_other_paintings_of_the_same_size(self):
        session = Session()
        others = [Style(self.styles[0].rgb[::-1].copy())]
        before = self.paint(BASE, session)
        after = self.paint(BASE, session, styles=others)
        self.assertEqual(after, self.paint(BASE, Session(), styles=others))
        self.assertNotEqual(after, before)


if __name__ == "__main__":
    absltest.main()
