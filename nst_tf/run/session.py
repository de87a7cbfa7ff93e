"""Session: network, traced steps and style targets, kept for the next run with equal settings."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from nst_tf.losses.style_targets import Cache
from nst_tf.networks import vgg
from nst_tf.run import memory_plan
from nst_tf.settings import Settings
from nst_tf.style import Style

# Entries for each style image before the cache is emptied.
_MAX_CACHED = 32


class Session:
    """State reused by consecutive runs with equal settings.

    Attributes:
        graphs: traced steps by their signature, see `traced_step.Step`.
        style_target_cache: statistics of the styles of the last run.
    """

    def __init__(self) -> None:
        self.graphs: dict[str, Callable] = {}
        self.style_target_cache: Cache = {}
        self._styles: Sequence[Style] = []
        self._settings: Settings | None = None
        self._network: tf.keras.Model | None = None
        self._memory: tuple[float, float] | None = None

    def begin(self, settings: Settings, styles: Sequence[Style]) -> tf.keras.Model:
        """Drop what a run with these settings (precision resolved) and styles cannot reuse.

        Returns the network. An InputError of `vgg.extractor` is passed on.
        """
        if settings != self._settings or self._network is None:
            self.graphs.clear()
            self.style_target_cache.clear()
            # The old network goes before the new one comes.
            self._settings = self._network = None
            self._network = vgg.extractor_from_settings(settings, settings.precision)
            self._settings = settings
        same = len(styles) == len(self._styles) and all(
            one is other for one, other in zip(styles, self._styles, strict=True)
        )
        if not same or len(self.style_target_cache) > _MAX_CACHED * len(styles):
            self.style_target_cache.clear()
        self._styles = list(styles)
        return self._network

    def memory_budget(self, content: np.ndarray) -> tuple[float, float]:
        """Bytes used and free to plan with: those of the first run, so that each plans the same.

        What a run has allocated stays with the process, and serves the next.
        """
        if self._memory is None:
            used, free = memory_plan.used_and_free()
            self._memory = used - content.nbytes, free
        used, free = self._memory
        return used + content.nbytes, free
