"""What runs of the same settings have in common, so that it is done once for all of them."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nst_tf import features
from nst_tf.settings import Settings


class Shared:
    """The network, the graphs of its steps, and what has been learnt from paintings.

    Attributes:
        graphs: as of `step.Step`.
        learnt: for each painting, by its number and its long side, as of `manner.Painting`. Empty
            it before paintings are changed.
    """

    def __init__(self) -> None:
        self.graphs: dict[str, Callable] = {}
        self.learnt: dict[tuple[int, int], dict] = {}
        self._settings: Settings | None = None
        self._network: Any = None

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
            self.learnt.clear()
            # The old one goes before the new one comes.
            self._settings = self._network = None
            self._network = features.of(settings, settings.precision)
            self._settings = settings
        return self._network
