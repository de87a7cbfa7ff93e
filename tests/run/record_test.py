import dataclasses
import json
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from nst_tf import InputError, Settings, State, Style
from nst_tf.images import image_io
from nst_tf.run import checkpoint, record
from nst_tf.run.memory_plan import ScalePlan
from nst_tf.run.progress import RunPlan

CONTENT = np.random.default_rng(0).random((8, 12, 3), np.float32)
SETTINGS = Settings(size=64, max_memory=1000.0, style_layers="block1_conv1")
STYLE = Style(CONTENT, layers=("block1_conv1",))
PLAN = RunPlan("bfloat16", (ScalePlan(4096, 10, num_tiles=3), ScalePlan(8192, 4)))


def run_inputs(**changes):
    given = dict(content=CONTENT, styles=[STYLE], settings=SETTINGS, weights_sha256="known")
    return record.run_inputs(**given | changes)


def make_record():
    return {**record.make_record(run_inputs(), State(1, 2, PLAN, PLAN)), "flags": {}}


class DifferencesTest(parameterized.TestCase):
    @parameterized.parameters(
        ({},),
        ({"content": CONTENT[::-1]}, "another content"),
        ({"content": CONTENT.reshape(12, 8, 3)}, "another content"),
        ({"start": CONTENT}, "another start"),
        ({"keep_mask": CONTENT[..., 0]}, "another keep_mask"),
        ({"styles": [Style(CONTENT)]}, "other layers of style 1"),
        ({"styles": [dataclasses.replace(STYLE, mask=CONTENT[..., 0])]}, "other mask of style 1"),
        ({"styles": []}, "no style 1"),
        ({"styles": [STYLE] * 2}, "another style 2"),
        ({"weights_sha256": "other"}, "other weights of the network"),
        (
            {"settings": dataclasses.replace(SETTINGS, max_memory=0, style_layers=("a", "b"))},
            "style_layers=a,b instead of block1_conv1",
            "style_layer_weights=1.0,1.0 instead of 1.0",
            "max_memory=0.0 instead of 1000.0",
        ),
    )
    def test_of_one_change(self, changes, *words):
        self.assertEqual(record.differences(run_inputs(), run_inputs(**changes)), [*words])

    def test_paths_of_images_and_weights_do_not_matter(self):
        one, other = (
            run_inputs(
                start=CONTENT, settings=Settings(init=f"{name}.png", vgg_weights=f"{name}.h5")
            )
            for name in "ab"
        )
        self.assertEmpty(record.differences(one, other))


class RecordTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    @parameterized.parameters(8, 16)
    def test_text_in_a_png_gives_settings_and_plan_back(self, bits):
        path = str(self.folder / "picture.png")
        image_io.write(path, CONTENT, bits=bits, note=json.dumps(make_record()))
        found = record.read(path)
        self.assertEqual(found, make_record())
        self.assertEqual(Settings(**found["settings"]).as_dict(), SETTINGS.as_dict())
        state = checkpoint.initial_state(found)
        self.assertEqual((state.scale, state.step, state.tensors), (0, 0, ()))
        self.assertEqual(state.plan.precision, "bfloat16")
        self.assertEqual([scale[:2] for scale in state.plan.scales], [(4096, 10), (8192, 4)])
        self.assertEqual(state.initial_plan, state.plan)

    @parameterized.parameters(
        b"{}", b"[1", b"\xff\xfe\0", b'{"settings": {"size": 64}}', image_io.encode(CONTENT)
    )
    def test_other_files_are_refused(self, data):
        path = self.folder / "other"
        path.write_bytes(data)
        with self.assertRaisesRegex(InputError, "from_record=.*other: is no whole record"):
            record.read(str(path))
        self.assertFalse(record.is_record(str(path)))

    @parameterized.parameters(("precision", "auto"), ("scales", [{"max_tile_pixels": 0}]))
    def test_plans_that_cannot_be_are_refused(self, name, value):
        path = self.folder / "changed.json"
        found = make_record()
        found["plan"][name] = value
        path.write_text(json.dumps(found))
        with self.assertRaisesRegex(InputError, "is no whole record"):
            record.read(str(path))
        # It may be overwritten, as one of an earlier version may.
        self.assertTrue(record.is_record(str(path)))

    def test_missing_file(self):
        with self.assertRaisesRegex(InputError, "cannot be read .No such file"):
            record.read(str(self.folder / "missing.json"))


if __name__ == "__main__":
    absltest.main()
