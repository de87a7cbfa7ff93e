"""What runs of the same settings have in common, so that it is done once for all of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nst_tf.networks import vgg
from nst_tf.run import memory
from nst_tf.settings import Settings
from nst_tf.style import Style

# With more long sides than this of one painting, what was learnt from it is forgotten.
_MOST_LEARNT = 32


class Shared:
    """The network, the graphs of its steps, and what has been learnt from the last paintings.

    Attributes:
        graphs: as of `step.Step`.
    """

    def __init__(self) -> None:
        self.graphs: dict[str, Callable] = {}
        self._learnt: dict[tuple[int, int], dict] = {}
        self._styles: Sequence[Style] = []
        self._settings: Settings | None = None
        self._network: Any = None
        self._room: tuple[float, float] | None = None

    def network(self, settings: Settings) -> tf.keras.Model:
        """The network that settings describe; where they have changed, all else is dropped.

        Args:
            settings: the knobs, precision no longer `auto`.

        Returns:
            The model of `features.extractor`.

        Raises:
            InputError: as of `features.extractor`.
        """
        if settings != self._settings:
            self.graphs.clear()
            self._learnt.clear()
            # The old one goes before the new one comes.
            self._settings = self._network = None
            self._network = vgg.of(settings, settings.precision)
            self._settings = settings
        return self._network

    def learnt(self, styles: Sequence[Style]) -> dict[tuple[int, int], dict]:
        """What has been learnt from paintings, where they are the same as the last time.

        Args:
            styles: the paintings.

        Returns:
            By a painting's number and its long side, as of `manner.Painting`; to be added to.
        """
        same = len(styles) == len(self._styles) and all(
            one is other for one, other in zip(styles, self._styles, strict=True)
        )
        if not same or len(self._learnt) > _MOST_LEARNT * len(styles):
            self._learnt.clear()
        self._styles = list(styles)
        return self._learnt

    def room(self, content: np.ndarray) -> tuple[float, float]:
        """The memory to plan with: what the first run found, so that each finds the same.

        What a run has had stays with the process, and serves the next.

        Args:
            content: the photograph.

        Returns:
            As of `memory.used_and_free`.
        """
        if self._room is None:
            used, free = memory.used_and_free()
            self._room = used - content.nbytes, free
        used, free = self._room
        return used + content.nbytes, free
