"""What the page shows: its states, and the pictures of a visit."""

from typing import Any

import gradio as gr

from nst_tf.app import words
from nst_tf.app.layout import BESIDE, Buttons, Inputs, Outputs
from nst_tf.app.visits import Visit, Visits
from nst_tf.errors import InputError

# What changes: new values or properties by component.
Update = dict[Any, Any]


class Showing:
    """Makes updates of a page's components; and the handlers of its history."""

    def __init__(self, visits: Visits, page: tuple[Inputs, Buttons, Outputs]):
        self._visits = visits
        self._inputs, self._buttons, self._outputs = page

    def waiting(self, jpeg: bytes = b"") -> Update:
        """While the run waits for its turn."""
        out, buttons = self._outputs, self._buttons
        off = gr.update(interactive=False)
        update = {
            buttons.paint: off,
            buttons.fast: off,
            out.go_on: off,
            out.twice: off,
            out.download: off,
            out.line: words.line("waiting for its turn…"),
        }
        if jpeg:
            update |= {
                out.live: gr.update(value=words.image(jpeg, "the fast picture"), visible=True),
                out.slider: gr.update(visible=False),
                buttons.stop: gr.update(visible=False),
                buttons.leave: gr.update(visible=True),
            }
        return update

    def painting(self) -> Update:
        """While it runs."""
        return {
            self._buttons.stop: gr.update(visible=True, interactive=True),
            self._buttons.leave: gr.update(visible=False),
            self._outputs.line: words.line("starting…"),
        }

    def idle(self, visit: Visit) -> Update:
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
            out.download: gr.update(value=str(entry.file), interactive=True),
            out.after: gr.update(visible=True),
        }

    def choose(self, request: gr.Request, beside: str, event: gr.SelectData) -> Update:
        """Show a picture of the visit, with its settings."""
        visit = self._visits.of(request.session_hash)
        try:
            if not isinstance(event.index, int):
                raise InputError(f"picture {event.index}: expected its number")
            entry = visit.choose(event.index)
        except InputError as error:
            return {self._outputs.line: words.mistake(error)}
        line = words.line(f"{entry.caption} · {words.outcome(entry.painted)}")
        controls = zip(self._inputs.controls.components, entry.knobs, strict=True)
        return {**self.show(visit, beside), **dict(controls), self._outputs.line: line}

    def compare(self, request: gr.Request, beside: str) -> Update:
        """Show the chosen picture beside another."""
        visit = self._visits.of(request.session_hash)
        if beside == BESIDE[1] and visit.before is None:
            return {self._outputs.line: words.line("choose a second picture below")}
        return self.show(visit, beside)
