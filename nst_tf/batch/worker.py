"""A worker of a batch: renders one request after another.

Images come and go as the bytes of their files, so that a worker may be on another machine.
"""

import json
import os
import socket
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf import feed_forward, limits, tensorflow_startup
from nst_tf.batch.requests import RenderConfig, RenderRequest, RenderResult, failure
from nst_tf.coarse_to_fine import optimize
from nst_tf.images import image_io
from nst_tf.images.cutout import apply_to_visible, crop_to_visible
from nst_tf.images.image_io import Picture
from nst_tf.images.pixels import resize
from nst_tf.networks import precision, vgg
from nst_tf.run import memory_plan, pyramid, record
from nst_tf.run.progress import State
from nst_tf.run.session import Session
from nst_tf.settings import Settings
from nst_tf.style import Style, visible_region


class Worker:
    """Renders requests; network, traced steps and style targets are reused by the next one."""

    def __init__(self, threads: int = 0, memory_fraction: float = 0.0):
        """Configure TensorFlow.

        Args:
            threads: number of threads to compute with; 0 for all cores.
            memory_fraction: of the free memory, from 0 to 1; 0 for the fraction that the threads
                are of the cores.
        """
        tensorflow_startup.import_tensorflow()
        self._name = f"{socket.gethostname()} {os.getpid()}"
        cores = limits.num_cores()
        if 0 < threads < cores:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
            memory_fraction = memory_fraction or threads / cores
        self._max_memory = 0.0  # GiB; 0 for no limit but the settings'
        if 0 < memory_fraction < 1:
            used, free = memory_plan.used_and_free()
            share = memory_plan.DEFAULT_FRACTION * free * memory_fraction
            self._max_memory = (used + share) / 2**30
        self._config: RenderConfig | None = None
        self._method: _Optimization | _FeedForward | None = None
        self._style = b"", 0  # the file's bytes, the long side it was read for

    def prepare(self, config: RenderConfig) -> None:
        """Load the network of a config; an InputError means that no image can be rendered."""
        if config == self._config:
            return
        self._config = self._method = None  # the old network goes before the new one comes
        if config.method == "optimize":
            self._method = _Optimization(config, self._max_memory)
        else:
            self._method = _FeedForward(config)
        self._config, self._style = config, (b"", 0)

    def render(self, config: RenderConfig, request: RenderRequest) -> RenderResult:
        """Render a request; an error of the image becomes part of the result."""
        started = perf_counter()
        try:
            self.prepare(config)
            result = self._render(request)
        except Exception as error:
            result = failure(request.number, error)
        seconds = round(perf_counter() - started, 3)
        return result._replace(seconds=seconds, worker=self._name)

    def _render(self, request: RenderRequest) -> RenderResult:
        assert self._method is not None
        assert self._config is not None
        settings = self._config.settings
        content = image_io.read(*request.content, long_side=settings.size)
        long_side = pyramid.style_long_side(settings, max(content.rgb.shape))
        if self._style != (request.style[1], long_side):
            self._style = b"", 0  # until its targets are there
            self._method.set_style(image_io.read(*request.style, long_side=long_side))
            self._style = request.style[1], long_side
        rendering = self._method.render(content)
        data = image_io.encode(
            rendering.rgb,
            alpha=content.alpha,
            bits=content.bits,
            note=rendering.note,
            metadata=content.metadata,
        )
        return RenderResult(request.number, data, rendering.losses, precision=rendering.precision)


class _Rendering(NamedTuple):
    """An image, float32 sRGB [H, W, 3], and what is known about it."""

    rgb: np.ndarray
    note: str = ""
    losses: dict[str, float] = {}
    precision: str = ""


class _Optimization:
    """The optimization, with one session for all requests."""

    def __init__(self, config: RenderConfig, max_memory: float):
        self._config, settings = config, config.settings
        self._settings = replace(settings, max_memory=settings.max_memory or max_memory)
        self._weights_sha256 = vgg.origin(settings).get("sha256")
        self._session, self._styles = Session(), list[Style]()
        resolved = precision.resolve(settings.precision)
        self._session.begin(replace(self._settings, precision=resolved), self._styles)

    def set_style(self, picture: Picture) -> None:
        self._styles = [Style(picture.rgb, region=visible_region(picture.alpha, None))]

    def render(self, content: Picture) -> _Rendering:
        losses: dict[str, float] = {}
        run = optimize(
            content.rgb, self._styles, self._settings, alpha=content.alpha, session=self._session
        )
        for progress in run:
            if progress.accepted:
                losses = {name: float(loss) for name, loss in progress.losses._asdict().items()}
        state = progress.state()
        return _Rendering(
            progress.image(), self._note(content, state), losses, state.plan.precision
        )

    def _note(self, content: Picture, state: State) -> str:
        """The record that stylize.py writes into the same image."""
        inputs = record.run_inputs(
            content.rgb,
            self._styles,
            self._config.settings,
            weights_sha256=self._weights_sha256,
            alpha=content.alpha,
        )
        flags: dict[str, Any] = {"style_blend": [], "style_layers": None}
        flags["recipe"] = self._config.recipe
        return json.dumps({**record.make_record(inputs, state), "flags": flags})


class _FeedForward:
    """The feed-forward network."""

    _stylize: feed_forward.Stylize

    def __init__(self, config: RenderConfig):
        self._stylizer = feed_forward.load(config.handle)
        self._settings = Settings(size=config.settings.size, scales=1)

    def set_style(self, picture: Picture) -> None:
        visible = crop_to_visible(picture.rgb, picture.alpha)
        self._stylize = self._stylizer.blend([visible[np.newaxis]], [1.0])

    def render(self, content: Picture) -> _Rendering:
        height, width = content.rgb.shape[:2]
        size = pyramid.scale_sizes(height, width, self._settings)[-1]
        resized = resize(content.rgb[np.newaxis], *size)
        rgb = apply_to_visible(self._stylize, resized, content.alpha, pyramid.MIN_SIDE)[0]
        return _Rendering(rgb)
