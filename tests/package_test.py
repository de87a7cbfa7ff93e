import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from absl.testing import absltest, parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT

from nst_tf import tensorflow_startup

CODE = f"""
import nst_tf, pathlib, sys
from nst_tf import Settings, Style, load, read, stylize, write
from nst_tf.networks import weights
content = read({str(PHOTOGRAPH)!r})
style = Style(read({str(PAINTING)!r}).rgb)
write("painted.png", stylize(content.rgb, [style], Settings(size=64, steps=2)))
assert load("bundled")(content.rgb[None], style.rgb[None]).shape == (1, *content.rgb.shape)
print(nst_tf.__file__)
print(weights.bundled_path("vgg19_notop_f16.h5"))
"""


@pytest.mark.slow
class WheelTest(absltest.TestCase):
    def test_the_wheel_works_from_an_empty_folder(self):
        folder = Path(self.create_tempdir().full_path)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder / "wheel", ROOT],
            check=True,
        )
        (wheel,) = (folder / "wheel").iterdir()
        self.assert_complete(wheel)
        subprocess.run(
            [*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True
        )
        (folder / "empty").mkdir()
        found = subprocess.run(
            [sys.executable, "-c", CODE],
            cwd=folder / "empty",
            env=os.environ | {"PYTHONPATH": str(folder / "site")},
            capture_output=True,
            text=True,
        )
        self.assertEqual(found.returncode, 0, found.stderr)
        lines = found.stdout.splitlines()
        self.assertLen(lines, 2)
        for line in lines:
            self.assertStartsWith(line, str(folder / "site" / "nst_tf"))
        self.assertTrue((folder / "empty" / "painted.png").is_file())

    def assert_complete(self, wheel):
        """All files of the package are in it, and what its extras need."""
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            (metadata,) = (archive.read(name) for name in names if name.endswith("/METADATA"))
        for path in (ROOT / "nst_tf").rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                self.assertIn(str(path.relative_to(ROOT)), names)
        for extra, packages in (
            (b"app", [b"gradio"]),
            (b"video", [b"av", b"opencv-python-headless"]),
        ):
            found = re.findall(rb'Requires-Dist: ([\w-]+).*extra == "%s"' % extra, metadata)
            self.assertEqual(found, packages)


class CheckoutTest(absltest.TestCase):
    def test_a_folder_of_the_same_name_does_not_go_before_the_package(self):
        """As the clone itself does, for a program beside it."""
        folder = Path(self.create_tempdir().full_path)
        (folder / "nst_tf").mkdir()
        code = "import nst_tf; print(nst_tf.Settings().size)"
        found = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True)
        self.assertEqual(found.stdout, b"512\n", found.stderr)


@pytest.mark.slow
class TensorFlowTest(parameterized.TestCase):
    # Also where a worker's module has imported it before.
    @parameterized.parameters("", "import tensorflow\n")
    def test_scripts_keep_freed_memory(self, before):
        """Only an allocator of TensorFlow's own counts what it has; malloc gives it back."""
        code = (
            f"{before}from nst_tf import tensorflow_startup\n"
            "tensorflow_startup.import_tensorflow()\n"
            "import tensorflow as tf; kept = tf.zeros([1000, 1000])\n"
            "print(tf.config.experimental.get_memory_info('CPU:0')['current'] >= 4e6)"
        )
        clean = {
            name: os.environ[name] for name in {*os.environ} - {*tensorflow_startup.ENVIRONMENT}
        }
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, env=clean)
        self.assertEqual(found.stdout, b"True\n", found.stderr)

    def test_an_import_that_aborts_says_so(self):
        folder = Path(self.create_tempdir().full_path)
        (folder / "tensorflow.py").write_text("import os; os.abort()")
        code = "from nst_tf import tensorflow_startup as startup; startup.import_tensorflow()"
        path = {"PYTHONPATH": str(folder)}
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, env=os.environ | path
        )
        self.assertLess(found.returncode, 0)
        self.assertIn(b"tensorflow.py", found.stderr)


class LinksTest(parameterized.TestCase):
    @parameterized.parameters(
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "benchmarks/RESULTS.md",
        "samples/SOURCES.md",
        "saved_models/README.md",
    )
    def test_what_a_page_links_to_is_there(self, page):
        path = ROOT / page
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
            self.assertTrue((path.parent / target).exists(), f"{page}: {target}")


@pytest.mark.slow
class ReadmeTest(absltest.TestCase):
    def test_its_python_runs(self):
        blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        self.assertLen(blocks, 5)
        code = "".join(blocks).replace("size=512", "size=64, steps=2")
        folder = Path(self.create_tempdir().full_path)
        shutil.copy(PHOTOGRAPH, folder / "photo.jpg")
        shutil.copy(PAINTING, folder / "painting.jpg")
        subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
        self.assertTrue((folder / "painted.png").is_file())


if __name__ == "__main__":
    absltest.main()
