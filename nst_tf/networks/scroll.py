"""Scrolls: style images too long for a network that expects about a square."""

import tensorflow as tf


def split_scroll(style: tf.Tensor, max_ratio: int) -> tf.Tensor:
    """Cut images [B, h, w, 3] longer than `max_ratio` times their width into squares [n * B, ...].

    The squares of an image, evenly spaced, cover all of it. Other images are returned as they are.
    """
    sides = tf.shape(style)[1:3]
    long, short = tf.reduce_max(sides), tf.reduce_min(sides)

    def squares() -> tf.Tensor:
        rows, columns = _square_index(sides[0], short), _square_index(sides[1], short)
        pieces = tf.gather(style, rows, axis=1)
        pieces = tf.gather(pieces, columns, axis=3)  # [B, n, short, m, short, 3], n or m is 1
        return tf.reshape(tf.transpose(pieces, [1, 3, 0, 2, 4, 5]), [-1, short, short, 3])

    return tf.cond(long > max_ratio * short, squares, lambda: tf.identity(style))


def mean_of_pieces(bottlenecks: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """The bottlenecks of `batch` images from those of all their pieces."""
    shape = tf.concat([[-1, batch], tf.shape(bottlenecks)[1:]], axis=0)
    return tf.reduce_mean(tf.reshape(bottlenecks, shape), axis=0)


def _square_index(side: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """The positions [n, length] of pieces that cover a side."""
    count = -(-side // length)
    starts = tf.round(tf.range(count) * (side - length) / tf.maximum(count - 1, 1))
    return tf.cast(starts, tf.int32)[:, tf.newaxis] + tf.range(length)
