"""The part of RESULTS.md about films."""

import statistics
from collections.abc import Callable

from tables import Row, provenance, table

_TEXT = """Clips of {frames} frames, {size} px, whose motion is known since they are made of
photographs: `pan`, a window that moves over a photograph; `still`, a photograph with a sensor's
noise (standard deviation {sigma:.4f}) of its own in each frame; `passing`, an object that hides a
still background and lets it be seen again{film}. Warping error: the mean squared difference of a
frame to the last one, and to the one 8 back, moved as the source moves, where both are seen (Lai et
al. 2018); 0 is paint that moves with what it is painted on. FDB: the mean squared difference of the
changes from frame to frame to the source's (Xu et al. 2021); 0 changes by as much as the source.
Both are in thousandths. Flicker: the standard deviation of a sample over time, in 1/255; the
source's own is its noise. Uncovered: by how much the background, when it is first seen again,
differs from itself before it was hidden, in 1/255, beside the same for background that was never
hidden, and the ratio of both. Remains: how much of the object that hid it is left on it; 0 is
nothing, 1 is all of it. Both at once, and when the object is more than 8 px away, since paint
around it is part of its picture. Lightness: the last frame's mean over the first's. Style, content
and grain: as at the top of this page, of three frames, the first and the last among them. All but
uncovered is measured on frames 1, 2, 9, 10, 17, 18 and 24, which are those painted alone as
photographs. Seconds: of a frame after the first, the median, of `keyframes` the mean, since one in
{keyframes} takes longer. All methods were painted in turns, a frame each; beside: over the same
frame painted alone, as a photograph."""

_FILM = "; and `film`, frames of {film} with estimated motion"
# What a frame is beside when it is painted alone: optimized with --steps, or by the network.
_ALONE, _FAST_ALONE = "frame by frame", "fast, frame by frame"
_BASELINES = {
    **dict.fromkeys((_ALONE, "optimize", "keyframes"), _ALONE),
    **dict.fromkeys((_FAST_ALONE, "fast"), _FAST_ALONE),
}
# Methods whose frames do not all take the same.
_UNEVEN = ("keyframes",)
# Columns that only some clips have: the clip, and the titles.
_OWN = {"still": ["flicker"], "passing": ["uncovered", "remains", "8 px clear", "remains there"]}


def parts(results: dict) -> list[str]:
    """Paragraphs of Markdown from the results of `video.py`."""
    settings = results["settings"]
    film = _FILM.format_map(settings) if settings["film"] else ""
    text = _TEXT.replace("\n", " ").format_map(settings | {"film": film})
    paragraphs = ["## Films", f"{text} Style image: {settings['style']}."]
    for name, methods in results["clips"].items():
        paragraphs += [f"### The clip {name}", table(_rows(name, methods))]
    return [*paragraphs, provenance(results)]


def seconds_a_frame(method: str, seconds: list[float]) -> float:
    """Of the frames after the first: their median, or the mean where frames differ in kind."""
    middle = statistics.fmean if method in _UNEVEN else statistics.median
    return middle(seconds[1:])


def _rows(clip: str, methods: dict[str, dict]) -> list[Row]:
    own = _OWN.get(clip, [])
    head = ["method", "warping error", "8 back", "FDB", *own, "lightness"]
    rows = [[*head, "style", "content", "grain", "seconds", "beside"]]
    seconds = {
        name: seconds_a_frame(name, each["seconds"])
        for name, each in methods.items()
        if "seconds" in each
    }
    for name, each in methods.items():
        errors = [f"{1000 * each['warping_error'][gap]:.2f}" for gap in ("1", "8")]
        cells = [name, *errors, f"{1000 * each['frame_difference']:.2f}"]
        cells += [_CELLS[title](each) if _has(title, each) else "" for title in own]
        cells += [f"{each['drift']:.3f}", *_score_cells(each["scores"])]
        timing = ["", ""]
        if name in seconds:
            beside = seconds[name] / seconds[_BASELINES[name]]
            timing = [f"{seconds[name]:.2f} s", f"{beside:.2f}x"]
        rows.append([*cells, *timing])
    return rows


_CELLS: dict[str, Callable[[dict], str]] = {
    "flicker": lambda each: f"{255 * each['flicker']:.2f}",
    "uncovered": lambda each: _uncovered_cell(each["uncovered"]["0"]),
    "remains": lambda each: f"{each['uncovered']['0']['remains']:.2f}",
    "8 px clear": lambda each: _uncovered_cell(each["uncovered"]["8"]),
    "remains there": lambda each: f"{each['uncovered']['8']['remains']:.2f}",
}


def _has(title: str, measured: dict) -> bool:
    return title == "flicker" or "uncovered" in measured


def _uncovered_cell(measured: dict[str, float]) -> str:
    error, elsewhere = (f"{255 * measured[key]:.1f}" for key in ("error", "elsewhere"))
    return f"{error} beside {elsewhere}, {measured['ratio']:.1f}x"


def _score_cells(scores: dict[str, dict]) -> list[str]:
    """Style, content and grain, each of the frames in their order."""
    in_order = [scores[number] for number in sorted(scores, key=int)]
    formats = {"style": ".3f", "content": ".2f", "grain": ".2f"}
    return [", ".join(f"{each[key]:{spec}}" for each in in_order) for key, spec in formats.items()]
