"""Calls a signature of a SavedModel where nst_tf cannot be imported.

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
    function = tf.saved_model.load(folder).signatures[signature]
    with np.load(inputs) as file:
        found = function(**{name: tensor(file[name]) for name in file})
    np.savez(outputs, **{name: value.numpy() for name, value in found.items()})
