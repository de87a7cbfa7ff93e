"""scripts/app.py as a process, and Debian's Chromium to look at its page with."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from absl.testing import parameterized
from playwright import sync_api
from testing.pictures import ROOT

# Milliseconds, for what takes a moment on an idle machine; and for what paints.
SOON, LONG = 60_000, 180_000
# The sockets of a process that has this as its sitecustomize are listed in a file.
AUDIT = """
import os, sys

log = os.open(os.environ["SOCKETS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def write(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        os.write(log, f"{arguments[1]!r}\\n".encode())
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        os.write(log, f"{arguments[:1]!r}\\n".encode())

sys.addaudithook(write)
"""
LOOPBACK = re.compile(r"\('(127\.0\.0\.1|localhost|::1)',.*\)")


def chromium() -> str | None:
    """The browser's path, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def wait_until(condition: Callable[[], Any], what: str, seconds: float = LONG / 1000) -> Any:
    """What a condition gives when it is true at last."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for: {what}")
        time.sleep(0.05)
    return found


class Server:
    """scripts/app.py in a process of its own, with a folder for its temporary files."""

    def __init__(self, *flags: str):
        self.folder = Path(tempfile.mkdtemp())
        self.scratch, self.pictures = self.folder / "scratch", self.folder / "pictures"
        self.scratch.mkdir()
        self._sockets = self.folder / "sockets"
        site = self.folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(AUDIT)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        paths = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
        environment = {"PYTHONPATH": paths, "SOCKETS": self._sockets, "TMPDIR": self.scratch}
        command = [sys.executable, ROOT / "scripts" / "app.py", f"--port={self.port}"]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [*command, f"--output_dir={self.pictures}", *flags],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )
        self.url = f"http://127.0.0.1:{self.port}/"
        wait_until(self._has_started, "a line with the page's address")

    def _has_started(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the server has ended: {self.log()}")
        return self.url[:-1] in self.log()

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "log").read_text()

    def foreign_sockets(self) -> list[str]:
        """What it looked up or connected to, but for this machine."""
        lines = self._sockets.read_text().splitlines()
        assert any(map(LOOPBACK.fullmatch, lines)), "the hook heard nothing"
        return [line for line in lines if line.startswith("(") and not LOOPBACK.fullmatch(line)]

    def files(self) -> set[Path]:
        """The temporary files."""
        # Unlike rglob, it lets folders go while it looks.
        walk = os.walk(self.scratch)
        return {Path(folder) / name for folder, _, names in walk for name in names}

    def wait_for_deletion(self, before: set[Path]) -> None:
        """Wait until there are no temporary files but those of before."""
        try:
            wait_until(lambda: self.files() <= before, "its files to go")
        except AssertionError as error:
            raise AssertionError(f"{sorted(self.files() - before)} stay: {self.log()}") from error

    def visits(self) -> set[Path]:
        """The folders of the visits."""
        return {*self.scratch.glob("*/visit-*")}

    def usage(self) -> psutil.Process:
        """Its memory, threads and seconds."""
        return psutil.Process(self.process.pid)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and wait for its exit status."""
        self.process.send_signal(number)
        return self.process.wait(SOON / 1000)

    def close(self) -> None:
        """End it, and delete its folder."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


class BrowserTest(parameterized.TestCase):
    """A server and a browser for the tests of a class; each visitor is looked after."""

    flags: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = chromium()
        if path is None:
            message = "needs chromium: apt-get install chromium"
            if os.environ.get("CI") == "true":
                raise AssertionError(message)
            raise cls.skipTest(cls, message)
        playwright = sync_api.sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(executable_path=path)
        cls.addClassCleanup(cls.browser.close)
        cls.server = Server(*cls.flags)
        cls.addClassCleanup(cls.server.close)

    def visit(self, *, outlives_server=False, **options) -> sync_api.Page:
        """A page in a window of its own; what it must not do fails the test at its end."""
        context = self.browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(SOON)
        requests, errors = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                errors.append(f"{message.text} {message.location}")
                if message.type == "error"
                else None
            ),
        )
        page.goto(self.server.url)

        def leave():
            context.close()
            local = (self.server.url, f"blob:{self.server.url}", "data:")
            self.assertNotEmpty(requests)
            self.assertEmpty([url for url in requests if not url.startswith(local)])
            self.assertTrue(outlives_server or not errors, errors)
            self.assertEmpty(self.server.foreign_sockets())

        self.addCleanup(leave)
        return page
