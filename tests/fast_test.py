import contextlib
import http.server
import io
import os
import socket
import tarfile
import threading
import time
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, PHOTOGRAPH, cut

from nst_tf import InputError, fast
from nst_tf.networks import hub, weights

_MODEL = weights.path("arbitrary_stylization")


def archive(top=""):
    """The bundled model as a .tar.gz."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        tar.add(_MODEL, arcname=top or ".")
    return file.getvalue()


@contextlib.contextmanager
def server(answer):
    """An HTTP server on 127.0.0.1 that answers every request so; yields address and requests."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            answer(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/model/1", asked
        finally:
            listening.shutdown()


def send(data, missing=0):
    """An answer that promises all of the data and leaves out its end."""

    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[: len(data) - missing])

    return answer


class OfficialModule(tf.Module):
    """As the official module: sizes rounded up to a multiple of 4, no codes, equal batches."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])] * 2)
    def __call__(self, content, style):
        tf.debugging.assert_equal(tf.shape(content)[0], tf.shape(style)[0])
        tf.debugging.assert_equal(tf.reduce_min(tf.shape(style)[1:3]), 256)
        color = tf.reduce_mean(style, [1, 2], keepdims=True)
        size = tf.shape(content)[1:3]
        padding = [[0, 0], [0, -size[0] % 4], [0, -size[1] % 4], [0, 0]]
        return [tf.pad(0.5 * (content + color), padding)]


class PainterTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.painter = fast.load("bundled")
        cls.style = cut(PAINTING, 300, 340)[np.newaxis]
        cls.other = cut(PHOTOGRAPH, 256, 256)[np.newaxis]
        cls.plain = fast.Painter(OfficialModule(), "plain")

    @parameterized.product(
        size=[(32, 32), (33, 47), (64, 37), (130, 201)], model=["painter", "plain"]
    )
    def test_what_comes_out_has_the_size_of_the_content(self, size, model):
        content = cut(PHOTOGRAPH, *size)[np.newaxis]
        painted = getattr(self, model)(content, self.style)
        self.assertEqual((painted.shape, painted.dtype), (content.shape, tf.float32))
        self.assertBetween(np.min(painted), 0, 1)
        self.assertBetween(np.max(painted), 0, 1)
        self.assertGreater(np.abs(painted - content).mean(), 0.01)

    def test_equals_the_model_itself(self):
        content = cut(PHOTOGRAPH, 61, 90)[np.newaxis]
        expected = tf.saved_model.load(str(_MODEL))(content, self.style)[0]
        self.assertAllClose(self.painter(content, self.style), expected, atol=1e-5)

    @parameterized.product(model=["painter", "plain"], batches=[(2, 2), (3, 1), (1, 2)])
    def test_a_batch_paints_what_single_pictures_paint(self, model, batches):
        painter = getattr(self, model)
        contents = np.stack([cut(PHOTOGRAPH, 41, 50)[:, ::-1] ** (i + 1) for i in range(3)])
        styles = np.stack([self.style[0], self.style[0, ::-1] ** 2])
        contents, styles = contents[: batches[0]], styles[: batches[1]]
        painted = painter(contents, styles)
        self.assertLen(painted, max(batches))
        for index, picture in enumerate(painted):
            content = contents[index % len(contents)][np.newaxis]
            style = styles[index % len(styles)][np.newaxis]
            self.assertAllClose(picture, painter(content, style)[0], atol=1e-4)

    @parameterized.parameters(
        (np.zeros([2, 40, 40, 3]), np.zeros([3, 40, 40, 3]), "batches of 2 and 3"),
        (np.zeros([40, 40, 3]), np.zeros([1, 40, 40, 3]), r"content: expected .* \[40, 40, 3\]"),
        (np.zeros([1, 40, 40, 3]), np.zeros([1, 40, 40, 4]), "style: expected floats"),
        (np.zeros([1, 40, 40, 3], np.uint8), np.zeros([1, 40, 40, 3]), "content: .* got uint8"),
        (np.zeros([1, 31, 40, 3]), np.zeros([1, 40, 40, 3]), "40 x 31 px; expected sides of 32"),
    )
    def test_other_shapes_are_refused(self, content, style, message):
        with self.assertRaisesRegex(InputError, message):
            self.painter(content, style)

    def test_a_picture_too_large_for_the_memory_is_refused(self):
        content = cut(PHOTOGRAPH, 64, 64)[np.newaxis]
        with mock.patch.object(fast.memory, "used_and_free", return_value=(0, 1e6)):
            with self.assertRaisesRegex(InputError, "1 of 64 x 64 px take .* smaller --size"):
                self.painter(content, self.style)

    def test_full_strength_is_the_painting_and_less_is_nearer_the_photograph(self):
        content = cut(PHOTOGRAPH, 60, 80)[np.newaxis]
        for painter in (self.painter, self.plain):
            paint = painter.blend([self.style], [2.0])
            full = painter(content, self.style)
            self.assertAllClose(paint(content, 1.0), full, atol=1e-5)
            own = paint(content, 0.0)
            halfway = paint(content, 0.5)
            self.assertLess(tf.norm(halfway - own), tf.norm(full - own))
            self.assertLess(tf.norm(halfway - full), tf.norm(own - full))

    def test_strength_0_is_the_photograph_in_its_own_style(self):
        content = cut(PHOTOGRAPH, 60, 80)[np.newaxis]
        own = self.painter.blend([self.style], [1.0])(content, 0.0)
        self.assertAllClose(own, self.painter(content, content), atol=1e-5)
        self.assertAllClose(self.plain.blend([self.style], [1.0])(content, 0.0), content)

    def test_codes_are_blended_where_there_are_some_and_pixels_elsewhere(self):
        content = cut(PHOTOGRAPH, 60, 80)[np.newaxis]
        paintings = [self.style, self.other]
        self.assertTrue(self.painter.has_codes)
        self.assertFalse(self.plain.has_codes)
        for painter in (self.painter, self.plain):
            first, second = (painter(content, painting) for painting in paintings)
            self.assertAllClose(painter.blend(paintings, [1, 0])(content), first, atol=1e-5)
            pixels = 0.25 * first + 0.75 * second
            mixed = painter.blend(paintings, [1, 3])(content)
            if painter.has_codes:
                self.assertGreater(np.abs(mixed - pixels).max(), 0.01)
            else:
                self.assertAllClose(mixed, pixels, atol=1e-5)

    @parameterized.parameters(([1.0],), ([1.0, -1.0],), ([0.0, 0.0],), ([1.0, float("inf")],))
    def test_shares_that_do_not_fit_are_refused(self, shares):
        with self.assertRaisesRegex(InputError, "shares: expected 2 numbers from 0"):
            self.painter.blend([self.style, self.style], shares)


class LoadTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        cache = str(self.folder / "cache")
        self.enter_context(mock.patch.dict(os.environ, TFHUB_CACHE_DIR=cache))
        self.content = cut(PHOTOGRAPH, 40, 50)[np.newaxis]

    def refused(self, handle, *words):
        start = time.monotonic()
        with self.assertRaises(InputError) as caught:
            fast.load(str(handle))
        self.assertLess(time.monotonic() - start, 10)
        message = str(caught.exception)
        self.assertLen(message.splitlines(), 1)
        for word in (
            f"handle={handle}: ",
            "give bundled, magenta, or a folder",
            "TFHUB_CACHE_DIR",
            *words,
        ):
            self.assertIn(word, message)

    def paints(self, painter):
        expected = fast.load("bundled")(self.content, self.content)
        self.assertAllClose(painter(self.content, self.content), expected, atol=1e-5)

    def test_folders_need_no_tensorflow_hub(self):
        with mock.patch.dict("sys.modules", tensorflow_hub=None):
            self.paints(fast.load(str(_MODEL)))

    @parameterized.parameters("", "model")
    def test_archives(self, top):
        path = self.folder / "model.tar.gz"
        path.write_bytes(archive(top))
        self.paints(fast.load(str(path)))
        path.write_bytes(archive(top)[:50_000])
        self.refused(path, "no whole .tar.gz")

    def test_a_download_is_fetched_once(self):
        with server(send(archive())) as (address, asked):
            self.paints(fast.load(address))
            self.assertEqual(asked, ["/model/1?tf-hub-format=compressed"])
            self.paints(fast.load(address))
            self.assertLen(asked, 1)
        # From the cache, with the server gone.
        self.paints(fast.load(address))

    def test_the_official_module_is_a_handle(self):
        with mock.patch("tensorflow_hub.resolve", return_value=str(_MODEL)) as resolve:
            self.paints(fast.load("magenta"))
        resolve.assert_called_once_with(hub.MAGENTA)

    def test_an_address_that_is_not_there(self):
        with server(lambda request: request.send_error(404)) as (address, _):
            self.refused(address, "cannot be fetched", "404")

    def test_a_truncated_download_leaves_nothing_in_the_cache(self):
        data = archive()
        with server(send(data, missing=len(data) // 2)) as (address, _):
            self.refused(address, "cannot be fetched")
        with server(send(data)) as (address, _):
            self.paints(fast.load(address))

    def test_a_dead_port(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        self.refused(f"http://127.0.0.1:{port}/model/1", "cannot be fetched", "refused")

    def test_a_silent_server(self):
        with (
            mock.patch.object(hub, "TIMEOUT", 0.5),
            server(lambda request: time.sleep(5)) as (address, _),
        ):
            self.refused(address, "cannot be fetched", "timed out")
        self.assertIsNone(socket.getdefaulttimeout())

    def test_what_is_no_model(self):
        self.refused("no/such/folder", "there is no such folder or .tar.gz")
        self.refused(self.folder, "saved_model.pb is missing")
        (self.folder / "saved_model.pb").write_bytes(b"not a model")
        self.refused(self.folder, "does not load")

    @parameterized.parameters(
        (lambda content: [content], 1),
        (lambda content, style: [], 2),
        (lambda content, style: [content[:, 1:]], 2),
        (None, 0),
    )
    def test_another_interface(self, function, inputs):
        module = tf.Module()
        if function:
            picture = tf.TensorSpec([None, None, None, 3])
            module.__call__ = tf.function(function, input_signature=[picture] * inputs)
        tf.saved_model.save(module, str(self.folder / "other"))
        self.refused(self.folder / "other", "expected model(content_image, style_image)")

    def test_functions_that_are_no_codes_are_not_used(self):
        module = OfficialModule()
        module.bottleneck = module.transform = lambda *_: tf.zeros([3])
        self.assertFalse(fast.Painter(module, "foreign").has_codes)

    def test_a_damaged_download_says_where_it_lies(self):
        data = archive()
        with server(send(data)) as (address, _):
            fast.load(address)
            (kept,) = (self.folder / "cache").glob("*/variables/variables.index")
            kept.unlink()
            self.refused(address, "does not load", "remove", str(kept.parent.parent))


if __name__ == "__main__":
    tf.test.main()
