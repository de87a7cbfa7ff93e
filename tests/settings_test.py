import json
import math
import subprocess
import sys
from dataclasses import asdict, fields, replace

import pytest
from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from nst_tf.cli import setting_flags
from nst_tf.errors import InputError
from nst_tf.settings import Settings

CONV1 = tuple(f"block{block}_conv1" for block in range(1, 6))

setting_flags.define_flags()


class RecipeTest(absltest.TestCase):
    def test_tutorial_has_the_tutorials_numbers(self):
        tutorial = Settings(recipe="tutorial")
        self.assertEqual(
            (tutorial.style_weight, tutorial.content_weight, tutorial.tv_weight), (1e-2, 1e4, 30)
        )
        self.assertEqual(
            (tutorial.learning_rate, tutorial.beta_1, tutorial.beta_2, tutorial.epsilon),
            (0.02, 0.99, 0.999, 0.1),
        )
        self.assertEqual((tutorial.steps, tutorial.scales), (1000, 1))
        self.assertEqual((tutorial.optimizer, tutorial.precision), ("adam", "float32"))
        self.assertEqual(tutorial.content_layers, ("block5_conv2",))
        self.assertEqual(tutorial.style_layers, CONV1)
        self.assertEqual((tutorial.style_loss, tutorial.style_layer_weights), ("gram", (1,) * 5))

    def test_gatys_has_the_papers_choices(self):
        """Gram matrices of five layers that count alike, average pooling, no total variation."""
        gatys = Settings(recipe="gatys")
        self.assertEqual((gatys.style_loss, gatys.pooling, gatys.tv_weight), ("gram", "avg", 0))
        self.assertEqual((gatys.style_layers, gatys.style_layer_weights), (CONV1, (1,) * 5))
        self.assertEqual((gatys.content_layers, gatys.scales), (("block4_conv2",), 1))
        self.assertEqual((gatys.optimizer, gatys.init), ("lbfgs", "content"))

    def test_the_default_compares_distributions_from_coarse_to_fine(self):
        default = Settings()
        self.assertEqual((default.style_loss, default.scales), ("wasserstein", 0))
        self.assertEqual(default.style_layers, CONV1[:4])
        self.assertLen(set(default.style_layer_weights), 4)

    def test_a_given_value_wins_over_the_recipe(self):
        tutorial = Settings(recipe="tutorial", steps=7, content_weight=0)
        self.assertEqual((tutorial.steps, tutorial.content_weight), (7, 0.0))
        self.assertEqual(tutorial.scales, 1)

    def test_replace_keeps_the_rest(self):
        changed = replace(Settings(recipe="tutorial"), size=64)
        self.assertEqual(changed, Settings(recipe="tutorial", size=64))


class LayerWeightsTest(parameterized.TestCase):
    def test_the_recipes_layers_keep_their_weights_in_any_order(self):
        default = Settings()
        own = dict(zip(default.style_layers, default.style_layer_weights, strict=True))
        for layers in (CONV1[3::-1], (CONV1[2], CONV1[0], CONV1[3], CONV1[1])):
            found = Settings(style_layers=layers).style_layer_weights
            self.assertEqual(found, tuple(own[name] for name in layers))

    @parameterized.parameters("default", "gatys", "tutorial")
    def test_other_layers_count_alike(self, recipe):
        for layers in (CONV1[:3], (*CONV1[:3], "block4_conv2"), "block3_conv1", (*CONV1, "a")):
            settings = Settings(recipe=recipe, style_layers=layers)
            self.assertEqual(settings.style_layer_weights, (1.0,) * len(settings.style_layers))

    def test_given_weights_are_in_the_order_of_the_layers(self):
        settings = Settings(style_layers=("b", "a"), style_layer_weights=[2, "0.5"])
        self.assertEqual(settings.style_layer_weights, (2.0, 0.5))
        self.assertEqual(
            Settings(style_layer_weights=(0, 0, 1, 0)).style_layer_weights, (0, 0, 1, 0)
        )
        for one in (3, "3", [3.0], "12"):
            self.assertEqual(
                Settings(style_layers="a", style_layer_weights=one).style_layer_weights,
                (float(one[0] if isinstance(one, list) else one),),
            )

    @parameterized.parameters((1.0,), ((1.0, 2.0),), ((1.0,) * 5,), ((),), ("1",))
    def test_a_wrong_count_is_refused(self, weights):
        message = (
            f"style_layer_weights=.*: expected 4 numbers, one for each of {','.join(CONV1[:4])}; "
            "change --style_layer_weights"
        )
        with self.assertRaisesRegex(InputError, message):
            Settings(style_layer_weights=weights)

    @parameterized.parameters(
        ((1, -1e-3),), ((0, 0),), ((math.nan, 1),), ((math.inf, 1),), (("a", "b"),), ((None, 1),)
    )
    def test_what_is_no_weight_is_refused(self, weights):
        message = r"style_layer_weights=.*: expected numbers from 0, not all 0; change --style_l"
        with self.assertRaisesRegex(InputError, message):
            Settings(style_layers=("a", "b"), style_layer_weights=weights)

    def test_replace_keeps_them_for_the_same_layers_only(self):
        settings = Settings(style_layer_weights=(1, 2, 3, 4))
        self.assertEqual(replace(settings, seed=1).style_layer_weights, (1, 2, 3, 4))
        with self.assertRaisesRegex(InputError, "style_layer_weights=1.0,2.0,3.0,4.0: expected 1 "):
            replace(settings, style_layers="a")


