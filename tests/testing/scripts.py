"""The scripts in tests: called in-process with Options, or run as processes."""

import contextlib
import io
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

from absl.testing import parameterized
from testing.pictures import ROOT

from nst_tf import InputError, Settings

SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
# A run of a second: two steps of Adam in the network's first layers.
SMALL = Settings(
    size=48,
    scales=1,
    steps=2,
    optimizer="adam",
    precision="float32",
    content_layers=("block1_conv2",),
    style_layers=("block1_conv1",),
)
# The flags' defaults, of those that are not required; scripts_test compares them with the scripts.
DEFAULTS: dict[str, dict[str, Any]] = {
    "app": {
        "host": "127.0.0.1",
        "port": 7860,
        "output_dir": None,
        "styles_dir": None,
        "password": None,
    },
    "batch": {
        "method": "optimize",
        "handle": "bundled",
        "runner": "local",
        "workers": 0,
        "threads": 0,
        "ray_address": "",
        "recipe": "default",
        "overwrite": False,
    },
    "compare": {"handle": ["bundled"], "quiet": False},
    "export": {"overwrite": False, "format": "saved_model", "shape": None},
    "fast": {"style_blend": [], "handle": "bundled", "size": 0, "strength": 1.0},
    "stylize": {
        "style_blend": [],
        "style_mask": [],
        "style_region": [],
        "keep_mask": None,
        "preview": None,
        "loss_log": None,
        "snapshots_dir": None,
        "snapshot_every": 10,
        "animation": None,
        "animation_frames": 60,
        "tensorboard_dir": None,
        "tensorboard_every": 10,
        "checkpoint": None,
        "checkpoint_every": 60.0,
        "resume": False,
        "record": True,
        "quiet": False,
    },
    "video": {
        "style_blend": [],
        "method": "optimize",
        "handle": "bundled",
        "start": 0.0,
        "seconds": 0.0,
        "fps": 0.0,
        "frame_steps": 10,
        "temporal_weight": 4.0,
        "keyframes": 1,
        "passes": 1,
        "codec": None,
        "crf": 18,
        "frames_dir": None,
        "resume": False,
        "quiet": False,
    },
}


def options(module, **given):
    """The Options of a module of nst_tf.cli: those given, as texts where they are paths."""
    values = {
        name: str(value) if isinstance(value, Path) else value for name, value in given.items()
    }
    return module.Options(**DEFAULTS[module.__name__.rpartition(".")[2]] | values)


def run(script, *arguments, **given):
    """Run a script to its end, in a process of its own."""
    command = [sys.executable, ROOT / "scripts" / f"{script}.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **given)


class ScriptTest(parameterized.TestCase):
    """Calls a script's function in-process, in a folder of its own."""

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.output = self.folder / "new" / "painted.png"
        log = logging.getLogger("nst_tf")
        self.addCleanup(vars(log).update, {**vars(log), "handlers": [*log.handlers]})

    def files(self):
        """When each file was written; folders without a time."""
        return {path: path.is_file() and path.stat().st_mtime_ns for path in self.folder.rglob("*")}

    def call(self, function, *arguments):
        """What a call prints on stdout and stderr."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            function(*arguments)
        return out.getvalue(), err.getvalue()

    @contextlib.contextmanager
    def refused(self, *words):
        """An InputError of one line with these words, and nothing written."""
        before = self.files()
        with self.assertRaises(InputError) as caught:
            yield
        for word in map(str, words):
            self.assertIn(word, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        self.assertEqual(self.files(), before)


@contextlib.contextmanager
def file_size_limit(size):
    """A full disk: files can have so many bytes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
