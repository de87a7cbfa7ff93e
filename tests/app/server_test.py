import logging
import os
import socket
import sys
import tempfile
from unittest import mock

import httpx
from absl.testing import absltest, parameterized

from nst_tf import InputError, app
from nst_tf.app import server
from nst_tf.app.painter import Painter


class ServerTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(os.environ))
        self.warmed = self.enter_context(mock.patch.object(Painter, "warm_up"))
        self.temporary = self.enter_context(tempfile.TemporaryDirectory())
        self.enter_context(mock.patch.object(tempfile, "tempdir", self.temporary))

    def test_start_and_end(self):
        with mock.patch.object(Painter, "close") as close:
            with server.serve(port=0) as address:
                self.assertStartsWith(address, "http://127.0.0.1:")
                self.assertIn("nst_tf", httpx.get(address).text)
                self.assertNotEmpty(os.listdir(self.temporary))
                close.assert_not_called()
            close.assert_called_once()
        self.assertEmpty(os.listdir(self.temporary))
        with self.assertRaises(httpx.ConnectError):
            httpx.get(address)

    def test_a_file_that_went_with_its_visit_is_no_error_to_print(self):
        log = logging.getLogger("uvicorn.error")
        with server.serve(port=0), self.assertLogs(log) as logged:
            (scratch,) = os.listdir(self.temporary)
            gone = f"{self.temporary}/{scratch}/visit/a.jpg"
            log.error("gone", exc_info=FileNotFoundError(2, "No such file", gone))
            log.error("elsewhere", exc_info=FileNotFoundError(2, "No such file", "/a.jpg"))
            log.error("ours", exc_info=ValueError())
            log.error("a line")
        found = [each.getMessage() for each in logged.records]
        self.assertEqual(found, ["elsewhere", "ours", "a line"])

    def test_nothing_is_asked_of_another_machine(self):
        with server.serve(port=0) as address:
            config = httpx.get(f"{address}config").json()
            text = httpx.get(address).text + httpx.get(f"{address}theme.css").text
        self.assertNotIn("fonts.googleapis", text)
        self.assertFalse(config["analytics_enabled"])

    def test_password(self):
        with server.serve(port=0, password="åpen") as address:
            self.assertEqual(httpx.get(f"{address}config").status_code, 401)
            for password, status in (("open", 400), ("åpe", 400), ("åpen", 200)):
                data = {"username": "anyone", "password": password}
                self.assertEqual(httpx.post(f"{address}login", data=data).status_code, status)

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with (
                self.assertRaisesRegex(InputError, f"port={port}: is taken; give another --port"),
                server.serve(port=port),
            ):
                self.fail()
        self.assertEmpty(os.listdir(self.temporary))

    def test_a_host_that_is_none_of_this_machine(self):
        for host in ("192.0.2.1", "no.such.host.invalid"):
            with self.assertRaisesRegex(InputError, f"host={host}"):
                server.free_port(host, 0)

    @parameterized.parameters(
        ("127.0.0.1", None, False),
        ("127.0.0.2", None, False),
        ("::1", None, False),
        ("localhost", None, False),
        ("0.0.0.0", None, True),
        ("::", None, True),
        ("0.0.0.0", "word", False),
        ("192.168.0.1", "", True),
    )
    def test_who_may_come(self, host, password, expected):
        self.assertEqual(server.is_open(host, password), expected)

    def test_gradio_is_missing(self):
        patch = mock.patch.dict
        with patch("sys.modules", {"gradio": None}), patch(vars(app)):
            # As if nothing that imports it had been imported before.
            for name in [name for name in sys.modules if name.startswith("nst_tf.app.")]:
                del sys.modules[name]
                vars(app).pop(name.rpartition(".")[2], None)
            with (
                self.assertRaisesRegex(InputError, "needs the package gradio; pip install -r"),
                server.serve(port=0),
            ):
                self.fail()

    def test_networks_that_cannot_be_loaded_leave_the_page(self):
        self.warmed.side_effect = OSError("gone")
        with (
            self.assertLogs("nst_tf", "ERROR") as logged,
            server.serve(port=0) as address,
        ):
            self.assertEqual(httpx.get(address).status_code, 200)
        self.assertIn("gone", logged.output[0])


if __name__ == "__main__":
    absltest.main()
