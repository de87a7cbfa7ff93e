"""A worker of a batch: it paints one picture after another and keeps what they have in common.

Pictures come and go as the bytes of their files, so that a worker may be on another machine.
"""

import json
import os
import socket
import traceback
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf import fast, startup
from nst_tf.batch.requests import Errand, Order, Painted
from nst_tf.errors import InputError
from nst_tf.images import image_io
from nst_tf.networks import precision, vgg
from nst_tf.run import memory, pyramid, record
from nst_tf.run.session import Shared
from nst_tf.settings import Settings
from nst_tf.style import Style
from nst_tf.transfer import optimize


class Worker:
    """Paints errands."""

    def __init__(self, threads: int = 0, share: float = 0.0):
        """Make TensorFlow ready.

        Args:
            threads: how many to compute with; 0 for all cores.
            share: its part of the memory, from 0 to 1; 0 for as large a part as of the cores.
        """
        startup.import_tensorflow()
        self._name = f"{socket.gethostname()} {os.getpid()}"
        self._most, cores = 0.0, os.cpu_count() or 1
        if 0 < threads < cores:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
            share = share or threads / cores
        if 0 < share < 1:
            for gpu in tf.config.list_physical_devices("GPU"):
                # Otherwise the first worker takes all of its memory.
                tf.config.experimental.set_memory_growth(gpu, True)
            _, free = memory.used_and_free()
            self._most = memory.SHARE * free * share / 2**30
        self._order: Order | None = None
        self._way: Any = None
        self._style = b""

    def settle(self, order: Order) -> Order:
        """Load the network, and decide what is to be the same for all workers.

        Args:
            order: as it was given, or as it was settled.

        Returns:
            The order to paint by.

        Raises:
            InputError: there is no such network, layer or model.
        """
        if order.method == "optimize" and not order.precision:
            order = order._replace(precision=precision.resolve(order.settings.precision))
        return self._follow(order)

    def paint(self, order: Order, errand: Errand) -> Painted:
        """Paint a picture.

        Args:
            order: as it was settled.
            errand: the picture.

        Returns:
            What became of it; no error of a picture's is raised.
        """
        began = perf_counter()
        error = trace = None
        try:
            self._follow(order)
            data, losses = self._paint(errand)
        except InputError as mistake:
            error = str(mistake)
        # Whatever it is, it is to be told of, and the others are to be painted.
        except Exception as trouble:
            error = " ".join(f"{type(trouble).__name__}: {trouble}".split())[:300]
            trace = traceback.format_exc()
        seconds = round(perf_counter() - began, 3)
        if error is not None:
            return Painted(errand.number, None, {}, seconds, self._name, error, trace)
        return Painted(errand.number, data, losses, seconds, self._name, kind=order.precision)

    def _follow(self, order: Order) -> Order:
        if order != self._order:
            # The old network goes before the new one comes.
            self._order = self._way = None
            self._way = _Slow(order, self._most) if order.method == "optimize" else _Fast(order)
            self._order, self._style = order, b""
        return order

    def _paint(self, errand: Errand) -> tuple[bytes, dict[str, float]]:
        photograph = image_io.read(*errand.content)
        if errand.style[1] != self._style:
            self._style = b""  # until it has been learnt
            self._way.learn(image_io.read(*errand.style).rgb)
            self._style = errand.style[1]
        rgb, note, losses = self._way.paint(photograph.rgb)
        bits, alpha = photograph.bits, photograph.alpha
        return image_io.encode(rgb, alpha=alpha, bits=bits, note=note), losses


class _Slow:
    """The optimisation."""

    def __init__(self, order: Order, most: float):
        self._given, settings = order.settings, order.settings
        most = settings.max_memory or most
        self._settings = replace(settings, precision=order.precision, max_memory=most)
        self._weights = vgg.origin(settings).get("sha256")
        self._shared = Shared()
        self._shared.network(self._settings)
        self._styles: list[Style] = []

    def learn(self, painting: np.ndarray) -> None:
        self._styles = [Style(painting)]

    def paint(self, content: np.ndarray) -> tuple[np.ndarray, str, dict[str, float]]:
        task = record.task(content, self._styles, self._given, weights=self._weights)
        losses: dict[str, float] = {}
        for progress in optimize(content, self._styles, self._settings, shared=self._shared):
            if progress.accepted:
                losses = {name: float(each) for name, each in progress.losses._asdict().items()}
        # As of a picture that stylize.py has painted by itself.
        flags: dict[str, Any] = {"style_blend": [], "style_layers": None}
        note = json.dumps({**record.of(task, progress.state()), "flags": flags})
        return progress.image(), note, losses


class _Fast:
    """The feed-forward path."""

    def __init__(self, order: Order):
        self._painter = fast.load(order.handle)
        self._size = Settings(size=order.settings.size, scales=1)
        self._manner: Any = None

    def learn(self, painting: np.ndarray) -> None:
        self._manner = self._painter.blend([painting[np.newaxis]], [1.0])

    def paint(self, content: np.ndarray) -> tuple[np.ndarray, str, dict[str, float]]:
        height, width = content.shape[:2]
        size = pyramid.scale_sizes(height, width, self._size)[-1]
        small = image_io.resize(content[np.newaxis], *size)
        return self._manner(small)[0].numpy(), "", {}
