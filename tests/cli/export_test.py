import signal
import subprocess
import sys
from unittest import mock

import pytest
from absl.testing import absltest, parameterized
from testing import signaled
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT
from testing.scripts import SMALL, ScriptTest, options

from nst_tf.cli import export, fast
from nst_tf.export import saving


class ExportTest(ScriptTest):
    def setUp(self):
        super().setUp()
        self.output_dir = self.folder / "model"

    def export(self, model, settings=SMALL, given=(), **changes):
        changes = {"output_dir": self.output_dir} | changes
        return self.call(export.export, options(export, model=model, **changes), settings, given)

    @parameterized.parameters("extractor", "optimizer")
    def test_a_model_with_settings(self, name):
        with mock.patch.object(saving, "save") as save:
            found = self.export(name, given=["style_layers"], overwrite=True)
        self.assertEqual(found, (f"exported {self.output_dir}\n", ""))
        ((model, path), given) = save.call_args
        self.assertEqual((path, given), (str(self.output_dir), {"overwrite": True}))
        self.assertEqual(model.model_name, name)
        self.assertEqual(model.settings.style_layers, SMALL.style_layers)

    @parameterized.parameters((None, (384, 384)), (["64", "96"], (64, 96)))
    def test_a_model_of_tensorflow_lite(self, shape, expected):
        with mock.patch.object(saving, "save_lite") as save:
            self.export("fast", format="tflite", shape=shape)
        self.assertEqual(save.call_args.args[1:], (str(self.output_dir), *expected))

    @pytest.mark.slow
    def test_fast_script_loads_the_export(self):
        self.export("fast")
        images = {"content": [str(PHOTOGRAPH)], "style": [str(PAINTING)], "size": 64}
        pictures = []
        for handle in (str(self.output_dir), "bundled"):
            self.call(fast.stylize, options(fast, **images, output=self.output, handle=handle))
            pictures.append(self.output.read_bytes())
        self.assertEqual(*pictures)
        with self.refused(f"{self.output_dir}: exists; give --overwrite"):
            self.export("fast")

    @parameterized.parameters(
        ("extractor", "content_weight", "content_weight: no setting of an exported extractor, it"),
        ("optimizer", "steps", "steps: no setting of an exported optimizer, each request"),
        ("optimizer", "strength", "strength: no setting of an exported optimizer"),
        ("fast", "size", "size: no setting of an exported fast"),
    )
    def test_settings_that_a_model_does_not_have(self, model, name, words):
        with self.refused(words):
            self.export(model, given=["precision", name] if model != "fast" else [name])

    @parameterized.parameters(
        ("extractor", {"format": "tflite"}, "format=tflite: no format of an exported extractor"),
        ("fast", {"shape": ["64", "64"]}, "shape: a SavedModel takes any"),
        ("fast", {"format": "tflite", "shape": ["64"]}, "shape=64: expected height,width"),
        ("fast", {"format": "tflite", "shape": ["64", "20"]}, "shape=64,20: expected height,width"),
        ("fast", {"format": "tflite", "shape": ["64", "x"]}, "shape=64,x: expected height,width"),
        ("fast", {"format": "tflite", "shape": ["64", "9999"]}, "each 32 to 2048"),
        ("fast", {"output_dir": "/proc/model"}, "cannot be written"),
        ("fast", {"output_dir": ROOT / "docs", "overwrite": True}, "is there and is no export"),
    )
    def test_options_that_do_not_fit(self, model, changes, words):
        with self.refused(words):
            self.export(model, **changes)

    @pytest.mark.slow
    def test_stopped_it_leaves_nothing(self):
        # While TensorFlow traces the model.
        harness = [
            signaled.__file__,
            str(int(signal.SIGINT)),
            "nst_tf.export.checks",
            "images",
            "1",
        ]
        script = [ROOT / "scripts" / "export.py", "--model=fast", f"--output_dir={self.output_dir}"]
        found = subprocess.run([sys.executable, *harness, *script], capture_output=True, text=True)
        self.assertEqual((found.returncode, found.stderr), (130, "export: stopped\n"))
        self.assertEmpty(self.files())


if __name__ == "__main__":
    absltest.main()
