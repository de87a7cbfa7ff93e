"""One step of an optimizer on an objective, in smaller tiles where memory runs out."""

import gc
import logging
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nst_tf.losses.constraints import Evaluable
from nst_tf.losses.tiles import MIN_TILE_PIXELS
from nst_tf.optimizers.adam import Adam
from nst_tf.optimizers.base import Evaluation
from nst_tf.optimizers.lbfgs import Lbfgs

Optimizer = Adam | Lbfgs
# AdamState or LbfgsState, as the optimizer is.
OptimizerState = Any
_LOG = logging.getLogger(__name__)


class Step:
    """A step of one scale: optimizer state in, state and evaluation out.

    Where the image is one tile, the whole step is one graph. Otherwise only each tile is: what
    joins them then frees memory as it goes, which a graph does not.

    Attributes:
        max_tile_pixels: the largest tile.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        build: Callable[[int], Evaluable],
        max_tile_pixels: int,
        graphs: dict[str, Callable],
        jit_compile: bool,
    ):
        """Keep what the first call needs; `build` makes the objective for a largest tile.

        `graphs` are traced steps of the same optimizer, network and weights; new ones are added.
        """
        self._optimizer, self._build, self._jit_compile = optimizer, build, jit_compile
        self._graphs, self.max_tile_pixels = graphs, max_tile_pixels
        self._step: Callable | None = None

    def __call__(self, state: OptimizerState) -> tuple[OptimizerState, Evaluation]:
        """Take the step; out of memory with the smallest tiles raises ResourceExhaustedError."""
        while True:
            try:
                self._step = self._step or self._prepare(state)
                return self._step(state)
            except tf.errors.ResourceExhaustedError:
                pixels = min(self.max_tile_pixels, state.image.shape[1] * state.image.shape[2])
                if pixels <= MIN_TILE_PIXELS:
                    raise
                self.max_tile_pixels, self._step = max(pixels // 2, MIN_TILE_PIXELS), None
                _LOG.warning(
                    "out of memory; continuing with tiles of at most %d pixels",
                    self.max_tile_pixels,
                )

    def _prepare(self, state: OptimizerState) -> Callable:
        # Objectives in tiles and what traces a graph refer to each other in cycles; the last
        # scale's would stay. It takes long where the process holds much, as for each frame of a
        # film.
        if not self._graphs or math.prod(state.image.shape[1:3]) > self.max_tile_pixels:
            gc.collect()
        objective = self._build(self.max_tile_pixels)
        if objective.tiled:
            return lambda state: self._optimizer.step(state, objective.value_and_grad)
        # For any size, though it is used for one: where sizes are known, graphs are simplified and
        # round otherwise, and the exported graph would paint another picture. So it serves all
        # sizes, and all images with as many style targets and masks.
        signature = tf.nest.map_structure(_any_size, (state, objective.targets))
        # One that keeps an image gray has the same targets as one that does not.
        key = f"{type(objective).__name__} {signature}"
        if key not in self._graphs:
            # Without its targets, or the graph would hold them.
            nothing = tf.nest.map_structure(lambda _: None, objective.targets)
            self._graphs[key] = self._trace(objective.with_targets(nothing), signature)
        graph = self._graphs[key]
        return lambda state: graph(state, objective.targets)

    def _trace(self, objective: Evaluable, signature: tuple) -> Callable:
        def step(state: OptimizerState, targets: tuple) -> tuple[OptimizerState, Evaluation]:
            return self._optimizer.step(state, objective.with_targets(targets).value_and_grad)

        # None leaves XLA to TensorFlow; False would forbid it to a caller who has turned it on.
        jit_compile = self._jit_compile or None
        function = tf.function(step, signature, autograph=False, jit_compile=jit_compile)
        # TensorFlow warns of retracing where several steps are traced one after another.
        return function.get_concrete_function()


def _any_size(tensor: tf.Tensor) -> tf.TensorSpec:
    """The type of a tensor; images and features [1, H, W, C] of any height and width."""
    shape = [1, None, None, tensor.shape[-1]] if tensor.shape.rank == 4 else tensor.shape
    return tf.TensorSpec(shape, tensor.dtype)
