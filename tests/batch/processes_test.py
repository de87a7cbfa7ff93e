import multiprocessing

import pytest
from absl.testing import absltest
from testing.pictures import PAINTING, PHOTOGRAPH, Deadly, cut, errands

from nst_tf import InputError, Settings
from nst_tf.batch import processes
from nst_tf.batch.requests import Errand, Order
from nst_tf.images import image_io
from nst_tf.run import memory

ORDER = Order(Settings(size=48, steps=2, precision="float32"))


class OneWorkerTest(absltest.TestCase):
    def test_paints_one_after_another(self):
        taken = []
        stream = processes.paint(
            ORDER, map(lambda each: taken.append(each) or each, errands(3)), workers=1
        )
        self.assertEqual(next(stream).number, 0)
        self.assertLen(taken, 1)
        self.assertEqual([painted.number for painted in stream], [1, 2])

    def test_mistakes_of_all_pictures_are_found_before_the_first(self):
        order = Order(Settings(style_layers="nothing"))
        with self.assertRaisesRegex(InputError, "style_layers=nothing"):
            next(processes.paint(order, errands(1), workers=1))

    @pytest.mark.slow
    def test_memory_does_not_grow_over_200_pictures(self):
        style = ("style", image_io.encode(cut(PAINTING, 96, 96)))
        contents = [image_io.encode(cut(PHOTOGRAPH, 100 + number, 160)) for number in range(20)]
        wanted = (Errand(number, ("", contents[number % 20]), style) for number in range(200))
        used = []
        for painted in processes.paint(Order(Settings(size=0), "fast"), wanted, workers=1):
            self.assertIsNone(painted.error)
            used.append(memory.used_and_free()[0] / 2**20)
        # The first 40 bring what is kept of each size. A float picture each would be 30 MiB.
        self.assertLess(max(used[40:]) - used[40], 15)


@pytest.mark.slow
class WorkersTest(absltest.TestCase):
    def test_the_deadly_one_fails_and_no_other(self):
        wanted = list(errands(5))
        wanted[1] = wanted[1]._replace(content=("deadly", Deadly()))
        found = {each.number: each for each in processes.paint(ORDER, wanted, workers=2)}
        self.assertEqual(sorted(found), list(range(5)))
        for number, painted in found.items():
            if number == 1:
                self.assertIn("its worker died", painted.error)
                self.assertIsNone(painted.data)
            else:
                self.assertIsNone(painted.error)
                self.assertEqual(image_io.read("painted", painted.data).rgb.shape[1], 48)
        self.assertEmpty(multiprocessing.active_children())

    def test_killed_workers_have_their_pictures_painted_by_others(self):
        stream = processes.paint(ORDER, errands(6), workers=2)
        found = [next(stream).number]
        multiprocessing.active_children()[0].kill()
        found += [painted.number for painted in stream if painted.error is None]
        self.assertEqual(sorted(found), list(range(6)))

    def test_leaving_ends_the_workers(self):
        stream = processes.paint(ORDER, errands(6), workers=2)
        next(stream)
        children = multiprocessing.active_children()
        self.assertNotEmpty(children)
        stream.close()
        self.assertEmpty([child for child in children if child.is_alive()])

    def test_mistakes_of_all_pictures_are_found_before_the_first(self):
        order = Order(Settings(style_layers="nothing"))
        with self.assertRaisesRegex(InputError, "style_layers=nothing"):
            next(processes.paint(order, errands(1), workers=2))
        self.assertEmpty(multiprocessing.active_children())


if __name__ == "__main__":
    absltest.main()
