"""The files that come with the package, in a checkout and in an installed wheel."""

from importlib import resources
from pathlib import Path


def bundled_path(name: str) -> Path:
    """The path of a file or folder of `saved_models/`, by its name in there."""
    package = Path(str(resources.files("nst_tf")))
    # A wheel carries the folder inside the package, a checkout beside it.
    inside = package / "saved_models"
    return (inside if inside.is_dir() else package.parent / "saved_models") / name
