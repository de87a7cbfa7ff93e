import json
from dataclasses import asdict, fields, replace

from absl import flags
from absl.testing import flagsaver, parameterized
from absl.testing.absltest import main

from nst_tf.cli import setting_flags
from nst_tf.errors import InputError
from nst_tf.settings import RECIPES, Settings

LAYERS = ("block1_conv1", "block2_conv1")

if "recipe" not in flags.FLAGS:
    setting_flags.define_flags()


class SettingFlagsTest(parameterized.TestCase):
    @flagsaver.flagsaver()
    def settings(self, *arguments, recorded=None, defaults=(), **options):
        """Of a command line, over the settings of a record and the defaults of its other flags."""
        flags.FLAGS(["test", *arguments])
        for name, value in dict(defaults).items():
            flags.FLAGS.set_default(name, value)
        if recorded is not None:
            options["recorded"] = json.loads(json.dumps(asdict(recorded)))
        return setting_flags.settings_from_flags(**options)

    def test_one_flag_for_each_setting(self):
        self.assertEqual(self.settings(), Settings())
        for setting in fields(Settings):
            self.assertIsNone(flags.FLAGS[setting.name].value)
            self.assertIn(setting.metadata["help"], flags.FLAGS[setting.name].help)
        self.assertEndsWith(flags.FLAGS["scales"].help, "(default: 0; gatys: 1; tutorial: 1)")

    @parameterized.parameters(*RECIPES)
    def test_given_flags_win_over_the_recipe(self, recipe):
        found = self.settings(
            f"--recipe={recipe}", "--steps=3", "--style_layers=b, a", "--style_layer_weights=0.5, 2"
        )
        changes = dict(steps=3, style_layers=("b", "a"), style_layer_weights=(0.5, 2.0))
        self.assertEqual(found, replace(RECIPES[recipe], **changes))

    def test_given_flags_win_over_the_record(self):
        recorded = replace(RECIPES["gatys"], size=64, seed=3, style_layer_weights=(1, 2, 3, 4, 5))
        self.assertEqual(self.settings(recorded=recorded), recorded)
        found = self.settings("--seed=4", "--jit_compile", recorded=recorded)
        self.assertEqual(found, replace(recorded, seed=4, jit_compile=True))

    def test_given_recipe_wins_over_the_record(self):
        found = self.settings("--recipe=tutorial", "--seed=4", recorded=Settings(size=64))
        self.assertEqual(found, replace(RECIPES["tutorial"], seed=4))

    def test_recorded_weights_belong_to_the_recorded_layers(self):
        recorded = Settings(style_layers=LAYERS, style_layer_weights=(1, 2))
        for names in ("c", "c,d"):
            found = self.settings(f"--style_layers={names}", recorded=recorded)
            self.assertEqual(found, Settings(style_layers=names.split(",")))
        # Of layers of each style image, the record has the flag, too.
        flag = [LAYERS[0], f"{LAYERS[1]}/{LAYERS[0]}"]
        found = self.settings(
            recorded=recorded, defaults={"style_layers": flag}, layers_of_each=True
        )
        self.assertEqual(found, recorded)

    def test_strength_is_relative_to_the_recipe(self):
        for recipe, values in RECIPES.items():
            found = self.settings(f"--recipe={recipe}", "--strength=0.4")
            self.assertEqual(found, values.with_strength(0.4))
        # Also over a record, which may have had a strength itself.
        recorded = RECIPES["gatys"].with_strength(0.2)
        found = self.settings("--strength=0.4", recorded=recorded, defaults={"recipe": "gatys"})
        self.assertEqual(found, RECIPES["gatys"].with_strength(0.4))

    def test_layers_of_each_style(self):
        found = self.settings("--style_layers=a,b/b, c", layers_of_each=True)
        self.assertEqual(found.style_layers, ("a", "b", "c"))
        for flag, layers in ((["a", "b/b", " c"], [["a", "b"], ["b", "c"]]), (["a", "b"], [])):
            with flagsaver.flagsaver(style_layers=flag):
                self.assertEqual(setting_flags.layers_of_each_style(), layers)

    @parameterized.parameters(
        (["--strength=0.5", "--content_weight=0.1"], "strength=0.5: sets the content_weight, and"),
        (["--strength=1.5"], "strength=1.5: expected a number from 0 to 1"),
        (["--steps=0"], "steps=0: expected a whole number"),
        (["--style_layers=a,b/c"], "style_layers=a,b/c: layers of each painting are for"),
    )
    def test_refused(self, arguments, message):
        with self.assertRaisesRegex(InputError, message):
            self.settings(*arguments)

    def test_settings_of_other_versions_are_refused(self):
        with self.assertRaisesRegex(InputError, "from_record: .* no setting fancy; give flags"):
            setting_flags.settings_from_flags({"fancy": 1})


if __name__ == "__main__":
    main()
