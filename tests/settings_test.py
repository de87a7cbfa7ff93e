import math
import subprocess
import sys
from dataclasses import fields, replace

import pytest
from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from nst_tf import settings
from nst_tf.errors import InputError
from nst_tf.settings import Settings

settings.define_flags()


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

    def test_a_given_value_wins_over_the_recipe(self):
        tutorial = Settings(recipe="tutorial", steps=7, content_weight=0)
        self.assertEqual((tutorial.steps, tutorial.content_weight), (7, 0.0))
        self.assertEqual(tutorial.scales, 1)

    def test_replace_keeps_the_rest(self):
        changed = replace(Settings(recipe="tutorial"), size=64)
        self.assertEqual(changed, Settings(recipe="tutorial", size=64))


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
        ("recipe", "fancy", "recipe=fancy: expected default or tutorial"),
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
        self.assertEqual(settings.from_flags(), Settings())

    @flagsaver.flagsaver(recipe="tutorial", steps=3, style_layers=["block1_conv1", "block2_conv1"])
    def test_a_flag_wins_over_the_recipe(self):
        self.assertEqual(
            settings.from_flags(),
            Settings(recipe="tutorial", steps=3, style_layers=("block1_conv1", "block2_conv1")),
        )


@pytest.mark.slow
class ImportTest(absltest.TestCase):
    def test_neither_the_package_nor_the_settings_import_tensorflow(self):
        code = (
            "import sys, nst_tf, nst_tf.settings, nst_tf.program; nst_tf.Settings();"
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
    @parameterized.parameters((0.8, 0.03), (0.4, 0.3), (0.0, 3.0), (1.0, 0.03 / 10**0.5))
    def test_sets_the_content_weight_in_even_steps(self, strength, expected):
        self.assertAlmostEqual(Settings(strength=strength).content_weight, expected)

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
