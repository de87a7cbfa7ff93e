import inspect
import math
from dataclasses import fields, replace

import numpy as np
from absl.testing import absltest, parameterized

from nst_tf.errors import InputError
from nst_tf.settings import RECIPES, Settings

CONV1 = tuple(f"block{block}_conv1" for block in range(1, 6))


class RecipeTest(absltest.TestCase):
    def test_tutorial_has_the_tutorials_values(self):
        changes = dict(
            style_weight=1e-2,
            content_weight=1e4,
            tv_weight=30.0,
            learning_rate=0.02,
            beta_1=0.99,
            beta_2=0.999,
            epsilon=0.1,
            steps=1000,
            scales=1,
            optimizer="adam",
            precision="float32",
            content_layers=("block5_conv2",),
            style_layers=CONV1,
            style_loss="gram",
            loss_normalization="tutorial",
        )
        self.assertEqual(RECIPES["tutorial"], Settings(**changes))
        self.assertEqual(RECIPES["tutorial"].layer_weights, dict.fromkeys(CONV1, 1.0))

    def test_gatys_has_the_papers_choices(self):
        """Gram matrices of five layers with equal weights, average pooling, no total variation."""
        gatys = RECIPES["gatys"]
        self.assertEqual((gatys.style_loss, gatys.pooling, gatys.tv_weight), ("gram", "avg", 0))
        self.assertEqual(gatys.layer_weights, dict.fromkeys(CONV1, 1.0))
        self.assertEqual((gatys.content_layers, gatys.scales), (("block4_conv2",), 1))
        self.assertEqual((gatys.optimizer, gatys.init), ("lbfgs", "content"))

    def test_defaults_are_those_of_the_default_recipe(self):
        default = Settings()
        self.assertEqual(RECIPES["default"], default)
        self.assertEqual((default.style_loss, default.scales), ("wasserstein", 0))
        for name, parameter in inspect.signature(Settings).parameters.items():
            self.assertEqual(parameter.default, getattr(default, name))

    def test_every_setting_is_explained(self):
        for setting in fields(Settings):
            self.assertIn(f"        {setting.name}: {setting.metadata['help']}.", Settings.__doc__)


class LayerWeightsTest(parameterized.TestCase):
    def test_wasserstein_layers_have_their_weights_in_any_order(self):
        weights = dict(zip(CONV1, (0.07, 0.38, 0.15, 0.40), strict=False))
        self.assertEqual(Settings().layer_weights, weights)
        self.assertEqual(Settings(style_layers=CONV1[3::-1]).layer_weights, weights)

    def test_other_layers_have_equal_weights(self):
        for layers in (CONV1[:3], (*CONV1[:3], "block4_conv2"), (*CONV1[:4], "a")):
            weights = Settings(style_layers=layers).layer_weights
            self.assertEqual(weights, dict.fromkeys(layers, 1.0))

    def test_the_dict_has_the_weights_that_none_stand_for(self):
        values = Settings(style_layers=("a", "b"), size=64).as_dict()
        self.assertEqual(values["style_layer_weights"], (1.0, 1.0))
        self.assertEqual(Settings(**values).as_dict(), values)

    def test_given_weights_are_in_the_order_of_the_layers(self):
        settings = Settings(style_layers=("b", "a"), style_layer_weights=[2, "0.5"])
        self.assertEqual(settings.style_layer_weights, (2.0, 0.5))
        self.assertEqual(settings.layer_weights, {"b": 2, "a": 0.5})
        self.assertEqual(Settings(style_layers="a", style_layer_weights=3).layer_weights, {"a": 3})
        changed = replace(Settings(style_layer_weights=(0, 2, 3, 4)), seed=1)
        self.assertEqual(changed.style_layer_weights, (0, 2, 3, 4))

    @parameterized.parameters((1.0,), ((1.0,) * 5,), ("1",), ((0.0,) * 4,))
    def test_four_weights_are_for_four_layers(self, weights):
        message = (
            f"style_layer_weights=.*: expected 4 numbers, not all 0, one for each of "
            f"{','.join(CONV1[:4])}; change --style_layer_weights"
        )
        with self.assertRaisesRegex(InputError, message):
            Settings(style_layer_weights=weights)

    @parameterized.parameters(
        ((1, -1e-3),), ((math.nan, 1),), ((math.inf, 1),), (("a", "b"),), ((None, 1),)
    )
    def test_weights_are_numbers_from_0(self, weights):
        with self.assertRaisesRegex(InputError, "style_layer_weights=.*: expected numbers from 0"):
            Settings(style_layers=("a", "b"), style_layer_weights=weights)


