"""An earlier commit's program beside this one's, each in processes of its own."""

import compileall
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import machine

from nst_tf import tensorflow_startup


@contextlib.contextmanager
def sources(commit: str) -> Iterator[dict[str, Path]]:
    """Check an earlier commit out into a temporary worktree, which is removed at the end.

    Args:
        commit: any name that git has for it.

    Yields:
        The folders of the two programs: `before`, that commit's, and `after`, this one's.

    Raises:
        RuntimeError: git cannot check it out, or Python imports another nst_tf than its own.
    """
    with tempfile.TemporaryDirectory(prefix="nst_tf-") as folder:
        tree = Path(folder, "tree")
        _git("worktree", "add", "--detach", str(tree), commit)
        try:
            folders = {"before": tree, "after": machine.ROOT}
            for source in folders.values():
                _check_import(source)
                # Or the first run alone would compile it.
                compileall.compile_dir(source / "nst_tf", quiet=1)
            yield folders
        finally:
            _git("worktree", "remove", "--force", str(tree))


def run_seconds(source: Path, script: str, *arguments: str) -> float:
    """Seconds of a process that runs a file of `scripts/` of one of the programs."""
    return python_seconds(source, f"{source}/scripts/{script}.py", *arguments)


def python_seconds(source: Path, *arguments: str) -> float:
    """Seconds of a process of this Python with one of the programs on its path."""
    command, environment = [sys.executable, *arguments], python_environment(source)
    started = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return perf_counter() - started


def python_environment(source: Path) -> dict[str, str]:
    """The caller's, without what this program has set for TensorFlow: each sets its own."""
    inherited = {
        name: v for name, v in os.environ.items() if name not in tensorflow_startup.ENVIRONMENT
    }
    return inherited | {"PYTHONPATH": str(source), "TF_CPP_MIN_LOG_LEVEL": "3"}


def _check_import(source: Path) -> None:
    """Make sure that the program's own nst_tf goes before an installed one."""
    command = [sys.executable, "-c", "import nst_tf; print(nst_tf.__file__)"]
    # In another folder, for Python looks into its working folder before all others.
    options = {"env": python_environment(source), "cwd": source.parent}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options)
    if not Path(done.stdout.strip()).resolve().is_relative_to(source.resolve()):
        raise RuntimeError(f"nst_tf: imported from {done.stdout.strip()}; expected {source}")


def _git(*arguments: str) -> None:
    command = ["git", "-C", str(machine.ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
