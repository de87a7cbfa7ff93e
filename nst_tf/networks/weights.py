"""Where the files that come with the package lie, in a checkout and in an installed wheel."""

from importlib import resources
from pathlib import Path


def path(name: str) -> Path:
    """The path of a file or folder of `saved_models/`.

    Args:
        name: its name inside `saved_models/`.

    Returns:
        The path; a wheel carries `saved_models/` inside the package, a checkout beside it.
    """
    package = Path(str(resources.files("nst_tf")))
    inside = package / "saved_models"
    return (inside if inside.is_dir() else package.parent / "saved_models") / name
