"""Neural style transfer for TensorFlow: a photograph repainted in the manner of a painting.

The public names are loaded when they are first used, so that `import nst_tf` costs nothing.
"""

from importlib import import_module

_HOMES = {
    "InputError": "errors",
    "Picture": "image",
    "Progress": "progress",
    "Settings": "settings",
    "State": "progress",
    "Style": "style",
    "load": "fast",
    "optimize": "transfer",
    "read": "image",
    "stylize": "transfer",
    "write": "image",
}
__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'nst_tf' has no attribute {name!r}")
    return getattr(import_module(f"nst_tf.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
