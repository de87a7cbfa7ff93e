"""What happens when something on the page is clicked: the events of painting."""

import asyncio
import functools
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData

from nst_tf.app import output_folder, previews, words
from nst_tf.app.layout import BESIDE, MAX_PAINTINGS, Buttons, Inputs, Outputs
from nst_tf.app.painted import Painted
from nst_tf.app.painter import Painter
from nst_tf.app.sources import Order, Sources
from nst_tf.app.visits import Entry, Job, Visit, Visits
from nst_tf.errors import InputError, one_line
from nst_tf.images import image_io
from nst_tf.images.pixels import resize

_LOG = logging.getLogger(__name__)
# Of the picture that is there at once, in pixels.
_INSTANT_SIDE = 512
# Between two pictures that are sent, and between two looks whether the visitor is still there.
_MIN_SECONDS = 0.1
_PATIENCE = 0.5
Update = dict[Any, Any]


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
        try:
            if visit.job is not None:
                raise InputError("a picture is being painted; stop it first")
            yield self._waiting()
            order = self._order(visit, values, twice_as_large=twice_as_large)
            begin: Any = functools.partial(self._painter.paint, order.request)
            if from_chosen:
                if visit.chosen is None:
                    raise InputError("there is no picture to go on from; paint one first")
                painted = visit.chosen.painted
                begin = functools.partial(self._painter.go_on, painted, order.request)
            else:
                painted = self._painter.fast(order.request, _INSTANT_SIDE)
            visit.job = Job(begin, visit.new_folder(), order.name, order.knobs)
            yield {**self._waiting(_jpeg(painted)), self._outputs.ticket: visit.job.folder.name}
        except Exception as error:
            yield {**self._idle(visit), self._outputs.line: _mistake(error)}

    async def follow(self, request: gr.Request) -> AsyncIterator[Update]:
        """Start the run that waits, show it as it goes, and what comes of it."""
        visit = self.visit(request)
        job = visit.job
        if job is None:
            return
        entry, line = None, ""
        try:
            yield self._painting()
            run = await asyncio.to_thread(job.start)
            while run.is_running and not visit.is_closed:
                began = monotonic()
                snapshot = await asyncio.to_thread(run.newest, _PATIENCE)
                if snapshot is None:
                    continue
                image = words.image(snapshot.jpeg, "the picture so far")
                where = words.line(words.where(snapshot))
                yield {self._outputs.live: image, self._outputs.line: where}
                await asyncio.sleep(max(0, began + _MIN_SECONDS - monotonic()))
            painted = await asyncio.to_thread(run.result)
            entry = await asyncio.to_thread(self._keep, visit, job, painted)
            line = words.line(words.outcome(painted), is_error=bool(painted.message))
        except Exception as error:
            line = _mistake(error)
        finally:
            job.stop()
            if visit.job is job:
                visit.job = None
            if entry is None:
                await asyncio.to_thread(_discard, job)
        knobs = self._controls(entry)
        yield {**self._idle(visit), **knobs, self._outputs.line: line}

    def fast(self, request: gr.Request, *values: Any) -> Iterator[Update]:
        """Paint in one pass, at the full size."""
        visit = self.visit(request)
        try:
            yield self._waiting()
            order = self._order(visit, values)
            painted = self._painter.fast(order.request)
            job = Job(lambda path: None, visit.new_folder(), order.name, order.knobs)
            self._keep(visit, job, painted)
            line = words.line(words.outcome(painted))
        except Exception as error:
            line = _mistake(error)
        yield {**self._idle(visit), self._outputs.line: line}

    def stop(self, request: gr.Request) -> Update:
        """Stop the run; what there is of it comes from `follow`."""
        job = self.visit(request).job
        if job is not None:
            job.stop()
        return {self._buttons.stop: gr.update(interactive=False)}

    def leave(self, request: gr.Request) -> Update:
        """Leave the line before the run has begun."""
        visit = self.visit(request)
        if visit.job is not None:
            visit.job.stop()
            visit.job = None
        return {**self._idle(visit), self._outputs.line: words.line("you left the line")}

    def close(self, request: gr.Request) -> None:
        """End a visit whose page is closed."""
        self._visits.close(request.session_hash)

    def _order(self, visit: Visit, values: tuple[Any, ...], **how: Any) -> Order:
        """The order that the values of the inputs make, which come as the browser sends them."""
        photograph, *rest = values
        paintings, rest = rest[:MAX_PAINTINGS], rest[MAX_PAINTINGS:]
        weights, rest = rest[:MAX_PAINTINGS], rest[MAX_PAINTINGS:]
        is_mixed, drawing, *knobs = rest
        if not is_mixed:
            paintings, weights = [paintings[0], None, None, None], [1.0] * MAX_PAINTINGS
        drawn = None
        if drawing:
            drawn = self._inputs.drawing.preprocess(EditorData.model_validate(drawing))
        layers = drawn["layers"] if drawn else []
        paths = [each["path"] if each else None for each in (photograph, *paintings)]
        return self._sources.order(visit, paths[0], paths[1:], weights, layers, knobs, **how)

    def _keep(self, visit: Visit, job: Job, painted: Painted) -> Entry:
        """Write a picture, and add it to the visit's."""
        file = job.folder / f"{job.name}.png"
        painted.write(file)
        if self._output_dir is not None:
            output_folder.keep(painted, self._output_dir, job.name)
        picture, photograph = painted.picture, painted.request.photograph
        height, width = picture.shape[:2]
        alpha = photograph.alpha
        before = resize(photograph.rgb, height, width).numpy()
        size = painted.request.settings.size
        entry = Entry(
            painted=painted,
            file=file,
            shown=previews.write(job.folder / "picture.jpg", picture, alpha),
            photograph=previews.write(job.folder / "photograph.jpg", before, alpha),
            caption=f"{len(visit.pictures) + 1} · {max(size, height, width)} px",
            knobs=job.knobs,
        )
        visit.add(entry)
        return entry

    def show(self, visit: Visit, beside: str) -> Update:
        """The chosen picture beside what it is compared with."""
        out, entry = self._outputs, visit.chosen
        if entry is None:
            return {out.slider: gr.update(visible=False), out.after: gr.update(visible=False)}
        other = entry.photograph
        if beside == BESIDE[1] and visit.before is not None:
            other = visit.before.shown
        return {
            out.slider: gr.update(value=(str(other), str(entry.shown)), visible=True),
            out.download: gr.update(value=str(entry.file)),
            out.after: gr.update(visible=True),
        }

    def choose(self, request: gr.Request, beside: str, event: gr.SelectData) -> Update:
        """Show a picture of the visit, with its settings."""
        visit = self.visit(request)
        try:
            if not isinstance(event.index, int):
                raise InputError(f"picture {event.index}: expected its number")
            entry = visit.choose(event.index)
        except InputError as error:
            return {self._outputs.line: _mistake(error)}
        line = words.line(f"{entry.caption} · {words.outcome(entry.painted)}")
        return {**self.show(visit, beside), **self._controls(entry), self._outputs.line: line}

    def compare(self, request: gr.Request, beside: str) -> Update:
        """Show the chosen picture beside another."""
        visit = self.visit(request)
        if beside == BESIDE[1] and visit.before is None:
            return {self._outputs.line: words.line("choose a second picture below")}
        return self.show(visit, beside)

    def _controls(self, entry: Entry | None) -> Update:
        if entry is None:
            return {}
        return dict(zip(self._inputs.controls.components, entry.knobs, strict=True))

    def _waiting(self, jpeg: bytes = b"") -> Update:
        """While the run waits for its turn."""
        out, buttons = self._outputs, self._buttons
        off = gr.update(interactive=False)
        update = {
            buttons.paint: off,
            buttons.fast: off,
            out.go_on: off,
            out.twice: off,
            out.line: words.line("starting…"),
        }
        if jpeg:
            update |= {
                out.live: gr.update(value=words.image(jpeg, "the fast picture"), visible=True),
                out.slider: gr.update(visible=False),
                buttons.stop: gr.update(visible=False),
                buttons.leave: gr.update(visible=True),
            }
        return update

    def _painting(self) -> Update:
        """While it runs."""
        return {
            self._buttons.stop: gr.update(visible=True, interactive=True),
            self._buttons.leave: gr.update(visible=False),
            self._outputs.line: words.line("starting…"),
        }

    def _idle(self, visit: Visit) -> Update:
        """While nothing is painted."""
        out, buttons = self._outputs, self._buttons
        on = gr.update(interactive=True)
        history = [(str(each.shown), each.caption) for each in visit.pictures]
        return {
            buttons.paint: on,
            buttons.fast: on,
            out.go_on: on,
            out.twice: on,
            buttons.stop: gr.update(visible=True, interactive=False),
            buttons.leave: gr.update(visible=False),
            out.live: gr.update(value=words.NO_PICTURE, visible=visit.chosen is None),
            out.history: gr.update(value=history, selected_index=None),
            out.past: gr.update(visible=len(history) > 1),
            **self.show(visit, BESIDE[0]),
        }


def _jpeg(painted: Painted) -> bytes:
    """A picture as it is shown while its run has not begun."""
    alpha = painted.request.photograph.alpha
    height, width = painted.picture.shape[:2]
    shrink = min(1.0, _INSTANT_SIDE / max(height, width))
    size = max(1, round(height * shrink)), max(1, round(width * shrink))
    return image_io.encode(resize(painted.picture, *size), "picture.jpg", alpha=alpha)


def _discard(job: Job) -> None:
    job.join()
    shutil.rmtree(job.folder, ignore_errors=True)


def _mistake(error: Exception) -> str:
    """An error as a line; the log has those that nobody expects."""
    if isinstance(error, InputError):
        return words.line(one_line(error, max_length=1000), is_error=True)
    if isinstance(error, MemoryError):
        return words.line("memory ran out; give a smaller size", is_error=True)
    _LOG.error("an event of the page failed", exc_info=error)
    return words.line("this did not work; the log of the server has the details", is_error=True)
