"""What is on the page, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from nst_tf.app import controls, masks, words
from nst_tf.app.controls import Controls
from nst_tf.app.paintings import Painting

MAX_PAINTINGS = len(masks.PAINTING_COLORS)
BESIDE = ("the photograph", "the picture chosen before")
_CANVAS = (800, 600)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What is painted, and how."""

    photograph: gr.Image
    paintings: list[gr.Image]
    weights: list[gr.Slider]
    slots: list[gr.Column]
    is_mixed: gr.Checkbox
    offered: gr.Gallery | None
    drawing: gr.ImageEditor
    controls: Controls


@dataclass(frozen=True, kw_only=True, eq=False)
class Buttons:
    """What is done with them."""

    paint: gr.Button
    fast: gr.Button
    stop: gr.Button
    leave: gr.Button


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """What comes of it."""

    line: gr.HTML
    ticket: gr.State
    live: gr.HTML
    slider: gr.ImageSlider
    beside: gr.Radio
    download: gr.DownloadButton
    go_on: gr.Button
    twice: gr.Button
    after: gr.Row
    history: gr.Gallery
    past: gr.Column


def lay_out(offered: Sequence[Painting]) -> tuple[Inputs, Buttons, Outputs]:
    """Make all components within a `gr.Blocks`."""
    with gr.Row(elem_id="page", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_id="inputs"):
            inputs = _sources(offered)
            buttons = _buttons()
            drawing = _more(inputs["controls"])
        with gr.Column(scale=7, min_width=320, elem_id="outputs"):
            outputs = _outputs()
    return Inputs(drawing=drawing, **inputs), buttons, outputs


def _sources(offered: Sequence[Painting]) -> dict[str, Any]:
    shown: dict[str, Any] = {"interactive": True, "buttons": [], "height": 220}
    with gr.Row(elem_id="sources"):
        photograph = gr.Image(
            label="photograph",
            elem_id="photograph",
            sources=["upload", "clipboard", "webcam"],
            placeholder="Drop a photograph here, paste one, or click",
            webcam_options=gr.WebcamOptions(mirror=False),
            min_width=150,
            **shown,
        )
        paintings, weights, slots = [], [], []
        for number in range(1, MAX_PAINTINGS + 1):
            with gr.Column(min_width=150, visible=number == 1) as slot:
                label = "painting" if number == 1 else f"painting {number}"
                painting = gr.Image(
                    label=label,
                    elem_id=f"painting-{number}",
                    sources=["upload", "clipboard"],
                    placeholder="Drop a painting here, paste one, or choose below",
                    **shown,
                )
                weight = gr.Slider(
                    0,
                    1,
                    value=1,
                    step=0.05,
                    label="weight",
                    elem_id=f"weight-{number}",
                    visible=False,
                    buttons=[],
                )
            paintings.append(painting)
            weights.append(weight)
            slots.append(slot)
    gallery = None
    if offered:
        gallery = gr.Gallery(
            [(str(each.preview), each.name) for each in offered],
            label="paintings to choose from",
            show_label=False,
            elem_id="offered",
            columns=4,
            height="auto",
            allow_preview=False,
            object_fit="cover",
            buttons=[],
            interactive=False,
        )
    is_mixed = gr.Checkbox(label="mix several paintings", elem_id="mixed", container=False)
    return {
        "photograph": photograph,
        "paintings": paintings,
        "weights": weights,
        "slots": slots,
        "is_mixed": is_mixed,
        "offered": gallery,
        "controls": Controls(),
    }


def _buttons() -> Buttons:
    with gr.Row(elem_id="actions"):
        return Buttons(
            paint=gr.Button("Paint", variant="primary", elem_id="paint", min_width=80),
            fast=gr.Button("Fast", elem_id="fast", min_width=80),
            stop=gr.Button("Stop", interactive=False, elem_id="stop", min_width=80),
            leave=gr.Button("Leave", visible=False, elem_id="leave", min_width=80),
        )


def _more(made: Controls) -> gr.ImageEditor:
    """The settings, and the brush; returns that."""
    with gr.Accordion("more", open=False, elem_id="more"):
        with gr.Row(elem_classes="settings"):
            made.setting("size")
            made.strength()
            for name in controls.FIRST[1:]:
                made.setting(name)
        gr.HTML(_legend(), elem_id="legend")
        drawing = gr.ImageEditor(
            label="brush on the photograph",
            show_label=False,  # the legend says it
            elem_id="drawing",
            type="numpy",
            image_mode="RGBA",
            sources=(),
            transforms=(),
            layers=False,
            buttons=[],
            brush=gr.Brush(
                colors=list(masks.COLORS), default_color=masks.KEEP_COLOR, color_mode="fixed"
            ),
            canvas_size=_CANVAS,
            interactive=True,
        )
        with (
            gr.Accordion("all settings", open=False, elem_id="all-settings"),
            gr.Row(elem_classes="settings"),
        ):
            made.recipe()
            for name in controls.OTHERS:
                made.setting(name)
    return drawing


def _legend() -> str:
    names = ["keep this", *(f"painting {n} here" for n in range(1, MAX_PAINTINGS + 1))]
    entries = [
        f"<li><i style='background:{color}'></i>{name}</li>"
        for color, name in zip(masks.COLORS, names, strict=True)
    ]
    return f"<p>Paint on the photograph, one color for each meaning:</p><ul>{''.join(entries)}</ul>"


def _outputs() -> Outputs:
    line = gr.HTML(elem_id="line", min_height=28)
    live = gr.HTML(words.NO_PICTURE, elem_id="live")
    slider = gr.ImageSlider(
        label="photograph | picture",
        show_label=False,
        elem_id="picture",
        interactive=False,
        buttons=["fullscreen"],
        max_height=640,
        visible=False,
        type="filepath",
    )
    with gr.Row(visible=False, elem_id="after") as after:
        download = gr.DownloadButton(
            "Download", variant="primary", elem_id="download", min_width=80
        )
        go_on = gr.Button("Go on", elem_id="go-on", min_width=80)
        twice = gr.Button("Twice the size", elem_id="twice", min_width=80)
    with gr.Column(visible=False, elem_id="past") as past:
        beside = gr.Radio(
            list(BESIDE), value=BESIDE[0], label="beside it", elem_id="beside", container=False
        )
        history = gr.Gallery(
            label="pictures of this visit",
            show_label=False,
            elem_id="history",
            columns=6,
            height="auto",
            allow_preview=False,
            object_fit="cover",
            buttons=[],
            interactive=False,
        )
    return Outputs(
        line=line,
        # A new one lets a run follow.
        ticket=gr.State(""),
        live=live,
        slider=slider,
        beside=beside,
        download=download,
        go_on=go_on,
        twice=twice,
        after=after,
        history=history,
        past=past,
    )
