"""What happens when something on the page is clicked: the events of painting."""

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData

from nst_tf.app import keeping, output_folder, words
from nst_tf.app.job import Job
from nst_tf.app.layout import MAX_PAINTINGS, Buttons, Inputs, Outputs
from nst_tf.app.order import Order
from nst_tf.app.painted import Painted
from nst_tf.app.painter import Painter
from nst_tf.app.showing import Showing, Update
from nst_tf.app.sources import Sources
from nst_tf.app.visits import Visit, Visits
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.images.pixels import resize

# Of the picture that is there at once, in pixels.
_INSTANT_SIDE = 512
# Between two looks whether the visitor is still there.
_PATIENCE = 0.5


class Studio:
    """The handlers of a page's events; each yields or returns what changes on the page."""

    def __init__(
        self,
        painter: Painter,
        visits: Visits,
        sources: Sources,
        output_dir: Path | None,
        page: tuple[Inputs, Buttons, Outputs],
    ):
        self._painter, self._visits, self._sources = painter, visits, sources
        self._output_dir = output_dir
        self._inputs, self._buttons, self._outputs = page
        self._showing = Showing(visits, page)

    def visit(self, request: gr.Request) -> Visit:
        """The visit that a request is of."""
        return self._visits.of(request.session_hash)

    def prepare(self, request: gr.Request, *values: Any) -> Iterator[Update]:
        """Show the fast picture, and have a run wait that paints from the photograph."""
        yield from self._prepare(self.visit(request), values)

    def prepare_to_go_on(self, request: gr.Request, *values: Any) -> Iterator[Update]:
        """Have a run wait that goes on from the chosen picture."""
        yield from self._prepare(self.visit(request), values, from_chosen=True)

    def prepare_twice(self, request: gr.Request, *values: Any) -> Iterator[Update]:
        """Have a run wait that goes on from the chosen picture at twice the size."""
        visit = self.visit(request)
        yield from self._prepare(visit, values, from_chosen=True, twice_as_large=True)

    def _prepare(
        self,
        visit: Visit,
        values: tuple[Any, ...],
        *,
        from_chosen: bool = False,
        twice_as_large: bool = False,
    ) -> Iterator[Update]:
        if visit.job is not None:
            yield self._busy()
            return
        try:
            yield self._showing.waiting()
            order = self._order(visit, values, twice_as_large=twice_as_large)
            begin: Any = functools.partial(self._painter.paint, order.request)
            if from_chosen:
                if visit.chosen is None:
                    raise InputError("there is no picture to go on from; paint one first")
                painted = visit.chosen.painted
                begin = functools.partial(self._painter.go_on, painted, order.request)
            else:
                painted = self._painter.fast(order.request, _INSTANT_SIDE)
            jpeg = _jpeg(painted)
            job = visit.job = Job(begin, order, visit.new_folder())
            yield {
                **self._showing.waiting(jpeg),
                self._inputs.controls.component("size"): order.request.settings.size,
                self._outputs.ticket: job.folder.name,
            }
        except Exception as error:
            yield {**self._showing.idle(visit), self._outputs.line: words.mistake(error)}

    async def follow(self, request: gr.Request) -> AsyncIterator[Update]:
        """Start the run that waits, show it as it goes, and what comes of it."""
        visit = self.visit(request)
        job = visit.job
        if job is None:
            return
        if visit.is_closed:  # which may have been before its job was there to be stopped
            job.stop()
        try:
            yield self._showing.painting()
            run = await asyncio.to_thread(job.start)
            while run.is_running and not visit.is_closed:
                snapshot = await asyncio.to_thread(run.newest, _PATIENCE)
                if snapshot is None:
                    continue
                image = words.image(snapshot.jpeg, "the picture so far")
                yield {self._outputs.live: image, self._outputs.line: words.progress(snapshot)}
            painted = await asyncio.to_thread(run.result)
            await asyncio.to_thread(self._keep, visit, painted, job.order, job.folder)
            line = words.line(words.outcome(painted), is_error=bool(painted.message))
        except Exception as error:
            line = words.mistake(error)
        finally:
            job.stop()
            if visit.job is job:
                visit.job = None
            if not visit.has(job.folder):
                await asyncio.to_thread(_discard, visit, job)
        yield {**self._showing.idle(visit), self._outputs.line: line}

    def fast(self, request: gr.Request, *values: Any) -> Iterator[Update]:
        """Paint in one pass, at the full size."""
        visit = self.visit(request)
        if visit.job is not None:
            yield self._busy()
            return
        try:
            yield self._showing.waiting()
            order = self._order(visit, values)
            painted = self._painter.fast(order.request)
            self._keep(visit, painted, order, visit.new_folder())
            line = words.line(words.outcome(painted))
        except Exception as error:
            line = words.mistake(error)
        # A run that was asked for in the meantime has its own state of the page.
        state = {} if visit.job is not None else self._showing.idle(visit)
        yield {**state, self._outputs.line: line}

    def stop(self, request: gr.Request) -> Update:
        """Stop the run; what there is of it comes from `follow`."""
        job = self.visit(request).job
        if job is not None:
            job.stop()
        return {self._buttons.stop: gr.update(interactive=False)}

    def leave(self, request: gr.Request) -> Update:
        """Leave the line before the run has begun."""
        visit = self.visit(request)
        job, visit.job = visit.job, None
        if job is not None:
            job.stop()
            if not job.has_begun:  # otherwise `follow` sees to its end
                visit.discard(job.folder)
        return {**self._showing.idle(visit), self._outputs.line: words.line("you left the line")}

    def close(self, request: gr.Request) -> None:
        """End a visit whose page is closed."""
        self._visits.close(request.session_hash)

    def _busy(self) -> Update:
        mistake = InputError("a picture is being painted; stop it first")
        return {self._outputs.line: words.mistake(mistake)}

    def _keep(self, visit: Visit, painted: Painted, order: Order, folder: Path) -> None:
        """Keep a picture for the visitor, and, whether or not that fails, for the owner."""
        try:
            keeping.keep(visit, painted, order, folder)
        finally:
            if self._output_dir is not None and not visit.is_closed:
                output_folder.keep(painted, self._output_dir, order.name)

    def _order(self, visit: Visit, values: tuple[Any, ...], **how: Any) -> Order:
        """The order that the values of the inputs make, which come as the browser sends them."""
        photograph, *rest = values
        paintings, rest = rest[:MAX_PAINTINGS], rest[MAX_PAINTINGS:]
        weights, rest = rest[:MAX_PAINTINGS], rest[MAX_PAINTINGS:]
        is_mixed, drawing, *knobs = rest
        if not is_mixed:
            paintings, weights = [paintings[0], None, None, None], [1.0] * MAX_PAINTINGS
        layers = self._layers(visit, drawing) if drawing else []
        paths = [each["path"] if each else None for each in (photograph, *paintings)]
        return self._sources.order(visit, paths[0], paths[1:], weights, layers, knobs, **how)

    def _layers(self, visit: Visit, drawing: dict[str, Any]) -> list[Any]:
        """The layers of a drawing, uint8 RGBA [h, w, 4]."""
        # All of them go with the visit.
        for layer in drawing["layers"]:
            visit.originals[layer["path"]] = self._sources.received_layer(layer["path"])
        for part in (drawing["background"], drawing["composite"]):
            # A brush that nobody has seen sends back the photograph that it was given.
            if part and part["path"] not in visit.originals:
                visit.originals[part["path"]] = self._sources.received(part["path"])
        # What lies below is the photograph, which is there already.
        parts = EditorData.model_validate(drawing | {"background": None, "composite": None})
        return (self._inputs.drawing.preprocess(parts) or {"layers": []})["layers"]


def _jpeg(painted: Painted) -> bytes:
    """A picture as it is shown while its run has not begun."""
    alpha = painted.request.photograph.alpha
    height, width = painted.picture.shape[:2]
    shrink = min(1.0, _INSTANT_SIDE / max(height, width))
    size = max(1, round(height * shrink)), max(1, round(width * shrink))
    return image_io.encode(resize(painted.picture, *size), "picture.jpg", alpha=alpha)


def _discard(visit: Visit, job: Job) -> None:
    job.join()
    visit.discard(job.folder)
