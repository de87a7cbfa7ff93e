"""Neural style transfer for TensorFlow: a photograph repainted in the manner of a painting.

The public names are loaded when they are first used, so that `import nst_tf` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers, which see no `__getattr__`
    from nst_tf.coarse_to_fine import optimize as optimize
    from nst_tf.coarse_to_fine import stylize as stylize
    from nst_tf.errors import InputError as InputError
    from nst_tf.feed_forward import load as load
    from nst_tf.images.image_io import Picture as Picture
    from nst_tf.images.image_io import read as read
    from nst_tf.images.image_io import write as write
    from nst_tf.run.progress import Progress as Progress
    from nst_tf.run.progress import State as State
    from nst_tf.settings import Settings as Settings
    from nst_tf.style import Style as Style

_HOMES = {
    "InputError": "errors",
    "Picture": "images.image_io",
    "Progress": "run.progress",
    "Settings": "settings",
    "State": "run.progress",
    "Style": "style",
    "load": "feed_forward",
    "optimize": "coarse_to_fine",
    "read": "images.image_io",
    "stylize": "coarse_to_fine",
    "write": "images.image_io",
}
__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nst_tf' has no attribute {name!r}")
    home = _HOMES[name]
    if home not in ("errors", "settings"):
        import_module("nst_tf.tensorflow_startup").check_keras()
    return getattr(import_module(f"nst_tf.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