class RangeTest(parameterized.TestCase):
    @parameterized.parameters(
        ("steps", 0, "steps=0: expected a whole number of at least 1"),
        ("steps", -3, "steps=-3: expected a whole number of at least 1"),
        ("steps", 1.5, "steps=1.5: expected a whole number"),
        ("steps", True, "steps=True: expected a whole number"),
        ("seed", 2**63, "seed=9223372036854775808: .* below 9223372036854775808; change --seed"),
        ("beta_1", 1, "beta_1=1: expected a number of at least 0 and below 1; change --beta_1"),
        ("epsilon", 0, "epsilon=0: expected a number above 0"),
        ("size", -1, "size=-1: expected a whole number of at least 0"),
        ("content_weight", -0.1, "content_weight=-0.1: expected a number of at least 0"),
        ("style_weight", math.nan, "style_weight=nan: expected a number of at least 0"),
        ("tv_weight", math.inf, "tv_weight=inf: expected a number"),
        ("tv_weight", "1", "tv_weight=1: expected a number"),
        ("network", "vgg11", "network=vgg11: expected vgg19 or vgg16"),
        ("recipe", "fancy", "recipe=fancy: expected default or gatys or tutorial"),
        ("style_loss", "sinkhorn", "style_loss=sinkhorn: expected wasserstein or gram; change"),
        ("pooling", "min", "pooling=min: expected max or avg"),
        ("style_layers", (), "style_layers=: expected a list of different names"),
        ("style_layers", ("a", "a"), "style_layers=a,a: expected a list of different names"),
        ("jit", 1, "jit=1: expected true or false; change --jit"),
        ("init", "", "init=: expected a text"),
        ("seed", -1, "seed=-1"),
    )
    def test_refused(self, name, value, message):
        with self.assertRaisesRegex(InputError, message):
            Settings(**{name: value})

    def test_layers_may_be_a_list_or_one_name(self):
        self.assertEqual(Settings(style_layers=["a", "b"]).style_layers, ("a", "b"))
        self.assertEqual(Settings(style_layers="a").style_layers, ("a",))


class FlagsTest(absltest.TestCase):
    def test_one_flag_for_each_knob_and_nothing_given_is_the_default(self):
        for knob in fields(Settings):
            self.assertIsNone(flags.FLAGS[knob.name].value)
            self.assertIn("(default: ", flags.FLAGS[knob.name].help)
        self.assertEqual(setting_flags.from_flags(), Settings())

    @flagsaver.flagsaver(recipe="tutorial", steps=3, style_layers=["block1_conv1", "block2_conv1"])
    def test_a_flag_wins_over_the_recipe(self):
        self.assertEqual(
            setting_flags.from_flags(),
            Settings(recipe="tutorial", steps=3, style_layers=("block1_conv1", "block2_conv1")),
        )

    def test_a_recipe_is_a_flag(self):
        for recipe in ("gatys", "tutorial"):
            with flagsaver.flagsaver():
                flags.FLAGS(["test", f"--recipe={recipe}"])
                self.assertEqual(setting_flags.from_flags(), Settings(recipe=recipe))

    def test_weights_are_a_list(self):
        with flagsaver.flagsaver():
            flags.FLAGS(["test", "--style_layers=b,a", "--style_layer_weights=0.5, 2"])
            found = setting_flags.from_flags()
        self.assertEqual(found, Settings(style_layers=("b", "a"), style_layer_weights=(0.5, 2)))

    def test_recalled_weights_stay_with_their_layers(self):
        recorded = Settings(style_layers=("a", "b"), style_layer_weights=(1, 2))
        for given, expected in (
            ([], Settings(style_layers=("a", "b"), style_layer_weights=(1, 2))),
            (["--style_layers=c,d"], Settings(style_layers=("c", "d"))),
            (["--style_layers=c"], Settings(style_layers=("c",))),
        ):
            with flagsaver.flagsaver():
                flags.FLAGS(["test", *given])
                setting_flags.recall(json.loads(json.dumps(asdict(recorded))))
                self.assertEqual(setting_flags.from_flags(), expected)


@pytest.mark.slow
class ImportTest(absltest.TestCase):
    def test_neither_the_package_nor_the_settings_import_tensorflow(self):
        code = (
            "import sys, nst_tf, nst_tf.settings, nst_tf.cli.app; nst_tf.Settings();"
            "print([m for m in ('tensorflow', 'tensorflow_hub', 'keras', 'numpy', 'PIL')"
            " if m in sys.modules])"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        self.assertEqual(found.stdout.strip(), "[]", found.stderr)

    def test_public_names(self):
        import nst_tf

        for name in nst_tf.__all__:
            self.assertIsNotNone(getattr(nst_tf, name))
        with self.assertRaisesRegex(AttributeError, "no attribute 'nothing'"):
            _ = nst_tf.nothing


class StrengthTest(parameterized.TestCase):
    @parameterized.parameters((0.8, 1), (0.4, 10), (0.0, 100), (1.0, 10**-0.5))
    def test_sets_the_content_weight_in_even_steps(self, strength, times):
        for recipe in ("default", "gatys"):
            found = Settings(recipe=recipe, strength=strength).content_weight
            self.assertAlmostEqual(found, times * Settings(recipe=recipe).content_weight)

    def test_is_relative_to_the_recipe_and_spent(self):
        settings = Settings(recipe="tutorial", strength=0.4)
        self.assertAlmostEqual(settings.content_weight, 1e5, places=3)
        self.assertEqual(replace(settings, seed=1).content_weight, 1e5)
        self.assertIsNone(settings.strength)

    def test_together_with_a_content_weight_it_is_refused(self):
        with self.assertRaisesRegex(InputError, "strength=0.5: sets the content_weight, and 0.1"):
            Settings(strength=0.5, content_weight=0.1)
        with self.assertRaisesRegex(InputError, "strength=1.5: expected a number of at least"):
            Settings(strength=1.5)


if __name__ == "__main__":
    absltest.main()
