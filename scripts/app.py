"""A page to paint on: photographs repainted in the manner of paintings, in a browser.

python scripts/app.py
"""

from absl import flags

from nst_tf.cli import app

flags.DEFINE_string("host", "127.0.0.1", "the address to listen at; 0.0.0.0 for all of a machine's")
flags.DEFINE_integer("port", 7860, "the port to listen at", lower_bound=0, upper_bound=65535)
flags.DEFINE_string("output_dir", None, "a folder where all pictures are kept")
flags.DEFINE_string("styles_dir", None, "a folder of paintings to choose from")
flags.DEFINE_string("password", None, "what visitors must give, with any name")


def main() -> None:
    """Serve as the flags say."""
    from nst_tf.cli import page_app

    page_app.serve(page_app.Options(**app.flag_values(page_app.Options)))


if __name__ == "__main__":
    app.run(main)
