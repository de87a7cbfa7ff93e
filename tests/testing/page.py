"""A page with a painter that only pretends, and the messages of a browser to it."""

import contextlib
import json
import threading
from unittest import mock

import httpx
import numpy as np
from gradio_client.utils import apply_diff

from nst_tf import InputError
from nst_tf.app import page, paintings, server
from nst_tf.app.painted import Painted
from nst_tf.app.run import Snapshot
from nst_tf.app.visits import Visits
from nst_tf.images import image_io


class StubRun:
    """A run of three steps, each when it is told to go on."""

    def __init__(self, request, steps=3):
        self.request, self.steps, self.step = request, steps, 0
        self.is_stopped = False

    @property
    def is_running(self):
        return self.step < self.steps and not self.is_stopped

    def stop(self):
        self.is_stopped = True

    def join(self):
        pass

    def newest(self, timeout):
        self.step += 1
        jpeg = image_io.encode(np.full([4, 6, 3], self.step / 4, np.float32), "a.jpg")
        return Snapshot(jpeg, 1, 1, self.step, self.steps, 4, 6, float(self.step), None)

    def result(self):
        if not self.step:
            raise InputError("stopped before the first step")
        return painted(self.request, is_finished=not self.is_stopped)


def painted(request, is_finished=True):
    """The photograph, as if it had been painted."""
    return Painted(
        request=request,
        picture=request.photograph.rgb,
        record={"a": 1},
        is_finished=is_finished,
        seconds=7.0,
    )


class StubPainter:
    """Paints nothing; keeps what it was asked."""

    def __init__(self):
        self.requests, self.runs, self.continued = [], [], []

    def fast(self, request, long_side=0):
        self.requests.append(request)
        return painted(request)

    def paint(self, request, checkpoint):
        self.runs.append(StubRun(request))
        return self.runs[-1]

    def go_on(self, picture, request, checkpoint):
        self.continued.append((picture, request))
        return self.paint(request, checkpoint)


class Browser:
    """A tab: what it sends, and what comes back, by the names of the page's elements."""

    def __init__(self, address, session="session"):
        self.session = session
        self.http = httpx.Client(base_url=address, timeout=60)
        self.config = self.http.get("/config").json()
        self.values = {each["id"]: each["props"].get("value") for each in self.config["components"]}
        self.ids = {
            each["props"]["elem_id"]: each["id"]
            for each in self.config["components"]
            if each["props"].get("elem_id")
        }
        self.names = {number: name for name, number in self.ids.items()}

    def set(self, **values):
        for name, value in values.items():
            self.values[self.ids[name.replace("_", "-")]] = value

    def upload(self, path):
        with open(path, "rb") as file:
            (found,) = self.http.post("/gradio_api/upload", files={"files": file}).json()
        return file_data(found)

    def dependency(self, name, event):
        """Of an event of an element, or of what has no name in the page: the ticket."""
        return next(
            each
            for each in self.config["dependencies"]
            for number, kind in each["targets"]
            if kind == event and self.names.get(number) == name
        )

    def send(self, name, event="click", data=None):
        """Send an event; yields updates by the names of elements, or None for an error."""
        dependency = self.dependency(name, event)
        body = {
            "data": [self.values[each] for each in dependency["inputs"]],
            "fn_index": dependency["id"],
            "session_hash": self.session,
            "event_data": data,
        }
        joined = self.http.post("/gradio_api/queue/join", json=body)
        joined.raise_for_status()
        streamed = None
        with self.http.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self.session}
        ) as stream:
            for line in stream.iter_lines():
                message = json.loads(line[len("data: ") :]) if line else {}
                kind = message.get("msg")
                if kind in ("process_generating", "process_completed") and not message["success"]:
                    yield None
                elif kind == "process_generating":
                    data = message["output"]["data"]
                    if streamed is not None:
                        data = list(map(apply_diff, streamed, data))
                    streamed = data
                    yield self._updates(dependency, data)
                elif kind == "process_completed" and streamed is None:
                    yield self._updates(dependency, message["output"]["data"])
                elif kind == "close_stream":
                    return

    def _updates(self, dependency, data):
        found = {}
        for number, value in zip(dependency["outputs"], data, strict=True):
            if isinstance(value, dict) and value.get("__type__") == "update":
                value = value.get("value", ...)
            if value is not ... and number in self.names:
                found[self.names[number]] = value
        return found


def file_data(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


@contextlib.contextmanager
def served(painter, styles=(), output_dir=None):
    """A page on a free port of this machine, with folders of paintings; its address and visits."""
    with mock.patch.dict("os.environ"), server.scratch_folder() as scratch:
        visits, is_warm = Visits(scratch), threading.Event()
        is_warm.set()
        offered = paintings.read(styles, scratch)
        blocks = page.build(painter, visits, is_warm, offered, output_dir)
        try:
            _, address, _ = blocks.launch(
                server_port=server.free_port("127.0.0.1", 0),
                prevent_thread_lock=True,
                quiet=True,
                ssr_mode=False,
                footer_links=[],
            )
            yield address, visits
        finally:
            blocks.close(verbose=False)