class RangeTest(parameterized.TestCase):
    @parameterized.parameters(
        ("steps", 0, "steps=0: expected a whole number of at least 1 and of at most 2147483647"),
        ("steps", 2**31, "steps=2147483648: expected"),
        ("steps", 1.5, "steps=1.5: expected a whole number"),
        ("steps", True, "steps=True: expected a whole number"),
        ("size", 2**20, "size=1048576: expected"),
        ("scales", 20, "scales=20: expected"),
        ("seed", 2**63, "seed=9223372036854775808: expected .*; change --seed"),
        ("lbfgs_history", math.inf, "lbfgs_history=inf: expected a whole number"),
        ("beta_1", 1, "beta_1=1: expected a number of at least 0 and below 1; change --beta_1"),
        ("epsilon", 0, "epsilon=0: expected a number above 0"),
        ("content_weight", -0.1, "content_weight=-0.1: expected a number of at least 0"),
        ("style_weight", math.nan, "style_weight=nan: expected a number of at least 0"),
        ("tv_weight", math.inf, "tv_weight=inf: expected a number"),
        ("tv_weight", 10**400, "tv_weight=1000.*: expected a number"),
        ("tv_weight", "1", "tv_weight=1: expected a number"),
        ("init_noise", 1.5, "init_noise=1.5: expected a number of at least 0 and of at most 1"),
        ("style_scale", 0.1, "style_scale=0.1: expected a number of at least 0.25"),
        ("network", "vgg11", "network=vgg11: expected vgg19 or vgg16"),
        ("style_layers", (), "style_layers=: expected a list of different names"),
        ("style_layers", ("a", "a"), "style_layers=a,a: expected a list of different names"),
        ("style_layers", ("a", 1), "style_layers=a,1: expected a list of different names"),
        ("jit_compile", 1, "jit_compile=1: expected true or false; change --jit_compile"),
        ("init", "", "init=: expected a text"),
    )
    def test_refused(self, name, value, message):
        with self.assertRaisesRegex(InputError, message):
            Settings(**{name: value})

    def test_values_have_the_types_of_the_settings(self):
        settings = Settings(style_layers=["a", " b"], size=np.int64(64), tv_weight=1)
        self.assertEqual(settings.style_layers, ("a", "b"))
        self.assertEqual((type(settings.size), type(settings.tv_weight)), (int, float))
        self.assertEqual(Settings(style_layers="a").style_layers, ("a",))
        self.assertEqual(Settings(beta_1=0, init_noise=1, seed=2**63 - 1).init_noise, 1)


class StrengthTest(parameterized.TestCase):
    @parameterized.parameters((0.8, 1), (0.4, 10), (0.0, 100), (1.0, 10**-0.5))
    def test_content_weight_falls_by_even_factors(self, strength, factor):
        for recipe in RECIPES.values():
            found = recipe.with_strength(strength)
            self.assertEqual(replace(found, content_weight=recipe.content_weight), recipe)
            self.assertAlmostEqual(found.content_weight / recipe.content_weight, factor)

    @parameterized.parameters(-0.1, 1.5, math.nan)
    def test_outside_0_and_1_is_refused(self, strength):
        with self.assertRaisesRegex(InputError, f"strength={strength}: expected a number from 0"):
            Settings().with_strength(strength)


if __name__ == "__main__":
    absltest.main()
