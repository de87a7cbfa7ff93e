from dataclasses import fields, replace

import gradio as gr
from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings
from nst_tf.app import controls
from nst_tf.app.controls import Controls
from nst_tf.settings import RECIPES


class ControlsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.controls = Controls()
        with gr.Blocks():
            self.controls.recipe()
            self.controls.strength()
            for name in (*controls.FIRST, *controls.OTHERS):
                self.controls.setting(name)

    def settings(self, **changes):
        recipe = changes.get("recipe", "default")
        values = self.controls.changed(self.controls.of_recipe(recipe), **changes)
        return self.controls.settings(values)[1]

    def test_each_field_has_a_component_with_its_help_and_default(self):
        shown = self.controls.of_recipe("default")
        for component, value in zip(self.controls.components, shown, strict=True):
            self.assertEqual(component.value, value, component.label)
        for field in fields(Settings):
            component = self.controls.component(field.name)
            self.assertEqual(component.info, field.metadata["help"])
            self.assertEqual(component.elem_id, f"setting-{field.name}")

    @parameterized.parameters(*RECIPES)
    def test_a_recipe_comes_back_as_it_is(self, recipe):
        values = self.controls.of_recipe(recipe)
        self.assertEqual(self.controls.settings(values), (recipe, RECIPES[recipe]))

    def test_values_are_those_of_the_settings(self):
        found = self.settings(size=64, style_layers="block1_conv1, block2_conv1", pooling="avg")
        layers = ("block1_conv1", "block2_conv1")
        self.assertEqual(found, Settings(size=64, style_layers=layers, pooling="avg"))
        found = self.settings(style_layers="block1_conv1", style_layer_weights="0.5")
        self.assertEqual(found.style_layer_weights, (0.5,))

    @parameterized.parameters("default", "gatys")
    def test_strength_is_that_of_the_recipe(self, recipe):
        found = self.settings(recipe=recipe, strength=0.3)
        self.assertEqual(found, RECIPES[recipe].with_strength(0.3))

    @parameterized.parameters(
        (dict(strength=0.3, content_weight=2.0), "strength=0.3: sets the content_weight"),
        (dict(strength=2), "strength=2"),
        (dict(strength="x"), "strength=x: expected a number"),
        (dict(strength=None), "strength=None: expected a number"),
        (dict(strength=float("nan")), "strength=nan: expected a number"),
        (dict(size=-1), "size=-1: expected a whole number"),
        (dict(size=None), "size=None"),
        (dict(size="1; rm"), "size=1; rm"),
        (dict(steps=1.5), "steps=1.5"),
        (dict(color="red"), "color=red: expected style or luminance or match"),
        (dict(style_layers=""), "style_layers="),
        (dict(style_layer_weights="a,b"), "style_layer_weights=a,b: expected numbers"),
        (dict(init="/etc/passwd"), "init=/etc/passwd: expected content or noise"),
        (dict(vgg_weights="/etc/passwd"), "vgg_weights=/etc/passwd: expected bundled or imagenet"),
        (dict(recipe="../default"), "recipe=../default: expected default or"),
    )
    def test_values_that_do_not_fit_are_refused(self, changes, message):
        values = self.controls.changed(self.controls.of_recipe("default"), **changes)
        with self.assertRaisesRegex(InputError, f"^{message}"):
            self.controls.settings(values)

    def test_a_recipe_that_is_none(self):
        for recipe in ("best", ["default"], None):
            values = self.controls.changed(self.controls.of_recipe("default"), recipe=recipe)
            with self.assertRaisesRegex(InputError, "recipe="):
                self.controls.settings(values)

    def test_changes_leave_the_rest(self):
        values = self.controls.changed(self.controls.of_recipe("gatys"), size=99)
        self.assertEqual(self.controls.settings(values)[1], replace(RECIPES["gatys"], size=99))


if __name__ == "__main__":
    absltest.main()
