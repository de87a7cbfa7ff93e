"""A run in TensorBoard: losses, seconds of a step, and the picture."""

import os

import tensorflow as tf

from nst_tf.callbacks.base import Callback
from nst_tf.errors import InputError, one_line
from nst_tf.images import image_io
from nst_tf.run.progress import Progress

# Of TensorBoard's protocol: the data classes of its plugins.
_DATA_CLASSES = {"scalars": 1, "images": 3}


class TensorBoard(Callback):
    """Writes the losses and seconds of each step, and the picture of every nth.

    The step counts on from scale to scale. Losses of images that the optimizer did not keep are
    left out. `tf.summary.scalar` would need the package tensorboard; `tf.summary.write` does not.
    """

    def __init__(self, folder: str, every: int):
        self._folder, self._every = folder, every
        try:
            # As bytes: TensorFlow takes no text that is not UTF-8.
            self._writer = tf.summary.create_file_writer(os.fsencode(folder))
            self._writer.flush()
        except tf.errors.OpError as error:
            raise self._refusal(error) from error

    def on_step(self, progress: Progress) -> None:
        """Write the numbers, and the picture if it is due."""
        step = sum(progress.steps[: progress.scale]) + progress.step
        try:
            with self._writer.as_default(step):
                self._write_scalars(progress)
                # On a full disk this raises; the flush after a large picture would not.
                self._writer.flush()
                if (step + 1) % self._every == 0 or progress.done == 1:
                    self._write_picture(progress)
            self._writer.flush()
        except tf.errors.OpError as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Close the event file."""
        try:
            self._writer.close()
        except tf.errors.OpError as error:
            raise self._refusal(error) from error

    def _write_scalars(self, progress: Progress) -> None:
        _write("seconds", tf.constant(progress.seconds), "scalars")
        if progress.accepted:
            for name, loss in progress.losses._asdict().items():
                _write(f"loss/{name}", loss, "scalars")

    def _write_picture(self, progress: Progress) -> None:
        picture = progress.image()
        height, width = picture.shape[:2]
        values = tf.constant([str(width), str(height), image_io.encode(picture)])
        _write("picture", values, "images")

    def _refusal(self, error: Exception) -> InputError:
        reason = one_line(error).split("}} ")[-1]  # without the name of TensorFlow's operation
        return InputError(
            f"tensorboard_dir={self._folder}: cannot be written ({reason}); give another"
        )


def _write(tag: str, tensor: tf.Tensor, plugin: str) -> None:
    metadata = tf.compat.v1.SummaryMetadata(data_class=_DATA_CLASSES[plugin])
    metadata.plugin_data.plugin_name = plugin
    tf.summary.write(tag, tensor, metadata=metadata)
