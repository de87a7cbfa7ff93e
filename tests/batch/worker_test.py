import io
import json
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, SAMPLES, cut

from nst_tf import InputError, Settings, Style, feed_forward, limits, stylize
from nst_tf.batch.requests import RenderConfig, RenderRequest
from nst_tf.batch.worker import Worker
from nst_tf.images import image_io, png_text
from nst_tf.images.pixels import resize
from nst_tf.losses import style_targets
from nst_tf.networks import precision, vgg
from nst_tf.run import memory_plan

OTHER_PAINTING = SAMPLES / "style" / "kandinsky_composition_viii.jpg"
OPTIMIZE = RenderConfig(Settings(size=64, steps=2))
FAST = RenderConfig(Settings(size=48), "fast")


def picture(path, height, width):
    """The name of a file, and the bytes of a part of its picture."""
    return str(path), image_io.encode(cut(path, height, width))


CONTENTS = [picture(PHOTOGRAPH, 60, 80), picture(PHOTOGRAPH, 90, 60)]
STYLES = [picture(PAINTING, 70, 70), picture(OTHER_PAINTING, 60, 100)]
# Of every content image and every style image, style by style.
REQUESTS = [RenderRequest(number, CONTENTS[number % 2], STYLES[number // 2]) for number in range(4)]


def decoded(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


class WorkerTest(tf.test.TestCase, parameterized.TestCase):
    def test_each_image_is_that_of_a_run_by_itself_though_work_is_shared(self):
        worker = Worker(memory_fraction=0.5)
        results, counts = [], []
        with (
            mock.patch.object(
                vgg, "extractor_from_settings", wraps=vgg.extractor_from_settings
            ) as networks,
            mock.patch.object(
                style_targets, "_statistics", wraps=style_targets._statistics
            ) as targets,
            mock.patch.object(tf, "function", wraps=tf.function) as functions,
        ):
            worker.prepare(OPTIMIZE)
            for request in REQUESTS:
                results.append(worker.render(OPTIMIZE, request))
                traces = len(worker._method._session.graphs)  # each is traced once
                counts.append(
                    (networks.call_count, targets.call_count, functions.call_count, traces)
                )
        num_networks, num_targets, num_functions, num_traces = map(list, zip(*counts, strict=True))
        self.assertEqual(num_networks, [1] * 4)
        self.assertEqual(num_targets, [1, 1, 2, 2])
        self.assertEqual(num_functions, num_functions[:1] * 4)
        # Two content images of two shapes; for the other style image their graphs are there.
        self.assertEqual(num_traces, [num_traces[0], *num_traces[1:2] * 3])
        self.assertGreater(num_traces[0], 0)
        for request, result in list(zip(REQUESTS, results, strict=True))[1::2]:
            self.assertIsNone(result.error)
            styles = [Style(image_io.read(*request.style).rgb)]
            alone = stylize(image_io.read(*request.content).rgb, styles, OPTIMIZE.settings)
            self.assertAllEqual(decoded(result.data), decoded(image_io.encode(alone)))
            self.assertEqual(result.precision, precision.resolve("auto"))
            self.assertGreater(result.losses["total"], 0)
            # The record has what was given, not what the worker's part of the memory is.
            record = json.loads(png_text.read(result.data))
            self.assertEqual(record["settings"]["max_memory"], 0)
            self.assertEqual(record["settings"]["precision"], "auto")

    def test_fast_images_are_those_of_the_model_by_itself(self):
        worker, model = Worker(), feed_forward.load("bundled")
        for request, size in ((REQUESTS[0], (36, 48)), (REQUESTS[3], (48, 32))):
            result = worker.render(FAST, request)
            content = resize(image_io.read(*request.content).rgb, *size)
            expected = model(content[tf.newaxis], image_io.read(*request.style).rgb[None])[0]
            self.assertEqual(result.data, image_io.encode(expected.numpy()))
            self.assertEqual((result.losses, result.precision), ({}, ""))

    def test_fast_images_have_the_style_that_a_cut_out_shows(self):
        painting = Image.open(PAINTING).convert("RGBA").crop((0, 0, 90, 80))
        hidden = Image.new("RGBA", (200, 150), (0, 255, 0, 0))
        hidden.paste(painting, (60, 30))
        found = []
        for style in (painting, hidden):
            file = io.BytesIO()
            style.save(file, "PNG")
            request = REQUESTS[0]._replace(style=("a.png", file.getvalue()))
            found.append(Worker().render(FAST, request).data)
        self.assertIsNotNone(found[0])
        self.assertEqual(*found)

    def test_errors_of_a_request_are_its_result_and_the_next_is_rendered(self):
        worker, good = Worker(), REQUESTS[0]
        expected = worker.render(FAST, good).data
        for request, words in (
            (good._replace(content=("bad.jpg", b"bad")), "bad.jpg: is not a picture"),
            (good._replace(content=picture(PHOTOGRAPH, 20, 300)), "size=48: the short side"),
            (good._replace(style=("none.jpg", b"")), "none.jpg: is empty"),
        ):
            result = worker.render(FAST, request)
            self.assertIn(words, result.error)
            self.assertEqual((result.data, result.trace), (None, None))
        with mock.patch.object(image_io, "encode", side_effect=ZeroDivisionError("by\nnothing")):
            result = worker.render(FAST, good)
        self.assertEqual(result.error, "ZeroDivisionError: by nothing")
        self.assertIn("Traceback", result.trace)
        self.assertEqual(worker.render(FAST, good).data, expected)

    def test_resolution_comes_back_and_large_pictures_are_reduced(self):
        file = io.BytesIO()
        Image.new("RGB", (1200, 1000), "gray").save(file, "JPEG", dpi=(300, 300))
        request = RenderRequest(0, ("a.jpg", file.getvalue()), STYLES[0])
        worker, wide = Worker(), picture(PHOTOGRAPH, 40, 150)
        with mock.patch.object(image_io, "read", wraps=image_io.read) as read:
            data = worker.render(FAST, request).data
            own_size = RenderConfig(Settings(size=0, style_scale=4.0), "fast")
            for content in (CONTENTS[0], CONTENTS[0], wide):
                worker.render(own_size, RenderRequest(1, content, STYLES[0]))
        sizes = [call.kwargs["long_side"] for call in read.mock_calls]
        # Of a content image, then of a style image, which is not read again for the same size.
        self.assertEqual(sizes, [48, 512, 0, 512, 0, 0, 600])
        self.assertAllClose(image_io.read("found.png", data).metadata.dpi, (300, 300), atol=0.02)

    def test_transparency_and_depth_come_back(self):
        photograph = cut(PHOTOGRAPH, 48, 48)
        file = self.create_tempfile("deep.png").full_path
        image_io.write(file, photograph, alpha=photograph[..., 0], bits=16)
        request = RenderRequest(0, (file, Path(file).read_bytes()), STYLES[0])
        found = image_io.read("found.png", Worker().render(FAST, request).data)
        self.assertEqual(found.bits, 16)
        self.assertAllClose(found.alpha, photograph[..., 0], atol=1e-4)

    @parameterized.parameters(
        (RenderConfig(Settings(style_layers="nothing")), "style_layers=nothing: vgg19 has no such"),
        (RenderConfig(Settings(network="vgg16")), "network=vgg16: its weights are not bundled"),
        (RenderConfig(Settings(), "fast", "nowhere"), "handle=nowhere: there is no such"),
    )
    def test_errors_of_all_requests_are_raised_when_it_prepares(self, config, words):
        with self.assertRaisesRegex(InputError, words):
            Worker().prepare(config)

    def test_its_fraction_of_the_memory_is_that_of_the_cores(self):
        with (
            mock.patch.object(limits, "num_cores", return_value=8),
            mock.patch.object(memory_plan, "used_and_free", return_value=(2**30, 100 * 2**30)),
            mock.patch.object(tf.config.threading, "set_intra_op_parallelism_threads") as threads,
            mock.patch.object(tf.config.threading, "set_inter_op_parallelism_threads"),
        ):
            self.assertEqual(Worker(2)._max_memory, 16)
            threads.assert_called_once_with(2)
            threads.reset_mock()
            self.assertEqual(Worker(8)._max_memory, 0)
            threads.assert_not_called()

    @pytest.mark.slow
    def test_memory_does_not_grow_with_the_number_of_requests(self):
        config, worker = RenderConfig(Settings(size=0), "fast"), Worker()
        contents = [picture(PHOTOGRAPH, 250 + number, 256) for number in range(5)]
        used = []
        for number in range(60):
            result = worker.render(config, RenderRequest(number, contents[number % 5], STYLES[0]))
            self.assertIsNone(result.error)
            used.append(memory_plan.used_and_free()[0] / 2**20)
        # The first 20 bring what is kept of each size. A float image each would be 30 MiB.
        self.assertLess(max(used[20:]) - used[20], 15)


if __name__ == "__main__":
    tf.test.main()
