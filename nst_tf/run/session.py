"""Session: network, traced steps and style targets, kept for the next run that can use them."""

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import tensorflow as tf

from nst_tf.losses.style_targets import Cache
from nst_tf.networks import vgg
from nst_tf.run import memory_plan
from nst_tf.settings import Settings
from nst_tf.style import Style

# Entries for each style image before the cache is emptied.
_MAX_CACHED = 32
# Settings that no traced step holds: they make its inputs, or the types of these.
_NOT_TRACED = {
    *("size", "steps", "scales", "color", "init", "init_noise", "style_scale", "seed"),
    *("lbfgs_history", "max_memory"),
}
# Settings that neither the network nor style targets depend on.
_OF_STEPS = _NOT_TRACED - {"style_scale"} | {
    *("content_weight", "style_weight", "tv_weight", "style_layer_weights"),
    *("optimizer", "learning_rate", "beta_1", "beta_2", "epsilon", "jit_compile"),
}
# Settings that the network does not depend on; one that is new counts for all three.
_NOT_OF_NETWORK = _OF_STEPS | {"style_scale", "style_loss", "loss_normalization"}


class Session:
    """State reused by consecutive runs, as far as their settings and styles are equal.

    Attributes:
        graphs: traced steps by their signature, see `traced_step.Step`.
        style_target_cache: statistics of the styles of the last run.
    """

    def __init__(self, memory: tuple[float, float] | None = None) -> None:
        """Plan with so many bytes used and free; None for what the first run finds."""
        self.graphs: dict[str, Callable] = {}
        self.style_target_cache: Cache = {}
        self._styles: Sequence[Style] = []
        self._settings: Settings | None = None
        self._network: tf.keras.Model | None = None
        self._memory = memory

    def begin(self, settings: Settings, styles: Sequence[Style]) -> tf.keras.Model:
        """Drop what a run with these settings (precision resolved) and styles cannot reuse.

        Returns the network. An InputError of `vgg.extractor` is passed on.
        """
        changed = self._changed(settings)
        if changed - _NOT_TRACED:
            self.graphs.clear()
        if changed - _NOT_OF_NETWORK:
            # The old network goes before the new one comes.
            self._settings = self._network = None
            self._network = vgg.extractor_from_settings(settings, settings.precision)
        same = len(styles) == len(self._styles) and all(map(_equal_targets, styles, self._styles))
        is_full = len(self.style_target_cache) > _MAX_CACHED * len(styles)
        if changed - _OF_STEPS or not same or is_full:
            self.style_target_cache.clear()
        self._settings, self._styles = settings, list(styles)
        assert self._network is not None
        return self._network

    def _changed(self, settings: Settings) -> set[str]:
        """The names of the settings that differ from the last run's; all if there was none."""
        return {
            each.name
            for each in fields(Settings)
            if self._settings is None
            or getattr(settings, each.name) != getattr(self._settings, each.name)
        }

    def memory_budget(self, content: np.ndarray) -> tuple[float, float]:
        """Bytes used and free to plan with: those of the first run, so that each plans the same.

        What a run has allocated stays with the process, and serves the next.
        """
        if self._memory is None:
            used, free = memory_plan.used_and_free()
            self._memory = used - content.nbytes, free
        used, free = self._memory
        return used + content.nbytes, free


def _equal_targets(one: Style, other: Style) -> bool:
    """Whether two style images have the same statistics."""
    return one is other or (
        _equal_arrays(one.rgb, other.rgb) and _equal_arrays(one.region, other.region)
    )


def _equal_arrays(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or np.array_equal(one, other)
