import errno
import json
import math
from pathlib import Path
from unittest import mock

from absl.testing import absltest
from testing.runs import fake_run

from nst_tf import InputError, State
from nst_tf.callbacks.base import notify
from nst_tf.callbacks.loss_log import LossLog
from nst_tf.run.progress import RunPlan


class LossLogTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = Path(self.create_tempdir().full_path) / "new" / "losses.jsonl"

    def rows(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def test_one_object_a_step(self):
        run = notify(fake_run([4.0, math.nan], [8.0], rejected=(1,)), [LossLog(str(self.path))])
        for count, _ in enumerate(run, 1):
            # A run that is killed loses no line.
            self.assertLen(self.rows(), count)
        losses = dict(style=2.0, content=1.2, tv=0.8)
        first, second, third = self.rows()
        self.assertEqual([*first], ["scale", "step", "total", "style", "content", "tv"])
        self.assertEqual((first["scale"], first["step"], first["total"]), (0, 0, 4.0))
        for name, value in losses.items():
            self.assertAlmostEqual(first[name], value, places=6)
        nulls = dict.fromkeys(("total", *losses))
        self.assertEqual(second, {"scale": 0, "step": 1, **nulls, "accepted": False})
        self.assertEqual((third["scale"], third["step"], third["total"]), (1, 0, 8.0))

    def test_resumed_run_keeps_the_lines_before_its_state(self):
        list(notify(fake_run([4.0, 3.0], [2.0]), [LossLog(str(self.path))]))
        with self.path.open("a") as file:
            file.write('{"scale": 1, "st')
        state = State(0, 1, RunPlan("float32"), RunPlan("float32"))
        LossLog(str(self.path), resumed=state).close()
        self.assertEqual([(row["scale"], row["step"]) for row in self.rows()], [(0, 0)])
        LossLog(str(self.path)).close()
        self.assertEmpty(self.rows())

    def test_a_log_that_another_run_writes_to_is_refused(self):
        first = notify(fake_run([4.0, 3.0]), [LossLog(str(self.path))])
        next(first)
        with self.assertRaisesRegex(InputError, "losses.jsonl: another run writes to it; give "):
            LossLog(str(self.path))
        list(first)
        self.assertEqual([row["total"] for row in self.rows()], [4.0, 3.0])
        LossLog(str(self.path)).close()

    def test_disks_that_know_no_locks(self):
        with mock.patch("fcntl.flock", side_effect=OSError(errno.ENOTSUP, "not supported")):
            list(notify(fake_run([4.0]), [LossLog(str(self.path))]))
        self.assertLen(self.rows(), 1)

    def test_full_disk_does_not_stop_the_run(self):
        with self.assertLogs("nst_tf", "WARNING") as logs:
            run = list(notify(fake_run([3.0, 2.0, 1.0]), [LossLog("/dev/full")]))
        self.assertLen(run, 3)
        (line,) = logs.output
        self.assertIn("loss_log=/dev/full: cannot be written (No space left on device)", line)

    def test_refusals_come_before_the_run(self):
        with self.assertRaisesRegex(InputError, "loss_log=.*: cannot be written"):
            LossLog(self.create_tempdir().full_path)
        with self.assertRaisesRegex(InputError, "loss_log=a.jpg: is the name of a picture"):
            LossLog("a.jpg")


if __name__ == "__main__":
    absltest.main()
