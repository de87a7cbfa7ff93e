import subprocess
import sys

import pytest
from absl.testing import absltest

import nst_tf

# Every public name, and mistakes: --strict refuses a `type: ignore` that nothing needs, so none of
# these is Any.
PROGRAM = """
import sys

from nst_tf import InputError, Picture, Progress, Settings, State, Style
from nst_tf import load, optimize, read, stylize, write

picture: Picture = read("photo.jpg")
settings: Settings = Settings(size=64, style_layers=("block1_conv1",)).with_strength(0.5)
styles: list[Style] = [Style(picture.rgb, weight=0.5, mask=picture.alpha)]
state: State | None = None
try:
    for progress in optimize(picture.rgb, styles, settings, resume=state):
        last: Progress = progress
        state = last.state()
        print(last, last.done, last.image().shape, float(last.losses.total), state.step)
except InputError as error:
    sys.exit(str(error))
write("painted.png", stylize(picture.rgb, styles), alpha=picture.alpha, bits=picture.bits)
write("fast.png", load("bundled")(picture.rgb[None], picture.rgb[None])[0])

Picture(picture.rgb)  # type: ignore[call-arg]
Settings(sizes=64)  # type: ignore[call-arg]
Style(rgb="painting.jpg")  # type: ignore[arg-type]
load(0)  # type: ignore[arg-type]
optimize(picture.rgb, styles, setings=settings)  # type: ignore[call-arg]
read(0)  # type: ignore[arg-type]
stylize(picture.rgb)  # type: ignore[call-arg]
stylize(picture.rgb, styles).picture  # type: ignore[attr-defined]
write("painted.png")  # type: ignore[call-arg]
last.picture  # type: ignore[attr-defined]
state.picture  # type: ignore[union-attr]
raise InputError from 0  # type: ignore[misc]
"""


class NamesTest(absltest.TestCase):
    def test_public_names_are_there(self):
        self.assertEqual(dir(nst_tf), sorted(nst_tf.__all__))
        for name in nst_tf.__all__:
            self.assertEqual(getattr(nst_tf, name).__name__, name)
        with self.assertRaisesRegex(AttributeError, "no attribute 'nothing'"):
            _ = nst_tf.nothing

    def test_settings_and_flags_do_not_import_tensorflow(self):
        code = (
            "import sys, nst_tf, nst_tf.settings, nst_tf.cli.app, nst_tf.cli.setting_flags\n"
            "nst_tf.Settings()\n"
            "print([m for m in ('tensorflow', 'tensorflow_hub', 'keras', 'numpy', 'PIL')"
            " if m in sys.modules])"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        self.assertEqual(found.stdout.strip(), "[]", found.stderr)


@pytest.mark.slow
class TypesTest(absltest.TestCase):
    def test_type_checker_knows_all_public_names(self):
        folder = self.create_tempdir()
        folder.create_file("program.py", PROGRAM)
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=cache", "program.py"]
        found = subprocess.run(command, cwd=folder.full_path, capture_output=True, text=True)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)


if __name__ == "__main__":
    absltest.main()
