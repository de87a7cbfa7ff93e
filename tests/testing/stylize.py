"""Runs of stylize.py in-process."""

import json
from unittest import mock

from testing.pictures import PAINTING, PHOTOGRAPH
from testing.scripts import SMALL, ScriptTest, options

from nst_tf import coarse_to_fine
from nst_tf.cli import stylize
from nst_tf.run.session import Session


class StylizeTest(ScriptTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Runs with equal settings share network and traces, and take a tenth of the time.
        session = Session()
        cls.enter_context(mock.patch.object(coarse_to_fine, "Session", lambda: session))

    def setUp(self):
        super().setUp()
        self.log = self.folder / "losses.jsonl"
        self.record = self.output.with_suffix(".png.json")
        self.checkpoint = self.folder / "run.ckpt"

    def stylize(self, *arguments, settings=SMALL, **changes):
        given = {"content": PHOTOGRAPH, "style": [str(PAINTING)], "output": self.output}
        return self.call(stylize.stylize, options(stylize, **given | changes), settings, *arguments)

    def steps_logged(self):
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [(row["scale"], row["step"]) for row in rows]
