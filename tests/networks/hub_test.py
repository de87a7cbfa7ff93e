import contextlib
import http.server
import io
import os
import socket
import tarfile
import threading
from pathlib import Path
from unittest import mock

import tensorflow as tf
from absl.testing import parameterized
from testing.pictures import PAINTING, cut

from nst_tf.errors import InputError
from nst_tf.networks import hub
from nst_tf.networks.weights import bundled_path

_MODEL = bundled_path("arbitrary_stylization")


def archive(top="."):
    """The bundled model as a .tar.gz."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        tar.add(_MODEL, arcname=top)
    return file.getvalue()


@contextlib.contextmanager
def server(answer):
    """An HTTP server on 127.0.0.1 that calls `answer(request)`; yields an address and all paths."""
    paths = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            answer(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/model/1", paths
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


class HubTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.style = cut(PAINTING, 64, 64)[None]
        cls.bundled = hub.load("bundled")
        cls.archive = archive()

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.cache = self.folder / "cache"
        self.enter_context(mock.patch.dict(os.environ, TFHUB_CACHE_DIR=str(self.cache)))

    def loads(self, handle):
        model = hub.load(str(handle))
        expected = self.bundled.bottleneck(self.style)
        self.assertAllClose(model.bottleneck(self.style), expected, atol=1e-5)

    def refused(self, handle, *words):
        with self.assertRaises(InputError) as caught:
            hub.load(str(handle))
        message = str(caught.exception)
        self.assertLen(message.splitlines(), 1)
        self.assertStartsWith(message, f"handle={handle}: ")
        for word in ("give bundled, magenta, or a folder", "TFHUB_CACHE_DIR", *words):
            self.assertIn(word, message)

    def test_folders_need_no_tensorflow_hub(self):
        with mock.patch.dict("sys.modules", tensorflow_hub=None):
            self.loads(_MODEL)

    @parameterized.parameters(".", "model")
    def test_archives(self, top):
        path = self.folder / "model.tar.gz"
        path.write_bytes(archive(top))
        self.loads(path)
        path.write_bytes(path.read_bytes()[:50_000])
        self.refused(path, "not a complete .tar.gz")

    def test_a_download_is_stored(self):
        with server(send(self.archive)) as (address, paths):
            self.loads(address)
        self.assertEqual(paths, ["/model/1?tf-hub-format=compressed"])
        # With the server gone.
        self.loads(address)

    def test_magenta_stands_for_an_address(self):
        with mock.patch("tensorflow_hub.resolve", return_value=str(_MODEL)) as resolve:
            self.loads("magenta")
        resolve.assert_called_once_with(hub.MAGENTA)

    def test_an_address_that_does_not_exist(self):
        with server(lambda request: request.send_error(404)) as (address, _):
            self.refused(address, "cannot be downloaded", "404")

    def test_a_truncated_download_is_not_stored(self):
        answers = iter([send(self.archive, missing=len(self.archive) // 2), send(self.archive)])
        with server(lambda request: next(answers)(request)) as (address, _):
            self.refused(address, "cannot be downloaded")
            self.loads(address)

    def test_a_silent_server(self):
        end = threading.Event()
        self.addCleanup(end.set)
        with (
            mock.patch.object(hub, "TIMEOUT", 0.5),
            server(lambda request: end.wait()) as (address, _),
        ):
            self.refused(address, "cannot be downloaded", "timed out")
        self.assertIsNone(socket.getdefaulttimeout())

    def test_what_is_no_model(self):
        self.refused("no/such/folder", "there is no such folder or .tar.gz")
        self.refused(self.folder, "saved_model.pb is missing")
        (self.folder / "saved_model.pb").write_bytes(b"not a model")
        self.refused(self.folder, "the SavedModel cannot be loaded")

    def test_a_damaged_download_names_its_folder(self):
        with server(send(self.archive)) as (address, _):
            hub.load(address)
        (index,) = self.cache.glob("*/variables/variables.index")
        index.unlink()
        self.refused(address, "cannot be loaded", "remove", str(index.parent.parent))


if __name__ == "__main__":
    tf.test.main()
