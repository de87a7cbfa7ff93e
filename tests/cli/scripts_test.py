"""Scripts as a user runs them, in processes: help, mistakes in flags, README's commands."""

import functools
import importlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import fields

import pytest
from absl.testing import absltest, parameterized
from PIL import Image
from testing import films
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT
from testing.scripts import DEFAULTS, SCRIPTS, ScriptTest, run

import nst_tf
from nst_tf import Settings
from nst_tf.run import record

# Where the options of a script are, if its module has another name.
MODULES = {"app": "page_app"}
# Scripts that work without flags.
FLAGLESS = {"app"}
# Flags that are no field of Options or Settings.
OTHERS = {"recipe", "strength", "from_record"}
PRINT_FLAGS = """
import json, runpy, sys
from absl import app, flags

FLAGS = flags.FLAGS
of_absl, values = {*FLAGS}, {}
for script in sys.argv[1:]:
    runpy.run_path(script)
    values[script] = {name: FLAGS[name].default for name in {*FLAGS} - of_absl}
    for name in values[script]:
        delattr(FLAGS, name)
print(json.dumps(values))
"""
TINY = ["--size=48", "--steps=2"]
ONE_LAYER = ["--style_layers=block1_conv1", "--content_layers=block1_conv2"]
# README's flags, further ones that make the run small, and what is written besides.
COMMANDS = {
    "batch": (
        "--contents=photos --styles=paintings --output_dir=painted",
        [*TINY, *ONE_LAYER],
        ["painted/photo__painting.png", "painted/sheet.jpg", "painted/index.html"],
    ),
    "compare": (
        "--content=photo.jpg --style=painting.jpg --output_dir=comparison",
        [*TINY, *ONE_LAYER],
        ["comparison/comparison.png", "comparison/report.html", "comparison/comparison.json"],
    ),
    "export": (
        "--model=optimizer --output_dir=exported/optimizer/1",
        ONE_LAYER,
        ["exported/optimizer/1/saved_model.pb", "exported/optimizer/1/assets.extra/manifest.json"],
    ),
    "fast": (
        "--content=photo.jpg --style=painting.jpg --output=painted.png",
        [],
        ["painted.png"],
    ),
    "stylize": (
        "--content=photo.jpg --style=painting.jpg --output=painted.png",
        TINY,
        ["painted.png", "painted.png.json"],
    ),
    "video": (
        "--content=film.mp4 --style=painting.jpg --output=painted.mp4",
        [*TINY, *ONE_LAYER, "--frame_steps=2"],
        ["painted.mp4"],
    ),
}


@functools.cache
def script_flags():
    """The flags of each script with their defaults."""
    paths = {str(ROOT / "scripts" / f"{script}.py"): script for script in SCRIPTS}
    found = subprocess.run(
        [sys.executable, "-c", PRINT_FLAGS, *paths], capture_output=True, text=True, check=True
    )
    return {paths[path]: values for path, values in json.loads(found.stdout).items()}


def option_names(script):
    module = importlib.import_module(f"nst_tf.cli.{MODULES.get(script, script)}")
    return [each.name for each in fields(module.Options)]


class FlagsTest(parameterized.TestCase):
    @parameterized.parameters(*SCRIPTS)
    def test_each_flag_is_an_option_or_a_setting_and_the_tests_have_its_default(self, script):
        values = script_flags()[script]
        options = {*option_names(script)}
        self.assertContainsSubset(options, values)
        settings = {each.name for each in fields(Settings)} if "steps" in values else set()
        self.assertContainsSubset({*values}, options | settings | OTHERS)
        defaults = {name: values[name] for name in options}
        required = {name for name in options if name not in DEFAULTS[script]}
        self.assertEqual(defaults, DEFAULTS[script] | dict.fromkeys(required))

    @parameterized.parameters(*SCRIPTS)
    def test_help_ends_well_and_soon_and_lists_each_flag(self, script):
        started = time.monotonic()
        found = run(script, "--help")
        # A tenth of a second on a quiet machine; importing TensorFlow takes several.
        self.assertLess(time.monotonic() - started, 3)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        for name in script_flags()[script]:
            self.assertRegex(found.stdout, rf"--(\[no\])?{name}:")

    @parameterized.parameters(*SCRIPTS)
    def test_version_and_short_help(self, script):
        found = run(script, "--version")
        version = f"nst_tf {nst_tf.__version__}\n"
        self.assertEqual((found.returncode, found.stdout, found.stderr), (0, version, ""))
        environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "HOME": r"a\g<9>"}
        found = run(script, "-h", env=environment)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertIn(f"{script}.py:", found.stdout)


