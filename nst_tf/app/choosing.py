"""What happens when a photograph or a painting is given, replaced or taken away."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from nst_tf.app import words
from nst_tf.app.layout import MAX_PAINTINGS, Inputs, Outputs
from nst_tf.app.paintings import Painting
from nst_tf.app.showing import Update
from nst_tf.app.sources import Sources
from nst_tf.app.visits import Visits


class Choosing:
    """The handlers of the inputs' events; values come as the browser sends them."""

    def __init__(
        self,
        visits: Visits,
        sources: Sources,
        offered: Sequence[Painting],
        inputs: Inputs,
        outputs: Outputs,
    ):
        self._visits, self._sources, self._offered = visits, sources, offered
        self._inputs, self._outputs = inputs, outputs

    def photograph(self, request: gr.Request, value: Any) -> Update:
        """Show a photograph that was sent, also to the brush."""
        inputs, line = self._inputs, self._outputs.line
        if self._sources.is_shown(self._visits.of(request.session_hash), value):
            return {line: gr.skip()}  # sent once more, with what came back
        preview, text = self._received(request, value)
        return {
            inputs.photograph: gr.update(value=preview),
            # What was painted on the one before is gone.
            inputs.drawing: gr.update(value=preview),
            line: text,
        }

    def painting(self, index: int) -> Callable[..., Update]:
        """The handler of a slot's event: show the painting that was sent."""

        def received(request: gr.Request, is_mixed: bool, *values: Any) -> Update:
            if self._sources.is_shown(self._visits.of(request.session_hash), values[index]):
                return {self._outputs.line: gr.skip()}
            preview, line = self._received(request, values[index])
            filled = [bool(value) for value in values]
            filled[index] = preview is not None
            return {
                self._inputs.paintings[index]: gr.update(value=preview),
                **self._slots(is_mixed, filled),
                self._outputs.line: line,
            }

        return received

    def offered(
        self, request: gr.Request, event: gr.SelectData, is_mixed: bool, *values: Any
    ) -> Update:
        """Take an offered painting: in place of the one there is, or into a free slot."""
        if not isinstance(event.index, int) or not 0 <= event.index < len(self._offered):
            return {self._outputs.line: words.line("this painting is not there", is_error=True)}
        filled = [bool(value) for value in values]
        free = filled.index(False) if False in filled else None
        if is_mixed and free is None:
            line = words.line(f"{MAX_PAINTINGS} paintings are all that can be mixed; remove one")
            return {self._outputs.line: line}
        index = (free or 0) if is_mixed else 0
        filled[index] = True
        return {
            self._inputs.paintings[index]: gr.update(value=str(self._offered[event.index].preview)),
            **self._slots(is_mixed, filled),
            self._outputs.line: "",
        }

    def mix(self, is_mixed: bool, *values: Any) -> Update:
        """Show one slot, or all that are filled and one more, each with its weight."""
        weights = {weight: gr.update(visible=is_mixed) for weight in self._inputs.weights}
        return {**self._slots(is_mixed, [bool(value) for value in values]), **weights}

    def _slots(self, is_mixed: bool, filled: Sequence[bool]) -> Update:
        free = list(filled).index(False) if False in filled else len(filled)
        return {
            slot: gr.update(visible=index == 0 or (is_mixed and (filled[index] or index == free)))
            for index, slot in enumerate(self._inputs.slots)
        }

    def _received(self, request: gr.Request, value: Any) -> tuple[str | None, str]:
        """What the browser shows of what it sent, and the line that goes with it."""
        if not value:
            return None, ""
        try:
            visit = self._visits.of(request.session_hash)
            return str(self._sources.receive(visit, value["path"])), ""
        except Exception as error:
            return None, words.mistake(error)
