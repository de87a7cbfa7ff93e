"""The page: what is on it, and what happens when something is clicked."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from nst_tf.app import words
from nst_tf.app.choosing import Choosing
from nst_tf.app.layout import Buttons, Inputs, Outputs, lay_out
from nst_tf.app.painter import Painter
from nst_tf.app.paintings import Painting
from nst_tf.app.showing import Showing
from nst_tf.app.sources import Sources
from nst_tf.app.studio import Studio
from nst_tf.app.visits import Visits

# Seconds between two rounds that delete files that no visit has deleted, and their age.
_DELETE_CACHE = (3600, 24 * 3600)


def build(
    painter: Painter,
    visits: Visits,
    is_warm: threading.Event,
    offered: Sequence[Painting] = (),
    output_dir: Path | None = None,
) -> gr.Blocks:
    """The page, not launched.

    Args:
        painter: of the server.
        visits: of the server.
        is_warm: whether the painter is ready to begin at once.
        offered: the paintings that can be chosen.
        output_dir: where all pictures are kept, besides with their visits.
    """
    with gr.Blocks(
        title="nst_tf", analytics_enabled=False, delete_cache=_DELETE_CACHE, fill_width=True
    ) as page:
        gr.HTML(words.TITLE, elem_id="title")
        warming = gr.HTML(elem_id="warming")
        inputs, buttons, outputs = lay_out(offered)
        sources = Sources(visits.folder, offered, inputs.controls)
        components = (inputs, buttons, outputs)
        studio = Studio(painter, visits, sources, output_dir, components)
        _connect_painting(studio, Showing(visits, components), inputs, buttons, outputs)
        _connect_choosing(Choosing(visits, sources, offered, inputs, outputs), inputs, outputs)
        page.load(
            functools.partial(_say_until_warm, is_warm),
            None,
            warming,
            concurrency_limit=None,
            show_progress="hidden",
            api_visibility="private",
        )
        page.unload(studio.close)
    return page


def theme() -> gr.themes.Base:
    """The page's colors and type; the fonts are those of the visitor's machine."""
    return gr.themes.Default(
        primary_hue="teal",
        neutral_hue="stone",
        radius_size="lg",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
    )


async def _say_until_warm(is_warm: threading.Event) -> AsyncIterator[str]:
    if not is_warm.is_set():
        yield words.line("the networks are being loaded; a first picture may wait for them")
    while not is_warm.is_set():
        await asyncio.sleep(0.5)
    yield ""


def _connect_painting(
    studio: Studio, showing: Showing, inputs: Inputs, buttons: Buttons, outputs: Outputs
) -> None:
    values = [
        inputs.photograph,
        *inputs.paintings,
        *inputs.weights,
        inputs.is_mixed,
        inputs.drawing,
        *inputs.controls.components,
    ]
    shown: list[Any] = [*vars(buttons).values(), *vars(outputs).values()]
    shown = [each for each in shown if each is not outputs.beside]
    size = inputs.controls.component("size")
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    raw: dict[str, Any] = {"preprocess": False, "concurrency_limit": 1}
    for trigger, prepare in (
        (buttons.paint, studio.prepare),
        (outputs.go_on, studio.prepare_to_go_on),
        (outputs.twice, studio.prepare_twice),
    ):
        # Neither a run nor a large fast picture makes this one wait.
        trigger.click(prepare, values, [*shown, size], concurrency_id="instant", **raw, **hidden)
    in_line: dict[str, Any] = {
        "api_visibility": "private",
        "show_progress": "minimal",
        "show_progress_on": outputs.line,
    }
    run = outputs.ticket.change(
        studio.follow, None, shown, concurrency_id="painting", concurrency_limit=1, **in_line
    )
    buttons.fast.click(studio.fast, values, shown, concurrency_id="fast", **raw, **in_line)
    buttons.stop.click(studio.stop, None, buttons.stop, queue=False, **hidden)
    buttons.leave.click(studio.leave, None, shown, cancels=run, queue=False, **hidden)
    outputs.beside.input(showing.compare, outputs.beside, shown, **hidden)
    chosen = [*shown, *inputs.controls.components]
    outputs.history.select(showing.choose, outputs.beside, chosen, **hidden)


def _connect_choosing(choosing: Choosing, inputs: Inputs, outputs: Outputs) -> None:
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    inputs.photograph.input(
        choosing.photograph,
        inputs.photograph,
        [inputs.photograph, inputs.drawing, outputs.line],
        preprocess=False,
        **hidden,
    )
    for index, painting in enumerate(inputs.paintings):
        painting.input(
            choosing.painting(index),
            [inputs.is_mixed, *inputs.paintings],
            [*inputs.paintings, *inputs.slots, outputs.line],
            preprocess=False,
            **hidden,
        )
    inputs.is_mixed.input(
        choosing.mix,
        [inputs.is_mixed, *inputs.paintings],
        [*inputs.slots, *inputs.weights],
        preprocess=False,
        **hidden,
    )
    if inputs.offered is not None:
        inputs.offered.select(
            choosing.offered,
            [inputs.is_mixed, *inputs.paintings],
            [*inputs.paintings, *inputs.slots, outputs.line],
            preprocess=False,
            **hidden,
        )
    recipe = inputs.controls.component("recipe")
    recipe.input(
        inputs.controls.of_recipe, recipe, inputs.controls.components, queue=False, **hidden
    )
