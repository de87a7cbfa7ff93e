"""Repaint a film in the manner of a painting, without flicker, with its sound.

python scripts/video.py --content=film.mp4 --style=painting.jpg --output=painted.mp4
"""

from absl import flags

from nst_tf.cli import app, setting_flags
from nst_tf.errors import InputError

flags.DEFINE_string(
    "content",
    None,
    "the film to repaint (required): a film, a GIF, WebP or APNG, a folder of frames, or their "
    "pattern, as frames/%04d.png",
)
flags.DEFINE_multi_string(
    "style",
    None,
    "the painting whose manner is wanted (required); several as a.jpg,b.jpg, or, where names have "
    "commas, with the flag given several times",
)
flags.DEFINE_list("style_blend", [], "weights of the paintings, as 0.7,0.3; default: equal")
flags.DEFINE_string(
    "output", None, "the painted film (required): .mp4, .mkv, .mov, .webm, .gif, .webp or .png"
)
flags.DEFINE_enum(
    "method",
    "optimize",
    ["optimize", "fast"],
    "optimize (each frame is optimized) or fast (the feed-forward network paints each)",
)
flags.DEFINE_string("handle", "bundled", "the model of --method=fast, as in fast.py")
flags.DEFINE_float("start", 0, "where to begin, in seconds", lower_bound=0)
flags.DEFINE_float("seconds", 0, "how long a part to paint; 0 is to the end", lower_bound=0)
flags.DEFINE_float(
    "fps",
    0,
    "frames a second; 0 keeps the film's own time stamps",
    lower_bound=0,
    upper_bound=1000,
)
flags.DEFINE_integer(
    "frame_steps", 10, "iterations of a frame that has frames before it", lower_bound=1
)
flags.DEFINE_float(
    "temporal_weight", 4, "weight of the temporal loss; more is calmer", lower_bound=0
)
flags.DEFINE_integer(
    "keyframes",
    1,
    "optimize every so many frames only; those between are carried along the motion, and what is "
    "new is repaired",
    lower_bound=1,
)
flags.DEFINE_integer(
    "passes", 1, "2 goes over the film once more, backwards, and so on", lower_bound=1
)
flags.DEFINE_string(
    "codec",
    None,
    "the encoder of the film; default: libx264, of .webm libvpx-vp9; pictures need none",
)
flags.DEFINE_integer(
    "crf", 18, "its constant rate factor; less is better and larger", lower_bound=0
)
flags.DEFINE_string(
    "frames_dir",
    None,
    "a folder for the painted frames, as .png, that is kept; without it they are in OUTPUT.frames "
    "until the film is written",
)
flags.DEFINE_boolean("resume", False, "go on with the frames that an earlier run has painted")
flags.DEFINE_boolean("quiet", False, "show no progress")
setting_flags.define_flags()
flags.adopt_module_key_flags(setting_flags)


def main() -> None:
    """Paint as the flags say."""
    try:
        from nst_tf.cli import video
    except ModuleNotFoundError as error:
        if error.name not in ("av", "cv2"):
            raise
        raise InputError(
            f"films need the package {error.name}; pip install -r requirements-video.txt"
        ) from error

    strength = flags.FLAGS.strength
    options = video.Options(**app.flag_values(video.Options))
    settings = setting_flags.settings_from_flags()
    given = setting_flags.given_names()
    video.paint(options, settings, 1.0 if strength is None else strength, given)


if __name__ == "__main__":
    app.run(main, ["content", "style", "output"])
