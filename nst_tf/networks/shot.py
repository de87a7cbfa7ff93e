"""Shots of a film: instance normalization with moments that move slowly from frame to frame.

Plain instance normalization takes the moments of each frame alone, so that what enters at one side
changes the colors of all the rest.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from nst_tf.networks import stylization_strips
from nst_tf.networks.stylization import Moments, StylizationNetwork

# The moments stay this near to the frame's own, so that a shot may begin with a fade from black:
# a mean this far away in standard deviations, a variance at most so many times larger or smaller.
_MAX_SHIFT, _MAX_RATIO = 0.5, 2.0


class Shot:
    """What the frames of a shot share, given in their order, so that they do not flicker.

    Attributes:
        rate: how far the moments move in a frame from the last frame's to its own, in [0, 1]; with
            1 each frame is painted alone.
        moments: of all layers, for the next frame; empty before the first, which takes its own.
        own_bottleneck: the first frame's own style, once it is known.
    """

    def __init__(self, rate: float):
        """Begin a shot."""
        self.rate = rate
        self.moments: Sequence[Moments] = ()
        self.own_bottleneck: tf.Tensor | None = None

    def embed_once(self, embed: Callable[[tf.Tensor], tf.Tensor], content: tf.Tensor) -> tf.Tensor:
        """The bottleneck of the first content image, for all frames."""
        if self.own_bottleneck is None:
            self.own_bottleneck = embed(content)
        return self.own_bottleneck

    def transform(
        self, network: StylizationNetwork, content: tf.Tensor, bottleneck: tf.Tensor
    ) -> tf.Tensor:
        """`network.transform` of the next frame, float32 sRGB [1, H, W, 3] in (0, 1)."""
        rate = tf.constant(self.rate, tf.float32)
        stylized, self.moments = _transform(network, content, bottleneck, self.moments, rate)
        return stylized

    def transform_strips(
        self, network: StylizationNetwork, content: tf.Tensor, bottleneck: tf.Tensor
    ) -> tf.Tensor:
        """The same in strips, for a frame of any size."""
        layers = _Layers(self.moments, self.rate)
        stylized = stylization_strips.transform(network, content, bottleneck, layers)
        self.moments = layers.chosen
        return stylized


class _Layers:
    """Chooses the moments of a frame, layer by layer."""

    def __init__(self, last: Sequence[Moments], rate: float | tf.Tensor):
        self.chosen: list[Moments] = []
        self._last, self._rate = iter(last), rate

    def __call__(self, own: Moments) -> Moments:
        mean, variance = own
        last_mean, last_variance = next(self._last, own)
        shift, ratio = _MAX_SHIFT * tf.sqrt(variance), _MAX_RATIO
        moments = (
            tf.clip_by_value(self._move(last_mean, mean), mean - shift, mean + shift),
            tf.clip_by_value(
                self._move(last_variance, variance), variance / ratio, variance * ratio
            ),
        )
        self.chosen.append(moments)
        return moments

    def _move(self, last: tf.Tensor, own: tf.Tensor) -> tf.Tensor:
        # Exact for a rate of 0 or 1.
        return self._rate * own + (1 - self._rate) * last


@tf.function(autograph=False)
def _transform(
    network: StylizationNetwork,
    content: tf.Tensor,
    bottleneck: tf.Tensor,
    last: Sequence[Moments],
    rate: tf.Tensor,
) -> tuple[tf.Tensor, list[Moments]]:
    layers = _Layers(last, rate)
    return network.apply_style(content, bottleneck, layers), layers.chosen
