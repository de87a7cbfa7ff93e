import io
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut

from nst_tf import InputError, Settings, Style, fast, stylize
from nst_tf.batch.requests import Errand, Order
from nst_tf.batch.worker import Worker
from nst_tf.images import image_io, png_text
from nst_tf.losses import style_targets
from nst_tf.networks import vgg

OTHER_PAINTING = SAMPLES / "style" / "kandinsky_composition_viii.jpg"
SETTINGS = Settings(size=64, steps=2, precision="float32")


def picture(path, height, width):
    """The bytes of a part of a picture, and its name."""
    return str(path), image_io.encode(cut(path, height, width))


class WorkerTest(tf.test.TestCase, parameterized.TestCase):
    contents = [picture(PHOTOGRAPH, 60, 80), picture(PHOTOGRAPH, 90, 60)]
    styles = [picture(PAINTING, 70, 70), picture(OTHER_PAINTING, 60, 100)]

    def errands(self):
        pairs = [(content, style) for style in self.styles for content in self.contents]
        return [Errand(number, *pair) for number, pair in enumerate(pairs)]

    def test_each_picture_is_what_it_is_by_itself(self):
        worker = Worker()
        order = worker.settle(Order(SETTINGS))
        for errand in self.errands():
            found = worker.paint(order, errand)
            self.assertIsNone(found.error)
            styles = [Style(image_io.read(*errand.style).rgb)]
            expected = stylize(image_io.read(*errand.content).rgb, styles, SETTINGS)
            self.assertIsNotNone(png_text.find(found.data))
            with Image.open(io.BytesIO(found.data)) as painted:
                self.assertAllEqual(
                    np.asarray(painted),
                    np.asarray(Image.open(io.BytesIO(image_io.encode(expected)))),
                )

    def test_what_jobs_have_in_common_is_done_once(self):
        worker = Worker()
        with (
            mock.patch.object(vgg, "of", wraps=vgg.of) as built,
            mock.patch.object(
                style_targets, "_statistics", wraps=style_targets._statistics
            ) as learnt,
            mock.patch.object(tf, "function", wraps=tf.function) as traced,
        ):
            order = worker.settle(Order(SETTINGS))
            counts = []
            for errand in self.errands():
                self.assertIsNone(worker.paint(order, errand).error)
                graphs = worker._way._shared.graphs.values()
                traces = sum(graph.experimental_get_tracing_count() for graph in graphs)
                counts.append((built.call_count, learnt.call_count, traced.call_count, traces))
        first = counts[0]
        # One scale: once for each painting, and nothing anew for another photograph.
        self.assertEqual([count[0] for count in counts], [1, 1, 1, 1])
        self.assertEqual([count[1] for count in counts], [1, 1, 2, 2])
        self.assertEqual([count[2] for count in counts], [first[2]] * 4)
        # Two photographs of two shapes; the other painting's find their graphs.
        self.assertEqual([count[3] for count in counts], [first[3], *[counts[1][3]] * 3])
        self.assertGreater(first[3], 0)

    def test_fast_pictures_are_what_they_are_by_themselves(self):
        worker, painter = Worker(), fast.load("bundled")
        order = worker.settle(Order(Settings(size=48), "fast"))
        for errand in self.errands():
            found = worker.paint(order, errand)
            self.assertIsNone(found.error)
            content = image_io.read(*errand.content).rgb
            small = image_io.resize(content, *((36, 48) if len(content) == 60 else (48, 32)))
            expected = painter(small[tf.newaxis], image_io.read(*errand.style).rgb[None])[0]
            self.assertEqual(found.data, image_io.encode(expected.numpy()))
            self.assertEqual(found.losses, {})

    def test_mistakes_of_one_picture_are_told_and_the_next_is_painted(self):
        worker = Worker()
        order = worker.settle(Order(Settings(size=48), "fast"))
        good = self.errands()[0]
        for errand, words in (
            (good._replace(content=("bad.jpg", b"bad")), "bad.jpg: is not a picture"),
            (good._replace(content=("none.jpg", b"")), "none.jpg: is empty"),
            (good._replace(style=("bad.jpg", b"bad")), "bad.jpg: is not a picture"),
            (good._replace(content=picture(PHOTOGRAPH, 20, 300)), "size=48: the short side"),
        ):
            found = worker.paint(order, errand)
            self.assertIsNone(found.data)
            self.assertIsNone(found.trace)
            self.assertIn(words, found.error)
            self.assertIsNone(worker.paint(order, good).error)

    def test_errors_of_ours_keep_their_trace(self):
        worker = Worker()
        order = worker.settle(Order(Settings(size=48), "fast"))
        with mock.patch.object(image_io, "encode", side_effect=ZeroDivisionError("by\nnothing")):
            found = worker.paint(order, self.errands()[0])
        self.assertEqual(found.error, "ZeroDivisionError: by nothing")
        self.assertIn("Traceback", found.trace)

    def test_transparency_and_depth_come_back(self):
        photograph = cut(PHOTOGRAPH, 48, 48)
        file = self.create_tempfile("deep.png").full_path
        image_io.write(file, photograph, alpha=photograph[..., 0], bits=16)
        worker = Worker()
        order = worker.settle(Order(Settings(size=48), "fast"))
        errand = Errand(0, (file, Path(file).read_bytes()), self.styles[0])
        found = image_io.read("found.png", worker.paint(order, errand).data)
        self.assertEqual(found.bits, 16)
        self.assertAllClose(found.alpha, photograph[..., 0], atol=1e-4)

    def test_the_same_precision_for_all(self):
        worker = Worker()
        order = Order(Settings(size=64, steps=1))
        with mock.patch("nst_tf.networks.precision.fastest", side_effect=["bfloat16", "float32"]):
            settled = worker.settle(order)
            self.assertEqual(settled.precision, "bfloat16")
            self.assertEqual(worker.settle(settled), settled)

    @parameterized.parameters(
        (Order(Settings(style_layers="nothing")), "style_layers=nothing: vgg19 has no such"),
        (Order(Settings(network="vgg16")), "network=vgg16: its weights are not bundled"),
        (Order(Settings(), "fast", "nowhere"), "handle=nowhere: there is no such"),
    )
    def test_mistakes_of_all_pictures_are_found_before_the_first(self, order, words):
        with self.assertRaisesRegex(InputError, words):
            Worker().settle(order)

    def test_its_part_of_the_memory_is_its_part_of_the_cores(self):
        with (
            mock.patch("os.cpu_count", return_value=8),
            mock.patch("nst_tf.run.memory.used_and_free", return_value=(0, 100 * 2**30)),
            mock.patch.object(tf.config.threading, "set_intra_op_parallelism_threads") as threads,
            mock.patch.object(tf.config.threading, "set_inter_op_parallelism_threads"),
        ):
            self.assertEqual(Worker(2)._most, 15)
            threads.assert_called_once_with(2)
            threads.reset_mock()
            self.assertEqual(Worker(8)._most, 0)
            threads.assert_not_called()


if __name__ == "__main__":
    tf.test.main()
