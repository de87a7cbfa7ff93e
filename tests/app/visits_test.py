import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized
from testing.page import StubRun, painted
from testing.pictures import PHOTOGRAPH

from nst_tf import InputError, Settings, atomic_files
from nst_tf.app import keeping, visits
from nst_tf.app.job import Job
from nst_tf.app.order import Order
from nst_tf.app.painted import PaintRequest, SavedState
from nst_tf.app.visits import Visits
from nst_tf.images.image_io import Picture


def order(height=6, width=8):
    photograph = Picture(np.zeros([height, width, 3], np.float32), None, 8)
    request = PaintRequest(photograph=photograph, styles=(), settings=Settings())
    return Order(request, "a_b", ("knobs",))


class VisitsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.visits = Visits(self.folder)
        self.visit = self.visits.of("one")

    def keep(self, **size):
        given, folder = order(**size), self.visit.new_folder()
        state = folder / "state"
        state.write_bytes(b"state")
        saved = SavedState(state, {}, given.request.settings, (3,), False, False)
        picture = replace(painted(given.request), saved=saved)
        return keeping.keep(self.visit, picture, given, folder)

    def sent(self, visit, name="photo.jpg"):
        """A file as a browser has sent it."""
        path = self.folder / "digest" / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(PHOTOGRAPH, path)
        visit.originals[str(path)] = path
        return path

    def test_a_session_has_one_visit_whose_folder_it_does_not_name(self):
        self.assertIs(self.visits.of("one"), self.visit)
        other = self.visits.of("../../etc")
        self.assertIsNot(other, self.visit)
        self.assertEqual(other.folder.parent, self.folder)

    def test_the_end_of_a_visit_takes_all_its_files(self):
        entry = self.keep()
        self.assertTrue(entry.file.is_file())
        sent = self.sent(self.visit)
        self.visits.close("one")
        self.assertEqual([*self.folder.iterdir()], [])
        self.assertFalse(sent.exists())
        self.visits.close("one")  # once more
        with self.assertRaisesRegex(InputError, "has ended"):
            self.visit.new_folder()

    def test_what_two_have_sent_stays_for_the_other(self):
        other = self.visits.of("two")
        sent = self.sent(self.visit)
        self.sent(other)
        self.visits.close("one")
        self.assertTrue(sent.exists())
        self.visits.close("two")
        self.assertEqual([*self.folder.iterdir()], [])

    def test_files_elsewhere_stay(self):
        self.visit.originals["shown"] = PHOTOGRAPH
        self.visits.close("one")
        self.assertTrue(PHOTOGRAPH.exists())

    def test_the_end_of_a_visit_stops_its_run(self):
        run = StubRun(order().request)
        self.visit.job = Job(lambda path: run, order(), self.visit.new_folder())
        self.visit.job.start()
        self.visits.close("one")
        self.assertTrue(run.is_stopped)
        self.assertIsNone(self.visit.job)  # which holds pictures

    def test_the_end_of_a_visit_whose_run_ends_meanwhile(self):
        class EndsAtOnce(Job):
            def stop(stopped):
                super().stop()
                self.visit.job = None  # as `follow` does, from another thread

        self.visit.job = EndsAtOnce(lambda path: self.fail(), order(), self.visit.new_folder())
        self.sent(self.visit)
        self.visits.close("one")
        self.assertEqual([*self.folder.iterdir()], [])

    def test_old_pictures_go(self):
        entries = [self.keep() for _ in range(visits._MAX_PICTURES + 2)]
        self.assertEqual(self.visit.pictures, entries[2:])
        self.assertEqual([each.file.exists() for each in entries[:3]], [False, False, True])
        self.assertEqual(entries[-1].caption, f"{len(entries)} · 8 px")

    def test_states_of_the_last_pictures_stay(self):
        entries = [self.keep() for _ in range(visits._MAX_STATES + 1)]
        states = [each.painted.saved.path.exists() for each in entries]
        self.assertEqual(states, [False] + [True] * visits._MAX_STATES)

    def test_large_pictures_go_sooner_but_the_last_stays(self):
        with absltest.mock.patch.object(visits, "_MAX_BYTES", 2 * 5 * 10 * 3 * 4):
            entries = [self.keep(height=5, width=10) for _ in range(3)]
            self.assertEqual(self.visit.pictures, entries[1:])
            entry = self.keep(height=11, width=10)
            self.assertEqual(self.visit.pictures, [entry])
            self.assertIsNone(self.visit.before)

    def test_a_picture_that_comes_after_the_end_leaves_nothing(self):
        given, folder = order(), self.visit.new_folder()
        self.visits.close("one")
        with self.assertRaisesRegex(InputError, "has ended"):
            keeping.keep(self.visit, painted(given.request), given, folder)
        self.assertEqual([*self.folder.iterdir()], [])
        self.assertEqual(self.visit.pictures, [])

    def test_on_a_full_disk_the_state_gives_way_to_the_picture(self):
        given, folder = order(), self.visit.new_folder()
        state = folder / "state"
        state.write_bytes(b"state")
        saved = SavedState(state, {}, given.request.settings, (3,), False, False)
        replacing = atomic_files.replace

        def full(path, data, **options):
            if state.exists():
                raise InputError("No space left on device")
            replacing(path, data, **options)

        with absltest.mock.patch.object(atomic_files, "replace", full):
            picture = replace(painted(given.request), saved=saved)
            entry = keeping.keep(self.visit, picture, given, folder)
        self.assertTrue(entry.file.is_file())

    def test_a_visit_that_has_ended_is_known(self):
        self.visits.close("one")
        self.assertIs(self.visits.of("one"), self.visit)
        self.assertTrue(self.visit.is_closed)
        self.assertIs(self.visits.of(None), self.visits.of(None))

    def test_choices(self):
        first, second = self.keep(), self.keep()
        self.assertEqual((self.visit.chosen, self.visit.before), (second, first))
        self.visit.choose(0)
        self.visit.choose(0)
        self.assertEqual((self.visit.chosen, self.visit.before), (first, second))
        for index in (-1, 2):
            with self.assertRaisesRegex(InputError, "is not there"):
                self.visit.choose(index)

    def test_pictures_are_read_once_and_named_without_their_folder(self):
        path = self.sent(self.visit)
        found = self.visit.read(path, 64)
        self.assertIs(self.visit.read(path, 64), found)
        path.write_text("none")
        with self.assertRaisesRegex(InputError, r"^photo\.jpg: "):
            self.visit.read(path, 32)
        path.unlink()
        with self.assertRaisesRegex(InputError, r"^photo\.jpg: is gone"):
            self.visit.read(path, 32)


class JobTest(absltest.TestCase):
    def test_stopped_before_it_begins(self):
        job = Job(lambda path: self.fail(), order(), Path("folder"))
        job.stop()
        with self.assertRaisesRegex(InputError, "stopped before"):
            job.start()
        job.join()

    def test_stopped_while_it_begins(self):
        run = StubRun(order().request)

        def begin(path):
            self.assertEqual(path.parent, Path("folder"))
            job.stop()
            return run

        job = Job(begin, order(), Path("folder"))
        self.assertIs(job.start(), run)
        self.assertTrue(run.is_stopped)


if __name__ == "__main__":
    absltest.main()
