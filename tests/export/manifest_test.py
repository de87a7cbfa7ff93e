import hashlib
import json
from pathlib import Path

import tensorflow as tf

from nst_tf import Settings
from nst_tf.export import manifest, models
from nst_tf.networks import vgg
from nst_tf.settings import RECIPES


class ManifestTest(tf.test.TestCase):
    def test_says_how_the_export_was_made(self):
        @tf.function
        def function(steps, content_weight):
            return {"losses": tf.fill([steps], content_weight)}

        steps, weight = (tf.TensorSpec([], dtype) for dtype in (tf.int32, tf.float32))
        signatures = {"serving_default": function.get_concrete_function(steps, weight)}
        model = models.ExportedOptimization(RECIPES["tutorial"])
        folder = Path(self.create_tempdir().full_path)
        manifest.write(folder, manifest.build_manifest(model, signatures))
        found = json.loads((folder / "assets.extra" / "manifest.json").read_text())
        self.assertEqual(found["model"], "optimizer")
        inputs = found["signatures"]["serving_default"]["inputs"]
        self.assertEqual(inputs["steps"]["range"], [1, 100000])
        self.assertEqual(inputs["content_weight"]["range"], [0, None])
        self.assertEqual(found["settings"]["beta_1"], 0.99)
        self.assertEqual(found["settings"]["style_layer_weights"], [1.0] * 5)
        self.assertNotIn("steps", found["settings"])
        defaults = {"steps": 1000, "content_weight": 1e4, "tv_weight": 30.0}
        self.assertEqual(found["defaults"], defaults)
        readme = (folder / "README.md").read_text()
        for row in (
            "| input | `steps` | int32 | [] | 1 to 100000 |",
            "| input | `content_weight` | float32 | [] | from 0 |",
            "| output | `losses` | float32 | [any] | from 0 |",
            "| optimizer | adam |",
            "| default steps | 1000 |",
        ):
            self.assertIn(f"\n{row}", readme)

    def test_the_weights_of_a_user_are_named_by_their_digest(self):
        path = Path(self.create_tempdir().full_path) / "mine.h5"
        path.write_bytes(b"mine")
        found = vgg.origin(Settings(vgg_weights=str(path)))
        self.assertEqual(found, {"file": "mine.h5", "sha256": hashlib.sha256(b"mine").hexdigest()})


if __name__ == "__main__":
    tf.test.main()
