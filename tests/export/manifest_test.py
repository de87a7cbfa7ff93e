import hashlib
import json
from pathlib import Path

import pytest
import tensorflow as tf
from testing.pictures import ROOT

from nst_tf import Settings
from nst_tf.export import models, saving
from nst_tf.networks import vgg


@pytest.mark.slow
class ManifestTest(tf.test.TestCase):
    def test_says_what_the_export_is(self):
        settings = Settings(precision="float32", recipe="tutorial")
        path = Path(self.create_tempdir().full_path) / "model"
        saving.save(models.Optimizer(settings), path)
        model = tf.saved_model.load(str(path))
        facts = json.loads((path / "assets.extra" / "manifest.json").read_text())
        signatures = facts["signatures"]
        self.assertEqual(set(signatures), {"serving_default", "serving_bytes"})
        for name, signature in signatures.items():
            function = model.signatures[name]
            sides = dict(
                inputs=function.structured_input_signature[1], outputs=function.structured_outputs
            )
            for side, specs in sides.items():
                said = {k: (each["dtype"], each["shape"]) for k, each in signature[side].items()}
                found = {k: (each.dtype.name, each.shape.as_list()) for k, each in specs.items()}
                self.assertEqual(said, found)
        self.assertEqual(signatures["serving_default"]["inputs"]["steps"]["range"], [1, 100000])
        self.assertEqual(facts["settings"]["precision"], "float32")
        self.assertEqual(facts["settings"]["beta_1"], 0.99)
        self.assertNotIn("steps", facts["settings"])
        file = ROOT / "saved_models" / facts["weights"]["file"]
        self.assertEqual(facts["weights"]["sha256"], hashlib.sha256(file.read_bytes()).hexdigest())
        readme = (path / "README.md").read_text()
        self.assertIn(facts["weights"]["sha256"], readme)
        self.assertIn("| input | `steps` | int32 | [] | 1 to 100000 |", readme)
        self.assertIn("| input | `content_weight` | float32 | [] | from 0 |", readme)

    def test_weights_of_ones_own_are_named_by_their_digest(self):
        path = Path(self.create_tempdir().full_path) / "mine.h5"
        path.write_bytes(b"mine")
        found = vgg.origin(Settings(vgg_weights=str(path)))
        self.assertEqual(found, {"file": "mine.h5", "sha256": hashlib.sha256(b"mine").hexdigest()})

    def test_says_where_the_fast_weights_are_from(self):
        about = models.Fast().about()["weights"]
        data = (ROOT / "saved_models" / about["file"]).read_bytes()
        self.assertEqual(about["sha256"], hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    tf.test.main()
