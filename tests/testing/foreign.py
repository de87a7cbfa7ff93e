"""Calls a signature, or `__call__`, of a SavedModel where nst_tf cannot be imported.

python foreign.py MODEL SIGNATURE INPUTS.npz OUTPUTS.npz
"""

import sys

sys.modules["nst_tf"] = None

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def tensor(array):
    return tf.constant(array.item()) if array.dtype.kind == "S" else tf.constant(array)


if __name__ == "__main__":
    folder, signature, inputs, outputs = sys.argv[1:]
    model = tf.saved_model.load(folder)
    function = model if signature == "__call__" else model.signatures[signature]
    with np.load(inputs) as file:
        found = function(**{name: tensor(file[name]) for name in file})
    if signature == "__call__":
        found = {str(index): value for index, value in enumerate(found)}
    np.savez(outputs, **{name: value.numpy() for name, value in found.items()})
