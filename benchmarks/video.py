"""Measure how calm painted films are, what they keep of the style, and what a frame takes.

Clips whose motion is known, and a film's if one is given, painted by each method in turns.

python benchmarks/video.py --film=film.mp4
"""

import itertools
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from time import perf_counter

import machine
import numpy as np
import video_clips
import video_measures
import video_pictures
from absl import flags
from video_clips import Clip

from nst_tf import Settings, Style, feed_forward
from nst_tf.cli import app
from nst_tf.coarse_to_fine import optimize
from nst_tf.images import image_io
from nst_tf.images.pixels import resize, to_float, to_uint
from nst_tf.reports import comparison
from nst_tf.run.pyramid import style_image_size
from nst_tf.run.session import Session
from nst_tf.video.feed_forward import FastPainter
from nst_tf.video.film import open_film
from nst_tf.video.frame_by_frame import paint
from nst_tf.video.optimization import OptimizationPainter

_SAMPLES = machine.ROOT / "samples"
_CONTENT = flags.DEFINE_multi_string(
    "content",
    [f"{_SAMPLES}/content/{name}.jpg" for name in ("cincinnati_bridge", "raccoon", "honey_bee")],
    "photographs: of the clips pan and passing, of still, and of passing's object",
)
_STYLE = flags.DEFINE_string(
    "style", f"{_SAMPLES}/style/vangogh_village_street_in_auvers.jpg", "the style image"
)
_FILM = flags.DEFINE_string("film", None, "a film of which frames are a further clip; none if not")
_START = flags.DEFINE_float("start", 0, "seconds of the film before that clip")
_CLIPS = flags.DEFINE_list("clips", [], "names of the clips to measure; all if none is given")
_SIZE = flags.DEFINE_integer("size", 320, "long side of the clips, in pixels")
_STEPS = flags.DEFINE_integer("steps", Settings.steps, "--steps of a photograph painted alone")
_KEYFRAMES = flags.DEFINE_integer("keyframes", 6, "of --keyframes, that of the method of this name")
_OUTPUT = flags.DEFINE_string("output_dir", "benchmarks", "folder of the results")
_PICTURES = flags.DEFINE_string("pictures_dir", None, "folder to save the pictures in; none if not")
# How far back the frames are that a frame is compared with.
_GAPS = (1, 8)
# How far the object is from a background that is seen again, in pixels.
_REACHES = (0, 8)
# Frames that are painted before the first clip: what is slow once is slow in these.
_WARM_UP = 2
# Of a clip of 24, from 0: what is painted alone, as a photograph, which takes longest; pairs of
# neighbors and of frames 8 apart are among them. All methods are measured on these.
_ALONE = (0, 1, 8, 9, 16, 17, 23)
# Of frames, and of the painted ones: a function that paints one after another.
Method = Callable[[Iterable[np.ndarray]], Iterator[np.ndarray]]


def main() -> None:
    """Paint and measure clip by clip, and save the numbers after each."""
    style = image_io.read(_STYLE.value).rgb
    paths = {"style": _STYLE.value, "film": _FILM.value or ""}
    settings = {"size": _SIZE.value, "steps": _STEPS.value, "keyframes": _KEYFRAMES.value}
    settings |= {"frames": video_clips.FRAMES, "sigma": video_clips.SIGMA}
    settings |= {key: Path(path).stem for key, path in paths.items()}
    results = machine.provenance() | {"settings": settings, "clips": {}}
    packages = ("opencv-python-headless", "av")
    results["versions"] |= {name: metadata.version(name) for name in packages}
    methods = _methods(style)
    for number, (name, clip) in enumerate(_clips()):
        if not number:
            _warm_up(methods, clip.frames)
        painted, seconds = _paint_in_turns(methods, clip.frames)
        painted = {"source": clip.frames} | painted
        measured = _measure(clip, painted, style)
        for method, each in seconds.items():
            measured[method]["seconds"] = each
        results["clips"][name] = measured
        machine.save(_OUTPUT.value, "video.json", results)
        _report(name, measured)
        if _PICTURES.value:
            video_pictures.save(_PICTURES.value, name, painted)


def _clips() -> Iterator[tuple[str, Clip]]:
    """The clips by their names, each made when it is its turn."""
    scene, portrait, texture = (image_io.read(path).rgb for path in _CONTENT.value)
    size = _SIZE.value
    clips = {
        "pan": lambda: video_clips.pan(scene, size),
        "still": lambda: video_clips.still(portrait, size),
        "passing": lambda: video_clips.passing(scene, texture, size),
    }
    if _FILM.value:
        clips["film"] = _film
    for name in _CLIPS.value or clips:
        yield name, clips[name]()


def _film() -> Clip:
    frames = open_film(_FILM.value, size=_SIZE.value, start=_START.value).frames()
    return video_clips.film(
        np.stack([each.rgb for each in itertools.islice(frames, video_clips.FRAMES)])
    )


