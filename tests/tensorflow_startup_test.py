import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from absl.testing import absltest, parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT

import nst_tf
from nst_tf import InputError, limits, tensorflow_startup

GIB = 2**30


class EnvironmentTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(os.environ, clear=True))

    def import_tensorflow(self, *, address_space=math.inf, cores=8, first=False):
        """The environment variables after an import, which does not take place again."""
        first_import = mock.patch.dict(sys.modules)
        with (
            mock.patch.object(limits, "free_address_space", return_value=address_space),
            mock.patch.object(limits, "num_cores", return_value=cores),
            first_import if first else contextlib.nullcontext(),
        ):
            if first:
                del sys.modules["tensorflow"]
            tensorflow_startup.import_tensorflow()
        return dict(os.environ)

    def test_threads_are_the_cores_that_the_process_may_use(self):
        found = self.import_tensorflow(cores=3)
        self.assertEqual(found["TF_NUM_INTRAOP_THREADS"], "3")
        self.assertEqual(found["TF_NUM_INTEROP_THREADS"], "3")

    def test_memory_of_a_gpu_grows_so_that_two_runs_share_it(self):
        self.assertEqual(self.import_tensorflow()["TF_FORCE_GPU_ALLOW_GROWTH"], "true")

    def test_what_is_set_stays(self):
        os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_FORCE_GPU_ALLOW_GROWTH": "false"}
        found = self.import_tensorflow(cores=3)
        self.assertEqual(found["TF_NUM_INTRAOP_THREADS"], "1")
        self.assertEqual(found["TF_FORCE_GPU_ALLOW_GROWTH"], "false")

    def test_no_allocator_that_reserves_addresses_where_they_are_limited(self):
        self.assertEqual(self.import_tensorflow()["TF_CPU_ALLOCATOR_USE_BFC"], "1")
        os.environ.clear()
        found = self.import_tensorflow(address_space=8 * GIB)
        self.assertNotIn("TF_CPU_ALLOCATOR_USE_BFC", found)
        self.assertNotIn("TF_CPU_BFC_MEM_LIMIT_IN_MB", found)

    def test_too_small_an_address_space_is_refused_before_the_import(self):
        self.import_tensorflow(address_space=GIB)  # it is imported: what it takes is taken
        with self.assertRaisesRegex(InputError, r"^ulimit: 1\.00 GiB of address space .*ulimit -v"):
            self.import_tensorflow(address_space=GIB, first=True)

    def test_no_folder_for_temporary_files(self):
        os.environ["TMPDIR"] = "/nowhere"
        with mock.patch.object(tempfile, "gettempdir", side_effect=FileNotFoundError("none")):
            with self.assertRaisesRegex(InputError, "^TMPDIR=/nowhere: no folder for temporary"):
                self.import_tensorflow(first=True)


class CheckKerasTest(parameterized.TestCase):
    @parameterized.parameters("optimize", "stylize", "load", "read", "Style")
    def test_library(self, name):
        """TensorFlow reads keras.json, too, so whatever imports it checks this first."""
        with mock.patch.object(tensorflow_startup, "check_keras", side_effect=InputError("keras")):
            with self.assertRaisesRegex(InputError, "keras"):
                getattr(nst_tf, name)

    @parameterized.parameters("1", "true", "True")
    def test_legacy_keras(self, value):
        with mock.patch.dict(os.environ, {"TF_USE_LEGACY_KERAS": value}):
            with self.assertRaisesRegex(InputError, f"^TF_USE_LEGACY_KERAS={value}: expected Ker"):
                tensorflow_startup.check_keras()
        with mock.patch.dict(os.environ, {"TF_USE_LEGACY_KERAS": "0"}):
            tensorflow_startup.check_keras()

    def test_another_backend(self):
        keras = mock.Mock()
        keras.config.backend.return_value = "torch"
        with mock.patch.dict(sys.modules, keras=keras):
            with self.assertRaisesRegex(InputError, "^KERAS_BACKEND=torch: expected tensorflow; "):
                tensorflow_startup.check_keras()

    @mock.patch.dict(os.environ, {"KERAS_HOME": "/there", "KERAS_BACKEND": "jax"})
    def test_keras_that_cannot_be_imported(self):
        with mock.patch.dict(sys.modules, keras=None):
            with self.assertRaisesRegex(
                InputError, r"^Keras cannot be imported .*/there/keras\.json and KERAS_BACKEND=jax$"
            ):
                tensorflow_startup.check_keras()

    def test_missing_tensorflow_keeps_its_traceback(self):
        with mock.patch.dict(sys.modules):
            del sys.modules["tensorflow"]
            with mock.patch.object(sys, "path", []), mock.patch.object(sys, "meta_path", []):
                with self.assertRaises(ImportError):
                    tensorflow_startup.check_keras()


@pytest.mark.slow
class ScriptsTest(parameterized.TestCase):
    """The import in a process of its own, where Keras is set up for another project."""

    def import_tensorflow(self, keras_json, **environment):
        home = Path(self.create_tempdir().full_path)
        (home / "keras.json").write_text(keras_json)
        code = (
            "from nst_tf import tensorflow_startup as startup; startup.import_tensorflow()\n"
            "import tensorflow as tf; print(tf.keras.config.backend(), tf.keras.__version__[0])"
        )
        given = os.environ | {"KERAS_HOME": str(home)} | environment
        return subprocess.run([sys.executable, "-c", code], capture_output=True, env=given)

    @parameterized.parameters(
        (json.dumps({"backend": "jax", "image_data_format": "channels_first"}), {}),
        ('{"floatx": "flo', {"KERAS_BACKEND": "torch", "TF_USE_LEGACY_KERAS": "1"}),
    )
    def test_keras_is_the_one_that_is_needed(self, keras_json, environment):
        found = self.import_tensorflow(keras_json, **environment)
        self.assertEqual((found.stdout, found.stderr), (b"tensorflow 3\n", b""))

    @pytest.mark.slow
    def test_pictures_have_the_same_bytes_whatever_keras_is_set_to(self):
        folder = Path(self.create_tempdir().full_path)
        (folder / "keras.json").write_text(
            json.dumps(
                {"backend": "jax", "floatx": "float16", "image_data_format": "channels_first"}
            )
        )
        odd = {"KERAS_HOME": str(folder), "KERAS_BACKEND": "torch", "TF_USE_LEGACY_KERAS": "1"}
        pictures = []
        for name, environment in (
            ("clean.png", {"KERAS_HOME": str(folder / "none")}),
            ("odd.png", odd),
        ):
            flags = [f"--content={PHOTOGRAPH}", f"--style={PAINTING}", f"--output={folder / name}"]
            flags += ["--size=64", "--steps=2", "--precision=float32", "--norecord"]
            command = [sys.executable, ROOT / "scripts" / "stylize.py", *flags]
            subprocess.run(command, check=True, env=os.environ | environment, capture_output=True)
            pictures.append((folder / name).read_bytes())
        self.assertEqual(*pictures)

    def test_values_that_are_none_are_named(self):
        found = self.import_tensorflow('{"floatx": "float8"}')
        self.assertIn(b"InputError: Keras cannot be imported", found.stderr)
        self.assertIn(b"keras.json", found.stderr.splitlines()[-1])


if __name__ == "__main__":
    absltest.main()
