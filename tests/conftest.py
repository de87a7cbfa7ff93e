"""absl's test cases ask for flags, and pytest does not parse any."""

from absl import flags

flags.FLAGS.mark_as_parsed()
