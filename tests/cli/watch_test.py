"""What can be watched of a run: snapshots, films, TensorBoard."""

import io
import itertools
import math
import os
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, Settings, Style, files, optimize
from nst_tf.callbacks import animation, snapshots, tensorboard
from nst_tf.callbacks.animation import Frame
from nst_tf.images import image_io

KNOBS = Settings(size=96, scales=2, steps=12, tv_weight=0.1)


def run():
    return optimize(cut(PHOTOGRAPH, 96, 96), [Style(cut(PAINTING, 96, 96))], KNOBS)


class SnapshotsTest(tf.test.TestCase):
    def test_every_so_many_steps_and_the_last_of_each_scale(self):
        folder = Path(self.create_tempdir().full_path) / "new"
        passed = list(snapshots.write(run(), folder, every=5))
        expected = {"scale1_step00005": 4, "scale1_step00010": 9, "scale1_step00012": 11}
        expected |= {"scale2_step00005": 16, "scale2_step00007": 18}
        self.assertEqual({path.stem for path in folder.iterdir()}, {*expected})
        for name, index in expected.items():
            found = image_io.read(folder / f"{name}.png").rgb
            self.assertAllClose(found, passed[index].image(), atol=0.003)

    def test_a_full_disk_does_not_stop_the_run(self):
        folder = self.create_tempdir().full_path
        full = mock.patch.object(
            files.os, "fdopen", lambda descriptor, mode: open("/dev/full", mode)
        )
        with full, self.assertLogs("nst_tf", "WARNING") as logs:
            self.assertLen(list(snapshots.write(run(), folder, every=6)), 19)
        self.assertLen(logs.output, 4)
        self.assertIn("No space left on device); choose a folder", logs.output[0])
        self.assertEmpty(os.listdir(folder))


def frames(totals):
    """Frames of a run with these losses, each a picture of its own number."""
    fallen = [math.log(totals[0] / total) for total in totals]
    return [Frame(f, np.full((2, 2, 3), i, np.uint8)) for i, f in enumerate(fallen)]


class AnimationTest(parameterized.TestCase, tf.test.TestCase):
    def test_frames_are_even_in_the_fall_of_the_loss(self):
        totals = [1.0, 0.5, 0.25, 0.125, *np.linspace(0.124, 0.0625, 60)]
        taken = [picture[0, 0, 0] for picture in animation.choose(frames(totals), 9)]
        self.assertEqual((taken[0], taken[-1]), (0, 63))
        # Half the fall takes the first three steps, so they are all there.
        self.assertEqual(taken[1:4], [1, 2, 3])
        self.assertEqual(taken, sorted({*taken}))

    def test_no_frame_twice_even_where_the_loss_stands_still(self):
        taken = [p[0, 0, 0] for p in animation.choose(frames([1.0] * 20 + [0.5]), 10)]
        self.assertLen({*taken}, 10)
        self.assertEqual((taken[0], taken[-1]), (0, 20))
        self.assertLen(animation.choose(frames([1.0, 0.5]), 10), 2)

    def test_few_are_held_and_the_first_and_last_stay(self):
        seen = []
        with mock.patch.object(
            animation, "choose", lambda held, count: seen.append(held) or [held[0].picture]
        ):
            path = Path(self.create_tempdir().full_path) / "film.gif"
            list(animation.film(run(), path, frames=4))
        self.assertLen(seen[0], 12)
        whole = [0.0]
        kept = {}
        for p in run():
            total = float(p.losses.total)
            least = kept.get(p.scale, total)
            whole.append(whole[-1] + max(0.0, math.log(least / total)))
            kept[p.scale] = min(least, total)
        self.assertAllClose((seen[0][0].fallen, seen[0][-1].fallen), (0, whole[-1]), atol=1e-5)

    @parameterized.parameters(".gif", ".webp")
    def test_has_the_frames_asked_for_and_loops(self, kind):
        path = Path(self.create_tempdir().full_path) / f"film{kind}"
        passed = list(animation.film(run(), path, frames=7))
        with Image.open(path) as film:
            self.assertEqual(film.n_frames, 7)
            self.assertEqual(film.info["loop"], 0)
            self.assertEqual(film.size, (96, 96))
            film.seek(6)
            last = np.asarray(film.convert("RGB")) / 255
            self.assertGreater(film.info["duration"], 1000)
        self.assertLess(np.abs(last - passed[-1].image()).mean(), 0.03)

    def test_mp4(self):
        import av

        path = Path(self.create_tempdir().full_path) / "film.mp4"
        passed = list(animation.film(run(), path, frames=7))
        with av.open(str(path)) as film:
            decoded = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        self.assertLen(decoded, 7 + 24)
        self.assertLess(np.abs(decoded[-1] / 255 - passed[-1].image()).mean(), 0.03)

    def test_a_run_that_is_left_has_its_film(self):
        path = Path(self.create_tempdir().full_path) / "film.gif"
        stream = animation.film(run(), path, frames=60)
        changed = sum(bool(next(stream).accepted) for _ in range(5))
        stream.close()
        with Image.open(path) as film:
            self.assertEqual(film.n_frames, changed)

    def test_a_run_that_had_ended_keeps_the_film_it_has(self):
        path = Path(self.create_tempdir().full_path) / "film.gif"
        path.write_bytes(b"a film")
        *_, last = run()
        list(animation.film([last], path, frames=60))
        self.assertEqual(path.read_bytes(), b"a film")

    def test_large_pictures_make_a_small_film_of_even_sides(self):
        picture = np.random.default_rng(0).random((301, 1000, 3), np.float32)
        progress = mock.Mock(scales=[(301, 1000)], image=lambda: picture)
        self.assertEqual(animation._small(progress).shape, (154, 512, 3))

    def test_refusals(self):
        with self.assertRaisesRegex(InputError, "unknown ending '.avi'; expected one of .gif, "):
            animation.check("film.avi")
        with (
            mock.patch.dict("sys.modules", av=None),
            self.assertRaisesRegex(InputError, ".mp4 needs the package av; pip install av, or"),
        ):
            animation.check("film.mp4")


class TensorboardTest(tf.test.TestCase):
    def test_the_events_hold_the_numbers_of_the_run(self):
        folder = self.create_tempdir().full_path
        passed = list(tensorboard.write(run(), folder, every=6))
        (name,) = os.listdir(folder)
        found: dict = {}
        for record in tf.data.TFRecordDataset(os.path.join(folder, name)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                array = tf.make_ndarray(value.tensor)
                found.setdefault((value.tag, plugin), {})[event.step] = array
        for index, progress in enumerate(passed):
            for term, loss in progress.losses._asdict().items():
                told = found[f"loss/{term}", "scalars"]
                self.assertEqual(told.get(index), float(loss) if progress.accepted else None)
        self.assertEqual([*found["seconds", "scalars"]], [*range(len(passed))])
        pictures = found["picture", "images"]
        self.assertEqual([*pictures], [5, 11, 17, 18])
        width, height, png = pictures[18]
        self.assertEqual((width, height), (b"96", b"96"))
        with Image.open(io.BytesIO(png)) as opened:
            self.assertAllClose(np.asarray(opened) / 255, passed[-1].image(), atol=0.003)

    def test_a_place_that_cannot_be_written(self):
        file = self.create_tempfile().full_path
        with self.assertRaisesRegex(InputError, "tensorboard_dir=.*: cannot be written"):
            tensorboard.write(itertools.repeat(None), f"{file}/below", every=1)


if __name__ == "__main__":
    tf.test.main()
