"""SHA-256 of bytes and of files, in hexadecimal digits."""

import hashlib
import os
from pathlib import Path


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: str | os.PathLike) -> str:
    """The SHA-256 of a file."""
    return sha256(Path(path).read_bytes())
