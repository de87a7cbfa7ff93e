"""Runs of stylize.py whose terminal, reader or names are odd."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from absl.testing import absltest
from PIL import Image
from testing import signaled
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT
from testing.scripts import run

from nst_tf.run import record

SCRIPT = ROOT / "scripts" / "stylize.py"
SETTINGS = [
    *("--size=48", "--scales=1", "--steps=3"),
    *("--style_layers=block1_conv1", "--content_layers=block1_conv2"),
]
IMAGES = [f"--content={PHOTOGRAPH}", f"--style={PAINTING}"]


@pytest.mark.slow
class TerminalTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.output = self.folder / "out.png"

    def test_a_terminal_that_is_closed_leaves_the_picture_and_says_that_it_was_stopped(self):
        """Without a reader of stdout and stderr, as in a terminal that is gone."""
        call = ["nst_tf.callbacks.progress_bar", "ProgressBar.on_step", "2"]
        command = [sys.executable, signaled.__file__, str(int(signal.SIGHUP)), *call, SCRIPT]
        reader, writer = os.pipe()
        os.close(reader)
        try:
            found = subprocess.run(
                [*command, *IMAGES, *SETTINGS, f"--output={self.output}"],
                stdout=writer,
                stderr=writer,
                timeout=300,
            )
        finally:
            os.close(writer)
        self.assertEqual(found.returncode, 128 + signal.SIGHUP)
        whole = record.read(str(self.output))
        self.assertEqual(whole["stopped"], {"scale": 0, "steps": 2})

    def test_the_first_line_is_enough_for_the_reader(self):
        """As with `| head -1`."""
        with subprocess.Popen(
            [sys.executable, SCRIPT, *IMAGES, *SETTINGS, f"--output={self.output}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self.assertIn("memory: about", process.stdout.readline())
            process.stdout.close()
            self.assertEqual(process.stderr.read(), "")
        self.assertEqual(process.returncode, 0)
        self.assertNotIn("stopped", record.read(str(self.output)))

    def test_names_that_are_not_text_and_an_ascii_stdout(self):
        names = [self.folder / f"caf\udce9{number}" for number in range(3)]
        content, style, output = (path.with_suffix(".png") for path in names)
        for path, picture in ((content, PHOTOGRAPH), (style, PAINTING)):
            with Image.open(picture) as opened, path.open("wb") as file:
                opened.resize((64, 48)).save(file, "PNG")
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        images = [f"--content={content}", f"--style={style}"]
        found = run("stylize", *images, *SETTINGS, f"--output={output}", env=environment)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertIn(f"painted {self.folder}/caf\\xe92.png in ", found.stdout)
        before = output.read_bytes()
        output.unlink()
        command = [f"--from_record={output}.json", f"--output={output}"]
        found = run("stylize", *command, "--quiet", env=environment)
        self.assertEqual((found.returncode, found.stdout, found.stderr), (0, "", ""))
        self.assertEqual(output.read_bytes(), before)


if __name__ == "__main__":
    absltest.main()
