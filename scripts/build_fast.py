"""Build the bundled feed-forward model from its weights: the SavedModel in saved_models/.

python scripts/build_fast.py --output_dir=arbitrary_stylization
"""

from pathlib import Path

from absl import flags

from nst_tf import program
from nst_tf.errors import InputError

_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "a new folder for the SavedModel (required)")


def main() -> None:
    """Build the network, write it."""
    from nst_tf import arbitrary, atomic

    folder = Path(_OUTPUT_DIR.value)
    if folder.exists():
        raise InputError(f"output_dir={folder}: exists; expected a new folder; choose one")
    atomic.check(folder)
    arbitrary.save(folder)
    print(f"wrote {folder}")


if __name__ == "__main__":
    program.run(main, required=["output_dir"])