class MistakesTest(parameterized.TestCase):
    def refused(self, script, *arguments):
        """The line on stderr."""
        found = run(script, *arguments)
        self.assertEqual((found.returncode, found.stdout), (1, ""))
        self.assertLen(found.stderr.splitlines(), 1)
        self.assertStartsWith(found.stderr, f"{script}: ")
        return found.stderr

    @parameterized.parameters(*sorted({*SCRIPTS} - FLAGLESS))
    def test_required_flags_are_missing(self, script):
        named, _, _ = self.refused(script).partition(": missing")
        required = {*option_names(script)} - {*DEFAULTS[script]}
        self.assertEqual({*re.findall(r"--(\w+)", named)}, required)

    def test_flags_that_are_none(self):
        self.assertIn("content", self.refused("stylize", "--contnt=a.jpg"))
        self.assertIn("size", self.refused("stylize", "--size=big"))
        self.assertIn("photo.jpg: not a flag", self.refused("stylize", "photo.jpg"))
        line = self.refused("fast", "--style", "a.jpg", "b.jpg")
        self.assertEqual(line, "fast: b.jpg: not a flag; write --style=a.jpg --style=b.jpg\n")
        line = self.refused("stylize", "--content=", "--style=", "--output=a.png")
        self.assertIn("--content, --style: missing", line)


@pytest.mark.slow
class CommandTest(ScriptTest):
    def setUp(self):
        super().setUp()
        for path, names in (
            (PHOTOGRAPH, ("photo.jpg", "photos/photo.jpg")),
            (PAINTING, ("painting.jpg", "paintings/painting.jpg")),
        ):
            for name in names:
                (self.folder / name).parent.mkdir(exist_ok=True)
                with Image.open(path) as picture:
                    picture.resize((64, 48)).save(self.folder / name)
        films.write(self.folder / "film.mp4", films.grays(2), sound=["aac"])

    @parameterized.parameters(*COMMANDS)
    def test_as_in_the_readme(self, script):
        command, further, outputs = COMMANDS[script]
        self.assertIn(f"scripts/{script}.py {command}\n", (ROOT / "README.md").read_text())
        found = run(script, *command.split(), *further, cwd=self.folder)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertIn(outputs[0].split("/")[0], found.stdout.splitlines()[-1])
        for output in outputs:
            self.assertTrue((self.folder / output).is_file(), output)

    @parameterized.parameters(
        ("--preview=so_far.png", "so_far.png", ""),
        ("--tensorboard_dir=runs/1", "runs/1", "tensorboard --logdir=runs/1\n"),
    )
    def test_watching_as_in_the_readme(self, flag, path, line):
        command = f"--content=photo.jpg --style=painting.jpg {flag} --output=painted.png"
        self.assertIn(f"scripts/stylize.py {command}\n", (ROOT / "README.md").read_text())
        found = run("stylize", *command.split(), *TINY, cwd=self.folder)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertTrue((self.folder / path).exists())
        self.assertIn(line, found.stdout)

    def test_settings_layers_and_paths_in_the_home_folder(self):
        found = run(
            "stylize",
            *(*TINY, "--content=~/photo.jpg", "--style=~/photo.jpg,~/painting.jpg", "--quiet"),
            *("--style_layers=block1_conv1/block1_conv1,block1_conv2", f"--output={self.output}"),
            env={**os.environ, "HOME": str(self.folder)},
        )
        self.assertEqual((found.returncode, found.stdout, found.stderr), (0, "", ""))
        whole = record.read(str(f"{self.output}.json"))
        self.assertEqual((whole["settings"]["size"], whole["settings"]["steps"]), (48, 2))
        self.assertEqual(whole["images"]["style 2"]["layers"], ["block1_conv1", "block1_conv2"])
        self.assertEqual(whole["flags"]["content"], f"{self.folder}/photo.jpg")


if __name__ == "__main__":
    absltest.main()
