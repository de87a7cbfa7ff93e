"""One step of an optimiser on an objective, within the memory there is."""

import gc
import logging
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nst_tf.losses.tiles import MIN_TILE_PIXELS
from nst_tf.optimizers.base import Evaluation

_LOG = logging.getLogger(__name__)


class Step:
    """A step of one scale: state in, state and evaluation out.

    Where the picture is seen whole, all of it is one graph. Where it is tiled, only the tiles are:
    what joins them then frees its memory as it goes, which a graph does not.

    Attributes:
        most: how many pixels are seen at a time.
    """

    def __init__(
        self,
        optimizer: Any,
        build: Callable[[float], Any],
        most: float,
        graphs: dict[str, Callable],
        jit: bool,
    ):
        """Prepare nothing yet.

        Args:
            optimizer: an `Adam` or `Lbfgs`.
            build: makes the objective that sees so many pixels at a time.
            most: how many those are.
            graphs: those of other steps of the same optimiser, network and settings; what is
                missing there is added.
            jit: whether to compile with XLA.
        """
        self._optimizer, self._build, self._jit = optimizer, build, jit
        self._graphs, self.most = graphs, most
        self._step: Callable | None = None

    def __call__(self, state: Any) -> tuple[Any, Evaluation]:
        """Take the step; with smaller tiles where the device has too little memory for it.

        Args:
            state: of the optimiser.

        Returns:
            The state after the step, and what was evaluated.

        Raises:
            tf.errors.ResourceExhaustedError: the smallest tiles do not help.
        """
        while True:
            try:
                self._step = self._step or self._prepare(state)
                return self._step(state)
            except tf.errors.ResourceExhaustedError:
                seen = min(self.most, state.image.shape[1] * state.image.shape[2])
                if seen <= MIN_TILE_PIXELS:
                    raise
                self.most, self._step = max(seen // 2, MIN_TILE_PIXELS), None
                _LOG.warning("out of memory; going on with tiles of at most %d pixels", self.most)

    def _prepare(self, state: Any) -> Callable:
        # Objectives and graphs refer to each other in circles; the last scale's would stay.
        gc.collect()
        objective = self._build(self.most)
        if objective.tiled:
            return lambda state: self._optimizer.step(state, objective.value_and_grad)
        # For any size, though this is used for one: where sizes are known, graphs are simplified
        # and round otherwise, and the exported graph would paint another picture. So it serves
        # all sizes, and all pictures with as many paintings and masks.
        signature = tf.nest.map_structure(_any_size, (state, objective.targets))
        key = str(signature)
        if key not in self._graphs:
            # Without its targets, or the graph would hold them.
            nothing = tf.nest.map_structure(lambda _: None, objective.targets)
            self._graphs[key] = self._trace(objective.with_targets(nothing), signature)
        graph = self._graphs[key]
        return lambda state: graph(state, objective.targets)

    def _trace(self, objective: Any, signature: Any) -> Callable:
        def step(state: Any, targets: Any) -> tuple[Any, Evaluation]:
            return self._optimizer.step(state, objective.with_targets(targets).value_and_grad)

        # None leaves XLA to TensorFlow; False would forbid it to a caller who has turned it on.
        return tf.function(step, signature, autograph=False, jit_compile=self._jit or None)


def _any_size(tensor: tf.Tensor) -> tf.TensorSpec:
    """The type of a tensor; pictures and features [1, H, W, C] of any height and width."""
    shape = [1, None, None, tensor.shape[-1]] if tensor.shape.rank == 4 else tensor.shape
    return tf.TensorSpec(shape, tensor.dtype)