def _methods(style: np.ndarray) -> dict[str, Method]:
    """The methods by their names, each with what it keeps for the next clip."""
    settings, styles = Settings(size=_SIZE.value, steps=_STEPS.value), [Style(style)]
    session = Session()
    model = feed_forward.load("bundled")
    fast = model.blend([style[np.newaxis]], [1.0])

    def paint_alone(content: np.ndarray) -> np.ndarray:
        for progress in optimize(content, styles, settings, session=session):
            last = progress
        return _rounded(last.image())

    def paint_fast_alone(content: np.ndarray) -> np.ndarray:
        return _rounded(fast(content[np.newaxis])[0].numpy())

    def optimization(**options) -> OptimizationPainter:
        return OptimizationPainter(styles, settings, session=session, **options)

    return {
        "frame by frame": lambda frames: (
            paint_alone(frame) if index in _ALONE else np.full_like(frame, np.nan)
            for index, frame in enumerate(frames)
        ),
        "optimize": lambda frames: paint(frames, optimization()),
        "keyframes": lambda frames: paint(frames, optimization(keyframes=_KEYFRAMES.value)),
        "fast, frame by frame": lambda frames: map(paint_fast_alone, frames),
        "fast": lambda frames: paint(frames, FastPainter(model, [style[np.newaxis]], [1.0])),
    }


def _paint_in_turns(
    methods: dict[str, Method], frames: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, list[float]]]:
    """Each method's painted frames and the seconds of each, all methods frame by frame in turns."""
    streams = {name: method(iter(frames)) for name, method in methods.items()}
    painted: dict[str, list[np.ndarray]] = {name: [] for name in methods}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for number in range(1, len(frames) + 1):
        for name, stream in streams.items():
            started = perf_counter()
            painted[name].append(next(stream))
            if np.isfinite(painted[name][-1]).all():
                seconds[name].append(perf_counter() - started)
        last = ", ".join(f"{name} {each[-1]:.2f} s" for name, each in seconds.items())
        print(f"frame {number} of {len(frames)}: {last}", flush=True)
    return {name: np.stack(each) for name, each in painted.items()}, seconds


def _warm_up(methods: dict[str, Method], frames: np.ndarray) -> None:
    for method in methods.values():
        for _ in method(iter(frames[:_WARM_UP])):
            pass


def _pairs(gap: int) -> list[int]:
    """The later frames of the pairs among those that are painted alone."""
    return [index for index in _ALONE if index - gap in _ALONE]


def _measure(
    clip: Clip, painted: dict[str, np.ndarray], style: np.ndarray
) -> dict[str, dict[str, dict]]:
    """The measures by method, those of a clip of this kind."""
    measured = {}
    for method, frames in painted.items():
        errors = {
            str(gap): video_measures.warping_error(frames, clip.motion, gap, _pairs(gap))
            for gap in _GAPS
        }
        each = {
            "warping_error": errors,
            "frame_difference": video_measures.frame_difference(frames, clip.frames, _pairs(1)),
            "flicker": video_measures.flicker(frames[list(_ALONE)]),
            "drift": video_measures.drift(frames),
        }
        if clip.hidden is not None and np.isfinite(frames).all():
            each["uncovered"] = {
                str(reach): _uncovered(frames, clip.hidden, reach) for reach in _REACHES
            }
        measured[method] = each | {"scores": {}}
    for index in (_ALONE[0], _ALONE[len(_ALONE) // 2], _ALONE[-1]):
        evaluator = comparison.Evaluator(clip.frames[index], _scaled(style, clip))
        for method, frames in painted.items():
            scores = asdict(evaluator.measure(frames[index]))
            measured[method]["scores"][str(index + 1)] = scores
    return measured


def _uncovered(frames: np.ndarray, hidden: np.ndarray, reach: int) -> dict[str, float]:
    measured = video_measures.uncovered(frames, hidden, reach)
    return measured._asdict() | {"ratio": measured.ratio}


def _scaled(style: np.ndarray, clip: Clip) -> np.ndarray:
    """The style image at the scale of a clip's frames."""
    size = style_image_size(*style.shape[:2], max(clip.frames.shape[1:3]))
    return resize(style, *size).numpy()


def _rounded(image: np.ndarray) -> np.ndarray:
    return to_float(to_uint(image, np.uint8))


def _report(clip: str, measured: dict[str, dict]) -> None:
    for method, each in measured.items():
        seconds = statistics.median(each["seconds"][1:]) if "seconds" in each else 0.0
        numbers = {key: value for key, value in each.items() if key not in ("seconds", "scores")}
        print(f"{clip}, {method}: {seconds:.2f} s a frame, {numbers}", flush=True)


if __name__ == "__main__":
    app.run(main)
