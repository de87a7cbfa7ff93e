"""Tests run as scripts do: with flags, which pytest does not parse, and TensorFlow set up alike."""

from absl import flags

from nst_tf import tensorflow_startup

flags.FLAGS.mark_as_parsed()
tensorflow_startup.import_tensorflow()
