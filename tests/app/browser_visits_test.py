"""Several visitors of the page, and those who leave."""

import re
import signal
from pathlib import Path

import httpx
import pytest
from absl.testing import absltest
from playwright.sync_api import expect
from testing.browser import LONG, BrowserTest
from testing.pictures import PHOTOGRAPH
from testing.visitor import Visitor

from nst_tf.run import record

LONG_RUN = {"size": 128, "steps": 2000}


def send(url, body):
    """What a server answers to a request of a page's kind, until it is done with it."""
    with httpx.Client(timeout=LONG / 1000) as client:
        client.post(f"{url}gradio_api/queue/join", json=body).raise_for_status()
        parameters = {"session_hash": body["session_hash"]}
        lines = []
        with client.stream("GET", f"{url}gradio_api/queue/data", params=parameters) as answer:
            for line in answer.iter_lines():
                lines.append(line)
                if '"process_completed"' in line:
                    break
        return "\n".join(lines)


@pytest.mark.slow
class VisitsTest(BrowserTest):
    def begin(self, **settings):
        """A visitor whose run is seen."""
        visitor = Visitor(self.visit())
        visitor.give()
        visitor.set(**settings)
        visitor.paint()
        visitor.see(1)
        return visitor

    def test_a_place_in_line_and_a_closed_page(self):
        before = self.server.files()
        first = self.begin(**LONG_RUN)
        second = Visitor(self.visit())
        second.give()
        second.set(size=128, steps=2)
        second.paint()
        # Gradio's words for the place in line.
        expect(second.line).to_contain_text(re.compile(r"queue: 1/1"), timeout=LONG)
        third = Visitor(self.visit())
        third.give()
        third.set(**LONG_RUN)
        third.paint()
        expect(third.line).to_contain_text(re.compile(r"queue: 2/2"), timeout=LONG)
        third.page.close()
        first.page.close()
        # Far sooner than the first run's end, and with none of the third's.
        second.expect("painted in")
        second.page.close()
        self.server.wait_for_deletion(before)

    def test_a_stop_in_line(self):
        first = self.begin(**LONG_RUN)
        second = Visitor(self.visit())
        second.give()
        second.set(**LONG_RUN)
        second.paint()
        expect(second.line).to_contain_text(re.compile(r"queue: 1/1"), timeout=LONG)
        second.click("leave")
        second.expect("left the line")
        first.click("stop")
        first.expect("stopped after")
        expect(second.page.locator("#paint")).to_be_enabled()

    def test_only_what_was_sent_is_opened(self):
        page = self.visit()
        bodies = []
        page.on(
            "request",
            lambda request: (
                bodies.append(request.post_data_json) if "queue/join" in request.url else None
            ),
        )
        visitor = Visitor(page)
        visitor.give()
        visitor.set(size=64, steps=1)
        visitor.click("fast")
        visitor.expect("painted in")
        (body,) = [each for each in bodies if len(each["data"]) > 20]
        self.assertEqual(Path(body["data"][0]["path"]).name, PHOTOGRAPH.name)
        # Of a session without files of its own, and the paths of a file that the server can read.
        session = body["session_hash"]
        self.assertIn("painted in", send(self.server.url, {**body, "session_hash": session}))
        for path in ("/etc/passwd", str(PHOTOGRAPH)):
            data = [{**body["data"][0], "path": path, "url": None}, *body["data"][1:]]
            answer = send(self.server.url, {**body, "data": data})
            self.assertIn("process_completed", answer)
            self.assertNotIn("painted in", answer)
        found = httpx.get(f"{self.server.url}gradio_api/file=/etc/passwd")
        self.assertEqual(found.status_code, 403)


@pytest.mark.slow
class EndTest(BrowserTest):
    flags = ("--password=secret",)

    def test_a_password_and_a_signal(self):
        page = self.visit(outlives_server=True)
        name, password = (page.locator("input").nth(number) for number in range(2))
        name.fill("painter")
        password.fill("secret")
        page.get_by_role("button", name="Login").click()
        self.assertEqual(httpx.get(f"{self.server.url}config").status_code, 401)
        visitor = Visitor(page)
        visitor.give()
        visitor.set(**LONG_RUN)
        visitor.paint()
        visitor.see(1)
        self.assertNotEmpty(self.server.files())
        self.assertEqual(self.server.end(signal.SIGTERM), 128 + signal.SIGTERM)
        self.assertEmpty(self.server.files())
        self.assertEmpty([*self.server.scratch.iterdir()])
        for path in self.server.pictures.iterdir():  # whole, if it ended in time
            record.read(path)
        self.assertNotIn("Traceback", self.server.log())


if __name__ == "__main__":
    absltest.main()
